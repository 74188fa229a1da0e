// What the console does with settings: SHOW CONFIG, SET, and the lines that a reload writes to the log.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routing/settings.hpp"

namespace pgweir {

struct ConfigRow {
    std::string_view key;
    std::optional<std::string> value;
    std::optional<std::string> default_value;
    bool changeable;
};

// In PgBouncer's order, our own settings behind it.
std::vector<ConfigRow> show_config(const Settings& settings);

enum class SetOutcome {
    done,
    unchanged_until_restart,                   // not reloadable: reported as success, without effect
    unknown_key,
    bad_value,
    unsupported,                               // the feature is not there, and to ignore it would weaken security
};

struct SetResult {
    SetOutcome outcome;
    std::string message;                       // a line for the log: the error, or a warning beside success

    bool failed() const { return outcome > SetOutcome::unchanged_until_restart; }
};

// Changes one field of `settings`, which the caller has copied from the snapshot in force; touches nothing on failure.
SetResult apply_set(Settings& settings, std::string_view key, std::string_view value);

// One line for each difference, `key: old -> new`. Never shows a secret.
std::vector<std::string> describe_changes(const Settings& before, const Settings& after);

}  // namespace pgweir
