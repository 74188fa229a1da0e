// The value of an entry: `key=value` pairs parted by blanks, values with blanks in single quotes, '' for one quote.
//
// Not here: which keys there are (entry_parser.hpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir {

struct ConnectionParameter {
    std::string key;
    std::string value;                         // never empty

    bool operator==(const ConnectionParameter&) const = default;
};

// None: a syntax error (no key, no "=", an empty value, an open quote).
std::optional<std::vector<ConnectionParameter>> parse_connection_string(std::string_view text);

}  // namespace pgweir
