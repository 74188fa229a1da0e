#include "protocol/backend/notification_response.hpp"

namespace pgweir::backend {

Result<NotificationResponse> NotificationResponse::parse(BodyReader body) {
    return whole(body, NotificationResponse{body.int32(), body.string(), body.string()});
}

void NotificationResponse::serialize(BodyWriter& body) const {
    body.int32(process_id);
    body.string(channel);
    body.string(payload);
}

}  // namespace pgweir::backend
