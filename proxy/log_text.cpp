#include "proxy/log_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgweir {
namespace {

unsigned byte_at(std::string_view text, std::size_t place) {
    return place < text.size() ? static_cast<unsigned char>(text[place]) : 0U;
}

// The Unicode Standard, table 3-7 "Well-Formed UTF-8 Byte Sequences": the length of the one that `text` begins with; 0: none.
std::size_t utf8_length(std::string_view text) {
    const unsigned first = byte_at(text, 0);
    if (first < 0x80) return 1;
    std::size_t length = 0;
    unsigned low = 0x80;
    unsigned high = 0xbf;
    if (first >= 0xc2 && first <= 0xdf) length = 2;
    if (first >= 0xe0 && first <= 0xef) length = 3;
    if (first >= 0xf0 && first <= 0xf4) length = 4;
    if (first == 0xe0) low = 0xa0;     // a shorter form exists
    if (first == 0xed) high = 0x9f;    // surrogates
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;    // above U+10FFFF
    for (std::size_t i = 1; i < length; ++i) {
        const unsigned next = byte_at(text, i);
        if (next < low || next > high) return 0;
        low = 0x80;
        high = 0xbf;
    }
    return length;
}

}  // namespace

std::string as_log_text(std::string_view message) {
    std::string out;
    out.reserve(message.size() + 8);
    for (const char c : message) {
        if (c == '\n')
            out += "\n\t";
        else if (static_cast<unsigned char>(c) < 0x20 && c != '\t')
            out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
        else
            out += c;
    }
    return out;
}

std::string as_json_text(std::string_view message) {
    constexpr std::string_view replacement = "\xef\xbf\xbd";
    std::string out;
    out.reserve(message.size() + 8);
    while (!message.empty()) {
        const std::size_t length = utf8_length(message);
        const char c = message.front();
        if (length == 0)
            out += replacement;
        else if (c == '"' || c == '\\')
            out += '\\', out += c;
        else if (static_cast<unsigned char>(c) < 0x20)
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            out += message.substr(0, length);
        message.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

}  // namespace pgweir
