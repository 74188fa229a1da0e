#include "protocol/backend/parameter_description.hpp"

namespace pgweir::backend {

Result<ParameterDescription> ParameterDescription::parse(BodyReader body) {
    return whole(body, ParameterDescription{read_counted<OidElement>(body)});
}

}  // namespace pgweir::backend
