// FunctionCall (frontend): calls a function by OID; answered up to one ReadyForQuery. Old, but libpq's large objects
// still use it.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"
#include "protocol/values.hpp"

namespace pgweir::frontend {

struct FunctionCall {
    static constexpr auto type = Type::function_call;

    Oid function;
    FormatList argument_formats;
    ValueList arguments;
    std::int16_t result_format;

    static Result<FunctionCall> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const FunctionCall&) const = default;
};

}  // namespace pgweir::frontend
