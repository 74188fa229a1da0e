#include "protocol/backend/copy_in_response.hpp"

namespace pgweir::backend {

Result<CopyInResponse> CopyInResponse::parse(BodyReader body) {
    return whole(body, CopyInResponse{read_copy_format(body), read_counted<FormatElement>(body)});
}

void CopyInResponse::serialize(BodyWriter& body) const {
    body.byte(static_cast<char>(format));
    write_counted(body, column_formats);
}

}  // namespace pgweir::backend
