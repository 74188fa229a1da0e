// Terminate (frontend): the client leaves; the server closes without an answer.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::frontend {

struct Terminate : WithoutBody<Terminate> {
    static constexpr auto type = Type::terminate;
};

}  // namespace pgweir::frontend
