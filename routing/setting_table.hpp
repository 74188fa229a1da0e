// The one table of all settings of [pgbouncer]: name, type, place, default, range, what may be done with it, help.
//
// The loader, SHOW CONFIG, SET, --check and docs/settings.md all read it. Order: PgBouncer's order of SHOW CONFIG, then
// the settings of our own.
#pragma once

#include <climits>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "routing/settings.hpp"

namespace pgweir {

enum class SettingType : std::uint8_t {
    boolean,                 // 0, or another integer
    integer,
    bytes,
    octal,
    seconds,                 // decimal seconds
    whole_seconds,
    milliseconds,            // whole
    duration,                // ours: shown with a unit
    text,
    file,
    list,
    choice,
};

using SettingPlace = std::variant<bool Settings::*, int Settings::*, Microseconds Settings::*, std::string Settings::*,
                                  std::vector<std::string> Settings::*, AuthType Settings::*, TlsMode Settings::*,
                                  PoolMode Settings::*, ClientLostQuery Settings::*, LogFormat Settings::*,
                                  LeakAction Settings::*>;

// Of integers as they are, of durations in seconds.
struct SettingRange {
    int least = 0;
    int most = INT_MAX;
};

enum class SettingFlags : std::uint8_t {
    none = 0,
    restart = 1,             // a new value counts from the next start
    later = 2,               // known, but its feature is not there yet: a warning or an error (setting_support.hpp)
    partly = 4,              // some of its values are not there yet
    ours = 8,                // not one of PgBouncer's
    secret = 16,             // the value may hold a password: never in the log
};

constexpr SettingFlags operator|(SettingFlags a, SettingFlags b) {
    return static_cast<SettingFlags>(static_cast<int>(a) | static_cast<int>(b));
}

struct SettingRow {
    std::string_view name;
    SettingType type;
    SettingPlace place;
    const char* default_text;   // null: none, a reload keeps the last value
    SettingRange range;
    SettingFlags flags;
    std::string_view help;

    constexpr bool has(SettingFlags flag) const { return (static_cast<int>(flags) & static_cast<int>(flag)) != 0; }
    constexpr bool is_reloadable() const { return !has(SettingFlags::restart); }
    constexpr bool is_supported() const { return !has(SettingFlags::later); }
};

std::span<const SettingRow> setting_table();
const SettingRow* find_setting(std::string_view name);

// False, with nothing changed, when the text is no value of this setting.
[[nodiscard]] bool assign(Settings& settings, const SettingRow& row, std::string_view text);
void assign_default(Settings& settings, const SettingRow& row);
void copy_setting(Settings& to, const Settings& from, const SettingRow& row);

// As SHOW CONFIG prints it; none: NULL.
std::optional<std::string> setting_text(const Settings& settings, const SettingRow& row);

// The log's line about a new value that nothing but a restart puts in force.
std::string stays_until_restart(const SettingRow& row);

// "20", "0…3", "transaction, session, …": what a message or the manual says about the values that are taken.
std::string allowed_values(const SettingRow& row);

}  // namespace pgweir
