// NoticeResponse (backend): a warning or a remark. Can come unasked at any time, and answers nothing.
#pragma once

#include "protocol/backend/error_fields.hpp"
#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct NoticeResponse {
    static constexpr auto type = Type::notice_response;

    ErrorFields fields;

    static Result<NoticeResponse> parse(BodyReader body);
    void serialize(BodyWriter& body) const { write_terminated(body, fields); }

    bool operator==(const NoticeResponse&) const = default;
};

}  // namespace pgweir::backend
