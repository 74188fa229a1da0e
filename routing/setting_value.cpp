#include "routing/setting_value.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <climits>
#include <cmath>
#include <cstdint>

namespace pgweir {

namespace {

// Any longer and adding it to a point in time could overflow.
constexpr double longest_us = 1e16;

struct Unit {
    std::string_view word;
    std::int64_t us;
};

constexpr auto units = std::to_array<Unit>({
    {"us", 1},
    {"ms", 1'000},
    {"s", 1'000'000},
    {"min", 60'000'000},
    {"h", 3'600'000'000},
    {"d", 86'400'000'000},
});

std::string_view without_leading_blanks(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    return text;
}

std::optional<std::int64_t> unit_of(std::string_view word) {
    for (const auto& unit : units)
        if (unit.word == word) return unit.us;
    return std::nullopt;
}

std::optional<int> digits(std::string_view text, int base, bool negative) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc{} || end != text.data() + text.size() || number < 0 || text.front() == '-') return {};
    if (negative) number = -number;
    if (number < INT_MIN || number > INT_MAX) return {};
    return static_cast<int>(number);
}

}  // namespace

std::optional<int> parse_integer(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (text.empty()) return {};
    if (text.starts_with("0x") || text.starts_with("0X")) {
        text.remove_prefix(2);
        return text.empty() ? std::nullopt : digits(text, 16, negative);
    }
    return digits(text, text.starts_with('0') ? 8 : 10, negative);
}

std::optional<int> parse_octal(std::string_view text) {
    if (text.empty()) return {};
    return digits(text, 8, false);
}

int parse_leading_integer(std::string_view text) {
    std::int64_t number = 0;
    text = without_leading_blanks(text);
    if (text.starts_with('+')) text.remove_prefix(1);
    std::size_t length = text.starts_with('-') ? 1 : 0;
    while (length < text.size() && text[length] >= '0' && text[length] <= '9') ++length;
    const auto [end, error] = std::from_chars(text.data(), text.data() + length, number);
    if (error == std::errc::result_out_of_range || number > INT_MAX) return INT_MAX;
    if (error != std::errc{}) return 0;
    return number < INT_MIN ? INT_MIN : static_cast<int>(number);
}

std::optional<Microseconds> parse_duration(std::string_view text, Microseconds bare_unit) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || !std::isfinite(number) || std::signbit(number)) return {};

    const auto word = without_leading_blanks(text.substr(static_cast<std::size_t>(end - text.data())));
    const auto unit = word.empty() ? bare_unit.count() : unit_of(word);
    if (!unit) return {};

    // Shorter than a microsecond is not the same as off.
    const double us = number * static_cast<double>(*unit);
    if (us > longest_us) return {};
    if (number > 0 && us < 1) return Microseconds{1};
    return Microseconds{std::llround(us)};
}

std::string seconds_text(Microseconds span) { return fmt::format("{:g}", static_cast<double>(span.count()) / 1e6); }

std::string duration_text(Microseconds span) {
    if (span.count() == 0) return "0";
    const Unit* best = &units.front();
    for (const auto& unit : units)
        if (span.count() % unit.us == 0) best = &unit;
    return fmt::format("{}{}", span.count() / best->us, best->word);
}

std::vector<std::string> parse_list(std::string_view text) {
    constexpr std::string_view separators = ", \t";
    std::vector<std::string> list;
    for (;;) {
        const auto start = text.find_first_not_of(separators);
        if (start == text.npos) return list;
        text.remove_prefix(start);
        const auto word = text.substr(0, text.find_first_of(separators));
        list.emplace_back(word);
        text.remove_prefix(word.size());
    }
}

std::string list_text(const std::vector<std::string>& list) { return fmt::format("{}", fmt::join(list, ", ")); }

}  // namespace pgweir
