// Flush (frontend): asks for the replies made so far. It ends nothing and has no reply of its own.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::frontend {

struct Flush : WithoutBody<Flush> {
    static constexpr auto type = Type::flush;
};

}  // namespace pgweir::frontend
