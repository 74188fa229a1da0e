// CopyBothResponse (backend): streaming replication has begun; both sides send CopyData.
#pragma once

#include "protocol/backend/copy_format.hpp"
#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct CopyBothResponse {
    static constexpr auto type = Type::copy_both_response;

    CopyFormat format;
    FormatList column_formats;

    static Result<CopyBothResponse> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const CopyBothResponse&) const = default;
};

}  // namespace pgweir::backend
