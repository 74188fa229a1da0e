// Settings that PgBouncer knows and we do not carry out yet: told once, or refused where silence would be unsafe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "routing/setting_table.hpp"

namespace pgweir {

enum class Support : std::uint8_t {
    full,                    // carried out, or not asked for
    no_effect,               // worth a warning
    refused,                 // to ignore it would weaken security
};

struct SupportVerdict {
    Support support = Support::full;
    std::string message;     // a line without the place
};

SupportVerdict support_of(const SettingRow& row, const Settings& settings);

// Warnings about keys of entries that have no effect yet; one for each key.
std::vector<std::string> unsupported_in_entries(const Settings& settings);

}  // namespace pgweir
