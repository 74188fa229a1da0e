// All messages of the protocol by name, for tests that hold for each of them and for the fuzzer.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "protocol/result.hpp"

namespace pgweir::test {

enum class Sender : char { frontend, backend, start_up };

struct RoundTrip {
    ProtocolError error = ProtocolError::none;
    std::string body = {};   // the parsed message written again, when `error` is none
    bool faithful = true;    // what was written parses to an equal message, and its lists hold the elements they claim to
};

struct MessageParser {
    Sender sender;
    std::string_view name;
    char type;            // '\0' for start-up packets
    bool open_ended;      // its last field goes to the end of the body, so a shorter body may be a message too
    RoundTrip (*round_trip)(Bytes body);
};

std::span<const MessageParser> message_parsers();

// Throws when there is none.
const MessageParser& message_parser(Sender sender, std::string_view name);

}  // namespace pgweir::test
