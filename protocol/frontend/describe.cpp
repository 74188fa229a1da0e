#include "protocol/frontend/describe.hpp"

namespace pgweir::frontend {

Result<Describe> Describe::parse(BodyReader body) {
    return whole(body, Describe{read_target(body), body.string()});
}

void Describe::serialize(BodyWriter& body) const {
    body.byte(static_cast<char>(target));
    body.string(name);
}

}  // namespace pgweir::frontend
