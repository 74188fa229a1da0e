// EmptyQueryResponse (backend): stands for CommandComplete when the SQL string was empty.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct EmptyQueryResponse : WithoutBody<EmptyQueryResponse> {
    static constexpr auto type = Type::empty_query_response;
};

}  // namespace pgweir::backend
