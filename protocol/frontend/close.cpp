#include "protocol/frontend/close.hpp"

namespace pgweir::frontend {

Result<Close> Close::parse(BodyReader body) {
    return whole(body, Close{read_target(body), body.string()});
}

void Close::serialize(BodyWriter& body) const {
    body.byte(static_cast<char>(target));
    body.string(name);
}

}  // namespace pgweir::frontend
