// FunctionCallResponse (backend): the result of a FunctionCall.
#pragma once

#include <optional>

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"
#include "protocol/values.hpp"

namespace pgweir::backend {

struct FunctionCallResponse {
    static constexpr auto type = Type::function_call_response;

    std::optional<Bytes> value;

    static Result<FunctionCallResponse> parse(BodyReader body);
    void serialize(BodyWriter& body) const { ValueElement::write(body, value); }

    bool operator==(const FunctionCallResponse&) const = default;
};

}  // namespace pgweir::backend
