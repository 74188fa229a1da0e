// PortalSuspended (backend): Execute stopped at its row limit; the portal has more.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct PortalSuspended : WithoutBody<PortalSuspended> {
    static constexpr auto type = Type::portal_suspended;
};

}  // namespace pgweir::backend
