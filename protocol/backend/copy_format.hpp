// The format of a whole COPY, in the three messages that begin one. Each column repeats it.
#pragma once

#include "protocol/values.hpp"

namespace pgweir::backend {

enum class CopyFormat : char { text = 0, binary = 1 };

inline CopyFormat read_copy_format(BodyReader& body) {
    const auto format = static_cast<CopyFormat>(body.byte());
    if (format != CopyFormat::text && format != CopyFormat::binary) body.fail(ProtocolError::unknown_format);
    return format;
}

}  // namespace pgweir::backend
