// Messages as the simulation writes them: byte by byte, without the project's own serializers, so that both can be wrong
// only independently.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/sim/failure.hpp"

namespace pgweir::sim {

inline void append_int16(std::string& out, int value) {
    out += static_cast<char>(value >> 8 & 0xff);
    out += static_cast<char>(value & 0xff);
}

inline void append_int32(std::string& out, std::int64_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

inline std::string frame(char type, std::string_view body = {}) {
    std::string out(1, type);
    append_int32(out, static_cast<std::int64_t>(body.size()) + 4);
    out += body;
    return out;
}

// Text with the NUL that ends it.
inline std::string zero_ended(std::string_view text) { return std::string(text) + '\0'; }

// ErrorResponse ('E') or NoticeResponse ('N').
inline std::string report_frame(char type, std::string_view severity, std::string_view sqlstate,
                                std::string_view text) {
    std::string body;
    body += 'S' + zero_ended(severity);
    body += 'V' + zero_ended(severity);
    body += 'C' + zero_ended(sqlstate);
    body += 'M' + zero_ended(text);
    body += '\0';
    return frame(type, body);
}

// RowDescription of one text column.
inline std::string row_description() {
    std::string body;
    append_int16(body, 1);
    body += zero_ended("t");
    append_int32(body, 0);
    append_int16(body, 0);
    append_int32(body, 25);
    append_int16(body, -1);
    append_int32(body, -1);
    append_int16(body, 0);
    return frame('T', body);
}

// Length of the message that begins `bytes`, with its type byte; 0 when less than that has come.
inline std::size_t whole_message(std::string_view bytes) {
    if (bytes.size() < 5) return 0;
    std::size_t length = 1;
    std::uint32_t field = 0;
    for (int i = 1; i <= 4; ++i) field = field << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    length += field;
    return bytes.size() < length ? 0 : length;
}

// Fields off the front of a body.
inline std::string take_text(std::string_view& body) {
    const auto end = body.find('\0');
    require(end != std::string_view::npos, "model: a string without an end");
    std::string text(body.substr(0, end));
    body.remove_prefix(end + 1);
    return text;
}

inline int take_int(std::string_view& body, std::size_t bytes) {
    require(body.size() >= bytes, "model: a message that ends too soon");
    std::uint32_t value = 0;
    for (const char byte : body.substr(0, bytes)) value = value << 8 | static_cast<unsigned char>(byte);
    body.remove_prefix(bytes);
    return static_cast<int>(value);
}

// The type bytes of the messages in `bytes`, for a trace; "…" for a part of one.
inline std::string message_types(std::string_view bytes) {
    std::string types;
    while (const auto length = whole_message(bytes)) {
        types += bytes.front();
        bytes.remove_prefix(length);
    }
    return bytes.empty() ? types : types + "…";
}

}  // namespace pgweir::sim
