// From text to settings: reads a configuration file and its includes, lays environment and command line over it, and
// checks the whole.
//
// Promises: all or nothing. Every mistake is reported, each with FILE:LINE, and with one mistake there are no settings.
// Not here: opening files (the caller's FileReader does), the grammar (ini_reader.hpp), the names (setting_table.hpp).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routing/database_url.hpp"
#include "routing/file_reader.hpp"
#include "routing/settings.hpp"

namespace pgweir {

// A setting from elsewhere than the file, e.g. {"pool_mode", "transaction", "PGWEIR_POOL_MODE"}.
struct SettingOverride {
    std::string key;
    std::string value;
    std::string origin;                        // how a message names the place
};

struct LoadRequest {
    std::string path;                          // the configuration file; empty: none
    std::optional<DatabaseUrl> upstream{};     // --upstream: its entry and its own defaults
    std::vector<SettingOverride> overrides{};  // win over the file, the last one most: environment, then command line
    const Settings* running = nullptr;         // at a reload: what no reload changes is taken from here
};

struct LoadResult {
    std::shared_ptr<const Settings> settings;  // null when there are errors
    std::vector<std::string> errors;           // lines for the log or for --check
    std::vector<std::string> warnings;
};

LoadResult load_settings(const LoadRequest& request, FileReader& files);

// The settings that the environment gives as PGWEIR_<NAME>; other PGWEIR_* variables are never looked at.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& variable)>;
std::vector<SettingOverride> settings_from_environment(const EnvironmentLookup& lookup);

}  // namespace pgweir
