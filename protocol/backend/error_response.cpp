#include "protocol/backend/error_response.hpp"

namespace pgweir::backend {

Result<ErrorResponse> ErrorResponse::parse(BodyReader body) {
    return whole(body, ErrorResponse{read_terminated<ErrorFieldElement>(body)});
}

}  // namespace pgweir::backend
