// The value types of the configuration file: text to value and back.
//
// Not here: which setting has which type (setting_table.hpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routing/time.hpp"

namespace pgweir {

// Whole text, C notation: 20, -1, 0777, 0x1f.
std::optional<int> parse_integer(std::string_view text);
// Whole text, digits 0 to 7 with or without a leading 0.
std::optional<int> parse_octal(std::string_view text);
// What PgBouncer makes of a number in an entry: the leading digits, 0 when there are none.
int parse_leading_integer(std::string_view text);

// A decimal number, not negative, with a unit behind it (us, ms, s, min, h, d) or, without one, of `bare_unit`.
std::optional<Microseconds> parse_duration(std::string_view text, Microseconds bare_unit = std::chrono::seconds{1});
// Decimal seconds as PgBouncer prints them: 15, 1.5, 1e-06.
std::string seconds_text(Microseconds span);
// With the largest unit that leaves a whole number: 5s, 250ms, 2min; 0 has none.
std::string duration_text(Microseconds span);

// Parted by commas, blanks or both.
std::vector<std::string> parse_list(std::string_view text);
std::string list_text(const std::vector<std::string>& list);

}  // namespace pgweir
