#include "protocol/frontend/sasl_initial_response.hpp"

namespace pgweir::frontend {

Result<SaslInitialResponse> SaslInitialResponse::parse(BodyReader body) {
    return whole(body, SaslInitialResponse{body.string(), ValueElement::read(body)});
}

void SaslInitialResponse::serialize(BodyWriter& body) const {
    body.string(mechanism);
    ValueElement::write(body, response);
}

}  // namespace pgweir::frontend
