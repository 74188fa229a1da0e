// Describe (frontend): asks for the parameters and columns of a prepared statement, or the columns of a portal.
#pragma once

#include "protocol/frontend/target.hpp"
#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::frontend {

struct Describe {
    static constexpr auto type = Type::describe;

    Target target;
    Bytes name;

    static Result<Describe> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const Describe&) const = default;
};

}  // namespace pgweir::frontend
