// Wire bytes by name, from `tests/vectors/`: shared by unit tests, fuzzers and benches.
//
// A line is a name, for the bad ones the error that parsing must give, and hexadecimal digits, spaced as it reads best.
// What stands before the name's first dot is the message, as in `message_parsers.hpp`. A file that breaks these rules
// throws.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/result.hpp"

namespace pgweir::test {

struct Vector {
    std::string name;     // "ready_for_query.idle"
    std::string bytes;    // a whole frame or start-up packet, length field included

    std::string_view message() const { return std::string_view(name).substr(0, name.find('.')); }
};

struct BadVector : Vector {
    ProtocolError error = ProtocolError::none;
};

// `file` is a name in `tests/vectors/`.
std::vector<Vector> load_vectors(const std::string& file);
std::vector<BadVector> load_bad_vectors(const std::string& file);

// The one with this name; throws when there is none.
Vector load_vector(const std::string& file, std::string_view name);

// What stands behind the length field; the field itself must be right. A packet has no type byte, a frame has one.
Bytes frame_body(Bytes frame);
Bytes packet_body(Bytes packet);

// All ways to cut bytes in two, the empty head and the empty tail included. Views: `bytes` must outlive them.
std::vector<std::pair<Bytes, Bytes>> every_cut(Bytes bytes);

}  // namespace pgweir::test
