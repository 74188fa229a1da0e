#include "routing/setting_support.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgweir {

namespace {

bool is_supported(std::string_view name) {
    const auto* row = find_setting(name);
    return row && row->is_supported();
}

Support auth_type_support(AuthType type) {
    switch (type) {
        case AuthType::hba:
        case AuthType::ldap:
        case AuthType::pam: return Support::refused;
        default: return Support::full;
    }
}

Support support_of_value(const SettingRow& row, const Settings& settings) {
    if (row.name == "auth_type") return auth_type_support(settings.auth_type);
    if (row.name == "auth_hba_file") return Support::refused;
    return Support::no_effect;
}

}  // namespace

SupportVerdict support_of(const SettingRow& row, const Settings& settings) {
    static const Settings defaults;
    if (!row.has(SettingFlags::later | SettingFlags::partly)) return {};
    const auto value = setting_text(settings, row);
    if (value == setting_text(defaults, row)) return {};

    const auto support = support_of_value(row, settings);
    const auto shown = row.has(SettingFlags::secret) ? std::string{row.name}
                                                     : fmt::format("{}={}", row.name, value.value_or(""));
    switch (support) {
        case Support::full: return {};
        case Support::no_effect: return {support, fmt::format("{} is not supported yet and has no effect", shown)};
        case Support::refused:
            return {support, fmt::format("{} is not supported yet, and to ignore it would weaken security", shown)};
    }
    return {};
}

std::vector<std::string> unsupported_in_entries(const Settings& settings) {
    std::vector<std::string> warnings;
    const auto warn = [&](std::string_view key, std::string_view section) {
        warnings.push_back(fmt::format("{} in [{}] is not supported yet and has no effect", key, section));
    };
    const auto any_has = [&](auto place) {
        return std::ranges::any_of(settings.databases, [&](const auto& entry) { return !(entry.*place).empty(); });
    };
    if (!is_supported("auth_user") && any_has(&DatabaseEntry::auth_user)) warn("auth_user", "databases");
    if (!is_supported("auth_query") && any_has(&DatabaseEntry::auth_query)) warn("auth_query", "databases");
    if (!is_supported("auth_dbname") && any_has(&DatabaseEntry::auth_dbname)) warn("auth_dbname", "databases");
    if (!is_supported("peer_id") && !settings.peers.empty())
        warnings.emplace_back("[peers] is not supported yet and has no effect");
    return warnings;
}

}  // namespace pgweir
