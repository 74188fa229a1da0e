// BindComplete (backend): the reply to Bind.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct BindComplete : WithoutBody<BindComplete> {
    static constexpr auto type = Type::bind_complete;
};

}  // namespace pgweir::backend
