#include "protocol/frontend/function_call.hpp"

namespace pgweir::frontend {

Result<FunctionCall> FunctionCall::parse(BodyReader body) {
    return whole(body, FunctionCall{
        static_cast<Oid>(body.int32()),
        read_counted<FormatElement>(body),
        read_counted<ValueElement>(body),
        body.int16(),
    });
}

void FunctionCall::serialize(BodyWriter& body) const {
    body.int32(static_cast<std::int32_t>(function));
    write_counted(body, argument_formats);
    write_counted(body, arguments);
    body.int16(result_format);
}

}  // namespace pgweir::frontend
