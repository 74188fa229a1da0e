// CopyData (frontend): a piece of COPY data, or of replication. Cut where the client pleases, not at rows.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::frontend {

struct CopyData {
    static constexpr auto type = Type::copy_data;

    Bytes data;

    static Result<CopyData> parse(BodyReader body);
    void serialize(BodyWriter& body) const { body.bytes(data); }

    bool operator==(const CopyData&) const = default;
};

}  // namespace pgweir::frontend
