#include "protocol/backend/command_complete.hpp"

namespace pgweir::backend {

Result<CommandComplete> CommandComplete::parse(BodyReader body) {
    return whole(body, CommandComplete{body.string()});
}

}  // namespace pgweir::backend
