// ParseComplete (backend): the reply to Parse.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct ParseComplete : WithoutBody<ParseComplete> {
    static constexpr auto type = Type::parse_complete;
};

}  // namespace pgweir::backend
