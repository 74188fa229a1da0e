// CopyOutResponse (backend): COPY TO STDOUT has begun; CopyData follows until CopyDone.
#pragma once

#include "protocol/backend/copy_format.hpp"
#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct CopyOutResponse {
    static constexpr auto type = Type::copy_out_response;

    CopyFormat format;
    FormatList column_formats;

    static Result<CopyOutResponse> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const CopyOutResponse&) const = default;
};

}  // namespace pgweir::backend
