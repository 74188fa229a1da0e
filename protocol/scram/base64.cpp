#include "protocol/scram/base64.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace pgweir {
namespace {

constexpr Bytes alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 0xff;

constexpr std::array<std::uint8_t, 256> make_digits() {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(no_digit);
    std::uint8_t value = 0;
    for (const char digit : alphabet) digits[static_cast<unsigned char>(digit)] = value++;
    return digits;
}

constexpr auto digits = make_digits();

// The four characters of one group, the last `padding` of which stand for nothing.
std::optional<std::uint32_t> group_value(Bytes group, std::size_t padding) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        const auto digit = i < 4 - padding ? digits[static_cast<unsigned char>(group[i])] : std::uint8_t{0};
        if (digit == no_digit) return std::nullopt;
        value = value << 6 | digit;
    }
    return value;
}

}  // namespace

std::string base64_encode(Bytes bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(3, bytes.size()))) {
        const auto used = std::min<std::size_t>(3, bytes.size());
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < 3; ++i) value = value << 8 | (i < used ? static_cast<unsigned char>(bytes[i]) : 0u);
        for (std::size_t i = 0; i < 4; ++i) text += i <= used ? alphabet[value >> (18 - 6 * i) & 63] : '=';
    }
    return text;
}

std::optional<std::string> base64_decode(Bytes text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    for (; !text.empty(); text.remove_prefix(4)) {
        const bool is_last = text.size() == 4;
        const std::size_t padding = !is_last || text[3] != '=' ? 0u : text[2] != '=' ? 1u : 2u;
        const auto value = group_value(text, padding);
        if (!value) return std::nullopt;
        for (std::size_t i = 0; i < 3; ++i) {
            const auto byte = static_cast<char>(*value >> (16 - 8 * i) & 0xff);
            if (i < 3 - padding) bytes += byte;
            else if (byte != 0) return std::nullopt;
        }
    }
    return bytes;
}

}  // namespace pgweir
