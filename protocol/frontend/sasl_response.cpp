#include "protocol/frontend/sasl_response.hpp"

namespace pgweir::frontend {

Result<SaslResponse> SaslResponse::parse(BodyReader body) {
    return whole(body, SaslResponse{body.rest()});
}

}  // namespace pgweir::frontend
