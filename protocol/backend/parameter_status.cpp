#include "protocol/backend/parameter_status.hpp"

namespace pgweir::backend {

Result<ParameterStatus> ParameterStatus::parse(BodyReader body) {
    return whole(body, ParameterStatus{body.string(), body.string()});
}

void ParameterStatus::serialize(BodyWriter& body) const {
    body.string(name);
    body.string(value);
}

}  // namespace pgweir::backend
