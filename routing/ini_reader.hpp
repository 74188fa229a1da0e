// The grammar of the configuration file: sections, keys, comments, %include.
//
// Promises: goes on behind a line that makes no sense, so that one pass finds every mistake; reads no file twice at
// once without end (includes nest at most `include_depth_max` deep).
// Not here: what sections and keys mean (settings_loader.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "routing/file_reader.hpp"

namespace pgweir {

inline constexpr int include_depth_max = 10;

enum class IniKind : std::uint8_t { section, pair, error };

struct IniItem {
    IniKind kind;
    std::string key;                           // the section's name, the key, or the error's text
    std::string value;                         // of a pair
    std::string place;                         // "FILE:LINE"

    bool operator==(const IniItem&) const = default;
};

// The items of a file and of what it includes, in order.
std::vector<IniItem> read_ini(const std::string& path, FileReader& files);

}  // namespace pgweir
