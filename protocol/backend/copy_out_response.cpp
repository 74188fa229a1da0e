#include "protocol/backend/copy_out_response.hpp"

namespace pgweir::backend {

Result<CopyOutResponse> CopyOutResponse::parse(BodyReader body) {
    return whole(body, CopyOutResponse{read_copy_format(body), read_counted<FormatElement>(body)});
}

void CopyOutResponse::serialize(BodyWriter& body) const {
    body.byte(static_cast<char>(format));
    write_counted(body, column_formats);
}

}  // namespace pgweir::backend
