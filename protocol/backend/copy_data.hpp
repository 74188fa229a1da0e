// CopyData (backend): a piece of COPY data, or of replication. The server sends one row a message.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct CopyData {
    static constexpr auto type = Type::copy_data;

    Bytes data;

    static Result<CopyData> parse(BodyReader body);
    void serialize(BodyWriter& body) const { body.bytes(data); }

    bool operator==(const CopyData&) const = default;
};

}  // namespace pgweir::backend
