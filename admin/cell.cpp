#include "admin/cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <limits>

#include "protocol/body_writer.hpp"

namespace pgweir {

namespace {

// PostgreSQL's numeric: count of digits to base 10,000, weight of the first one, sign, scale; then the digits.
std::string numeric_bytes(std::int64_t number) {
    constexpr std::int16_t positive = 0;
    constexpr std::int16_t negative = 0x4000;
    std::vector<std::int16_t> digits;
    for (auto rest = number; rest != 0; rest /= 10'000) digits.push_back(static_cast<std::int16_t>(std::abs(rest % 10'000)));
    std::string bytes;
    BodyWriter body(bytes);
    body.int16(static_cast<std::int16_t>(digits.size()));
    body.int16(static_cast<std::int16_t>(digits.empty() ? 0 : digits.size() - 1));
    body.int16(number < 0 ? negative : positive);
    body.int16(0);
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) body.int16(*digit);
    return bytes;
}

std::string binary(std::int64_t number, ColumnType type) {
    using Int4 = std::numeric_limits<std::int32_t>;
    std::string bytes;
    BodyWriter body(bytes);
    switch (type) {
        case ColumnType::int4:
            body.int32(static_cast<std::int32_t>(std::clamp<std::int64_t>(number, Int4::min(), Int4::max())));
            return bytes;
        case ColumnType::int8:
            body.int32(static_cast<std::int32_t>(number >> 32));
            body.int32(static_cast<std::int32_t>(number));
            return bytes;
        case ColumnType::numeric: return numeric_bytes(number);
        case ColumnType::text:
        case ColumnType::bytea: break;
    }
    return std::to_string(number);
}

// PostgreSQL manual, "bytea Hex Format".
std::string hex_text(std::string_view bytes) {
    std::string text = "\\x";
    for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return text;
}

}  // namespace

std::string Cell::encode(ColumnType type, std::int16_t format) const {
    assert(!is_null());
    if (const auto* text = std::get_if<std::string>(&value_)) {
        if (type == ColumnType::bytea && format != binary_format) return hex_text(*text);
        return *text;    // the same bytes in both formats
    }
    const auto number = std::get<std::int64_t>(value_);
    return format == binary_format ? binary(number, type) : std::to_string(number);
}

}  // namespace pgweir
