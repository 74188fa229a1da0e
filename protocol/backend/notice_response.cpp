#include "protocol/backend/notice_response.hpp"

namespace pgweir::backend {

Result<NoticeResponse> NoticeResponse::parse(BodyReader body) {
    return whole(body, NoticeResponse{read_terminated<ErrorFieldElement>(body)});
}

}  // namespace pgweir::backend
