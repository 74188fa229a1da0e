#include "protocol/result.hpp"

namespace pgweir {

std::string_view to_string(ProtocolError error) {
    switch (error) {
        case ProtocolError::none: return "no error";
        case ProtocolError::short_body: return "message ends before its last field";
        case ProtocolError::trailing_bytes: return "bytes left over behind the last field of a message";
        case ProtocolError::unterminated_string: return "string without an end";
        case ProtocolError::bad_length: return "impossible length field";
        case ProtocolError::too_long: return "message too long";
        case ProtocolError::unknown_message_type: return "unknown message type";
        case ProtocolError::unknown_transaction_status: return "unknown transaction status";
        case ProtocolError::unknown_target: return "neither a prepared statement nor a portal";
        case ProtocolError::unknown_authentication: return "unknown authentication request";
        case ProtocolError::unknown_format: return "unknown format code";
        case ProtocolError::bad_count: return "impossible count of fields";
        case ProtocolError::bad_start_up_code: return "unknown start-up code or protocol version";
        case ProtocolError::bad_sasl: return "malformed SASL message";
    }
    return "unknown protocol error";
}

}  // namespace pgweir
