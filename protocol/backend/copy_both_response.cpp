#include "protocol/backend/copy_both_response.hpp"

namespace pgweir::backend {

Result<CopyBothResponse> CopyBothResponse::parse(BodyReader body) {
    return whole(body, CopyBothResponse{read_copy_format(body), read_counted<FormatElement>(body)});
}

void CopyBothResponse::serialize(BodyWriter& body) const {
    body.byte(static_cast<char>(format));
    write_counted(body, column_formats);
}

}  // namespace pgweir::backend
