// SASLResponse (frontend): a further message of the mechanism, to the body's end.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::frontend {

struct SaslResponse {
    static constexpr auto type = Type::password;

    Bytes data;

    static Result<SaslResponse> parse(BodyReader body);
    void serialize(BodyWriter& body) const { body.bytes(data); }

    bool operator==(const SaslResponse&) const = default;
};

}  // namespace pgweir::frontend
