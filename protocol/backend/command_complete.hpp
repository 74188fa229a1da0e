// CommandComplete (backend): one SQL command has ended well.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct CommandComplete {
    static constexpr auto type = Type::command_complete;

    Bytes tag;    // "SELECT 3", "INSERT 0 1", "BEGIN"

    static Result<CommandComplete> parse(BodyReader body);
    void serialize(BodyWriter& body) const { body.string(tag); }

    bool operator==(const CommandComplete&) const = default;
};

}  // namespace pgweir::backend
