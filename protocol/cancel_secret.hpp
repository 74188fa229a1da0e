// The secret part of a cancel key, in BackendKeyData and CancelRequest: 4 bytes in protocol 3.0, 4 to 256 since 3.2.
#pragma once

#include "protocol/body_reader.hpp"
#include "protocol/protocol_version.hpp"

namespace pgweir {

inline constexpr std::size_t cancel_secret_min_bytes = 4;
inline constexpr std::size_t cancel_secret_max_bytes = 256;
inline constexpr std::size_t cancel_secret_long_bytes = 32;     // what we and PostgreSQL 18 give those who can take it

// The length of the secret that a client of this version is given.
constexpr std::size_t cancel_secret_bytes(ProtocolVersion version) {
    return version >= protocol_3_2 ? cancel_secret_long_bytes : cancel_secret_min_bytes;
}

// May a server that speaks this version send a secret of this length?
constexpr bool is_cancel_secret(std::size_t bytes, ProtocolVersion version) {
    return version >= protocol_3_2 ? bytes >= cancel_secret_min_bytes && bytes <= cancel_secret_max_bytes
                                   : bytes == cancel_secret_min_bytes;
}

// Everything up to the end of the body; only its length can be wrong.
inline Bytes read_cancel_secret(BodyReader& body) {
    if (body.remaining() < cancel_secret_min_bytes) body.fail(ProtocolError::short_body);
    if (body.remaining() > cancel_secret_max_bytes) body.fail(ProtocolError::bad_length);
    return body.rest();
}

}  // namespace pgweir
