// What a new connection begins with: packets without a type byte, told apart by their first four bytes.
//
// The body of a packet is everything behind its length field, so the code comes first in it; each packet's `parse` checks
// its own code again, so a body classified wrongly is refused.
#pragma once

#include <cstdint>

#include "protocol/body_reader.hpp"
#include "protocol/body_writer.hpp"
#include "protocol/result.hpp"

namespace pgweir::frontend {

// Codes that stand where a StartupMessage has its version (PostgreSQL manual, "Message Formats").
enum class StartUpCode : std::int32_t {
    cancel_request = 80877102,
    ssl_request = 80877103,
    gss_enc_request = 80877104,
};

enum class StartUpKind : std::uint8_t {
    startup_message,    // protocol 3, any minor version
    ssl_request,
    gss_enc_request,
    cancel_request,
    old_protocol,       // protocol 2.0, which gets a text of its own
};

// Looks at the code alone; the packet may still be malformed. An unknown code is `bad_start_up_code`.
Result<StartUpKind> classify_start_up_packet(BodyReader body);

// Reads the code that the packet must begin with.
inline void expect_code(BodyReader& body, StartUpCode code) {
    if (body.int32() != static_cast<std::int32_t>(code)) body.fail(ProtocolError::bad_start_up_code);
}

inline void write_code(BodyWriter& body, StartUpCode code) { body.int32(static_cast<std::int32_t>(code)); }

}  // namespace pgweir::frontend
