// Query (frontend): one string of SQL, possibly of several statements; answered up to one ReadyForQuery.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::frontend {

struct Query {
    static constexpr auto type = Type::query;

    Bytes sql;

    static Result<Query> parse(BodyReader body);
    void serialize(BodyWriter& body) const { body.string(sql); }

    bool operator==(const Query&) const = default;
};

}  // namespace pgweir::frontend
