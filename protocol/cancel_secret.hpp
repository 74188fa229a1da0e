// The secret part of a cancel key, in BackendKeyData and CancelRequest: 4 bytes in protocol 3.0, 4 to 256 since 3.2.
#pragma once

#include "protocol/body_reader.hpp"

namespace pgweir {

inline constexpr std::size_t cancel_secret_min_bytes = 4;
inline constexpr std::size_t cancel_secret_max_bytes = 256;

// Everything up to the end of the body; only its length can be wrong.
inline Bytes read_cancel_secret(BodyReader& body) {
    if (body.remaining() < cancel_secret_min_bytes) body.fail(ProtocolError::short_body);
    if (body.remaining() > cancel_secret_max_bytes) body.fail(ProtocolError::bad_length);
    return body.rest();
}

}  // namespace pgweir
