#include "routing/settings_console.hpp"

#include <fmt/format.h>

#include "routing/console_name.hpp"
#include "routing/entry_parser.hpp"
#include "routing/setting_support.hpp"
#include "routing/setting_table.hpp"

namespace pgweir {

namespace {

constexpr std::string_view nothing = "(none)";

std::string_view shown(const std::string& text) { return text.empty() ? nothing : text; }

std::string change_line(std::string_view key, const std::string& before, const std::string& after, bool is_secret) {
    if (is_secret) return fmt::format("{}: changed", key);
    return fmt::format("{}: {} -> {}", key, shown(before), shown(after));
}

template <class Entry>
void describe_entry(std::string_view who, const Entry& before, const Entry& after, std::vector<std::string>& lines) {
    const auto old_parameters = parameters_of(before);
    const auto new_parameters = parameters_of(after);
    for (std::size_t i = 0; i < old_parameters.size(); ++i) {
        const auto& [key, text, is_secret] = old_parameters[i];
        if (text == new_parameters[i].text) continue;
        lines.push_back(change_line(fmt::format("{} {}", who, key), text, new_parameters[i].text, is_secret));
    }
}

// Both lists are sorted by `key`.
template <class Entry, class Key>
void describe_entries(std::string_view kind, const std::vector<Entry>& before, const std::vector<Entry>& after,
                      Key Entry::*key, std::vector<std::string>& lines) {
    auto was = before.begin();
    auto is = after.begin();
    while (was != before.end() || is != after.end()) {
        if (is == after.end() || (was != before.end() && (*was).*key < (*is).*key)) {
            lines.push_back(fmt::format("{} {}: removed", kind, (*was++).*key));
        } else if (was == before.end() || (*is).*key < (*was).*key) {
            lines.push_back(fmt::format("{} {}: added", kind, (*is++).*key));
        } else {
            describe_entry(fmt::format("{} {}", kind, (*was).*key), *was, *is, lines);
            ++was, ++is;
        }
    }
}

}  // namespace

std::vector<ConfigRow> show_config(const Settings& settings) {
    std::vector<ConfigRow> rows;
    for (const auto& row : setting_table()) {
        std::optional<std::string> default_value;
        if (row.default_text) default_value = row.default_text;
        rows.push_back({row.name, setting_text(settings, row), std::move(default_value), row.is_reloadable()});
    }
    return rows;
}

SetResult apply_set(Settings& settings, std::string_view key, std::string_view value) {
    const auto* row = find_setting(key);
    if (!row) return {SetOutcome::unknown_key, fmt::format("unknown parameter: {}", key)};
    Settings changed = settings;
    const bool taken = assign(changed, *row, value);
    if (!row->is_reloadable()) {
        const bool is_other = !taken || changed != settings;
        return {SetOutcome::unchanged_until_restart, is_other ? stays_until_restart(*row) : std::string{}};
    }
    if (!taken) {
        return {SetOutcome::bad_value, fmt::format("invalid value \"{}\" for parameter {}, expected {}", value, key,
                                                   allowed_values(*row))};
    }
    if (is_console_database(changed.auth_dbname))
        return {SetOutcome::bad_value, fmt::format("cannot use the reserved \"{}\" database as an auth_dbname", changed.auth_dbname)};
    auto verdict = support_of(*row, changed);
    if (verdict.support == Support::refused) return {SetOutcome::unsupported, std::move(verdict.message)};

    settings = std::move(changed);
    return {SetOutcome::done, std::move(verdict.message)};
}

std::vector<std::string> describe_changes(const Settings& before, const Settings& after) {
    std::vector<std::string> lines;
    for (const auto& row : setting_table()) {
        const auto was = setting_text(before, row).value_or("");
        const auto is = setting_text(after, row).value_or("");
        if (was != is) lines.push_back(change_line(row.name, was, is, row.has(SettingFlags::secret)));
    }
    describe_entries("database", before.databases, after.databases, &DatabaseEntry::name, lines);
    describe_entries("user", before.users, after.users, &UserEntry::name, lines);
    describe_entries("peer", before.peers, after.peers, &PeerEntry::id, lines);
    return lines;
}

}  // namespace pgweir
