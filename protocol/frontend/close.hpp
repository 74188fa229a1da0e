// Close (frontend): drops a prepared statement or a portal. One that does not exist is no error.
#pragma once

#include "protocol/frontend/target.hpp"
#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::frontend {

struct Close {
    static constexpr auto type = Type::close;

    Target target;
    Bytes name;

    static Result<Close> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const Close&) const = default;
};

}  // namespace pgweir::frontend
