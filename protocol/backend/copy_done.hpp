// CopyDone (backend): the COPY data is complete.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct CopyDone : WithoutBody<CopyDone> {
    static constexpr auto type = Type::copy_done;
};

}  // namespace pgweir::backend
