// CloseComplete (backend): the reply to Close, also for a name that did not exist.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct CloseComplete : WithoutBody<CloseComplete> {
    static constexpr auto type = Type::close_complete;
};

}  // namespace pgweir::backend
