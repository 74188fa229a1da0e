// ErrorResponse (backend): a request failed, or (severity FATAL, PANIC) the connection ends. Can come unasked at any time.
#pragma once

#include "protocol/backend/error_fields.hpp"
#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct ErrorResponse {
    static constexpr auto type = Type::error_response;

    ErrorFields fields;

    static Result<ErrorResponse> parse(BodyReader body);
    void serialize(BodyWriter& body) const { write_terminated(body, fields); }

    bool operator==(const ErrorResponse&) const = default;
};

}  // namespace pgweir::backend
