// Sync (frontend): ends a batch of the extended protocol; answered by exactly one ReadyForQuery, whatever failed before it.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::frontend {

struct Sync : WithoutBody<Sync> {
    static constexpr auto type = Type::sync;
};

}  // namespace pgweir::frontend
