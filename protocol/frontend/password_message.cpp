#include "protocol/frontend/password_message.hpp"

namespace pgweir::frontend {

Result<PasswordMessage> PasswordMessage::parse(BodyReader body) {
    return whole(body, PasswordMessage{body.string()});
}

}  // namespace pgweir::frontend
