// CopyFail (frontend): ends COPY FROM STDIN as failed; the server answers with an ErrorResponse that quotes the reason.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::frontend {

struct CopyFail {
    static constexpr auto type = Type::copy_fail;

    Bytes reason;

    static Result<CopyFail> parse(BodyReader body);
    void serialize(BodyWriter& body) const { body.string(reason); }

    bool operator==(const CopyFail&) const = default;
};

}  // namespace pgweir::frontend
