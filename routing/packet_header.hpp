// The front of a packet: its length field, and the words for one that is no packet of ours.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/body_reader.hpp"

namespace pgweir {

inline constexpr std::size_t length_bytes = 4;

// The body's length by a length field, which counts itself; negative for a field that no message may have.
inline std::int64_t body_length_in(Bytes field) { return std::int64_t{BodyReader(field).int32()} - std::int64_t{length_bytes}; }

// What an error shows of a packet that begins so: as much as there is of its first eight bytes, as PgBouncer does.
inline Bytes shown_of_packet(Bytes bytes) { return bytes.substr(0, 8); }

inline std::string hex_of(Bytes bytes) {
    constexpr Bytes digits = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

}  // namespace pgweir
