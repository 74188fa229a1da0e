// Writes messages: fields appended to a string that the caller owns, and the frame around them.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/result.hpp"

namespace pgweir {

class BodyWriter {
public:
    explicit BodyWriter(std::string& out) : out_(out) {}

    void byte(char value) { out_.push_back(value); }
    void int16(std::int16_t value) { big_endian<2>(static_cast<std::uint16_t>(value)); }
    void int32(std::int32_t value) { big_endian<4>(static_cast<std::uint32_t>(value)); }
    void bytes(Bytes value) { out_.append(value); }

    // The text and the NUL that ends it. A NUL inside the text would cut it: the caller has made sure there is none.
    void string(Bytes value) {
        out_.append(value);
        out_.push_back('\0');
    }

private:
    template <int Size>
    void big_endian(std::uint32_t value) {
        char bytes[Size];
        for (int i = 0; i < Size; ++i) bytes[i] = static_cast<char>(value >> (Size - 1 - i) * 8 & 0xff);
        out_.append(bytes, Size);
    }

    std::string& out_;
};

// Sets the four bytes at `at` to the number of bytes from there to the end of `out`: the length field of a frame.
inline void patch_length(std::string& out, std::size_t at) {
    const auto length = static_cast<std::uint32_t>(out.size() - at);
    for (int i = 0; i < 4; ++i) out[at + i] = static_cast<char>(length >> (24 - 8 * i) & 0xff);
}

// Appends a whole frame: type byte, length, body.
template <class Message>
void append_message(std::string& out, const Message& message) {
    out.push_back(static_cast<char>(Message::type));
    const auto at = out.size();
    out.append(4, '\0');
    BodyWriter body(out);
    message.serialize(body);
    patch_length(out, at);
}

// Appends a start-up packet, which has no type byte (StartupMessage, SSLRequest, GSSENCRequest, CancelRequest).
template <class Packet>
void append_packet(std::string& out, const Packet& packet) {
    const auto at = out.size();
    out.append(4, '\0');
    BodyWriter body(out);
    packet.serialize(body);
    patch_length(out, at);
}

template <class Message>
std::string to_message(const Message& message) {
    std::string out;
    append_message(out, message);
    return out;
}

}  // namespace pgweir
