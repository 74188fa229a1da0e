// CopyInResponse (backend): COPY FROM STDIN has begun; the client sends CopyData until CopyDone or CopyFail.
#pragma once

#include "protocol/backend/copy_format.hpp"
#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct CopyInResponse {
    static constexpr auto type = Type::copy_in_response;

    CopyFormat format;
    FormatList column_formats;

    static Result<CopyInResponse> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const CopyInResponse&) const = default;
};

}  // namespace pgweir::backend
