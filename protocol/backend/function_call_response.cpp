#include "protocol/backend/function_call_response.hpp"

namespace pgweir::backend {

Result<FunctionCallResponse> FunctionCallResponse::parse(BodyReader body) {
    return whole(body, FunctionCallResponse{ValueElement::read(body)});
}

}  // namespace pgweir::backend
