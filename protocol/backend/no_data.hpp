// NoData (backend): what Describe found returns no rows.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct NoData : WithoutBody<NoData> {
    static constexpr auto type = Type::no_data;
};

}  // namespace pgweir::backend
