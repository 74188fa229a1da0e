#include "protocol/frontend/execute.hpp"

namespace pgweir::frontend {

Result<Execute> Execute::parse(BodyReader body) {
    return whole(body, Execute{body.string(), body.int32()});
}

void Execute::serialize(BodyWriter& body) const {
    body.string(portal);
    body.int32(max_rows);
}

}  // namespace pgweir::frontend
