// Parse (frontend): makes a prepared statement. The unnamed one (an empty name) lasts until the next unnamed Parse or
// the next Query.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"
#include "protocol/values.hpp"

namespace pgweir::frontend {

struct Parse {
    static constexpr auto type = Type::parse;

    Bytes statement;
    Bytes sql;
    OidList parameter_types;    // may be fewer than the parameters; 0 leaves a type to the server

    static Result<Parse> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const Parse&) const = default;
};

}  // namespace pgweir::frontend
