// What parsing returns: a value, or the one reason why the bytes are not that message.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <string_view>

namespace pgweir {

// Bytes of a buffer that somebody else owns. Not text: may hold NUL and anything else.
using Bytes = std::string_view;

enum class ProtocolError : std::uint8_t {
    none,
    short_body,                  // the body ends before the message's last field
    trailing_bytes,              // the body goes on behind the message's last field
    unterminated_string,
    bad_length,                  // a length field that no message may have
    too_long,                    // longer than the limit for this message or this peer
    unknown_message_type,
    unknown_transaction_status,
    unknown_target,              // Close or Describe of neither 'S' nor 'P'
    unknown_authentication,
    unknown_format,
    bad_count,
    bad_start_up_code,
    bad_sasl,
};

template <class T>
using Result = boost::system::result<T, ProtocolError>;

// A short description for a log line, in lower case, without a full stop.
std::string_view to_string(ProtocolError error);

}  // namespace pgweir
