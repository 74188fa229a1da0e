// NotificationResponse (backend): a NOTIFY on a channel this connection listens to. Can come unasked at any time.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct NotificationResponse {
    static constexpr auto type = Type::notification_response;

    std::int32_t process_id;    // of the session that notified
    Bytes channel;
    Bytes payload;

    static Result<NotificationResponse> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const NotificationResponse&) const = default;
};

}  // namespace pgweir::backend
