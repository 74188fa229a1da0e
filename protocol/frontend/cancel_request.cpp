#include "protocol/frontend/cancel_request.hpp"

namespace pgweir::frontend {

Result<CancelRequest> CancelRequest::parse(BodyReader body) {
    expect_code(body, StartUpCode::cancel_request);
    return whole(body, CancelRequest{body.int32(), read_cancel_secret(body)});
}

void CancelRequest::serialize(BodyWriter& body) const {
    write_code(body, StartUpCode::cancel_request);
    body.int32(process_id);
    body.bytes(secret);
}

}  // namespace pgweir::frontend
