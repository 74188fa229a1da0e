#include <algorithm>

#include "routing/setting_table.hpp"
#include "routing/settings_loader.hpp"

namespace pgweir {

namespace {

std::string variable_of(std::string_view name) {
    std::string variable{"PGWEIR_"};
    std::ranges::transform(name, std::back_inserter(variable),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; });
    return variable;
}

}  // namespace

std::vector<SettingOverride> settings_from_environment(const EnvironmentLookup& lookup) {
    std::vector<SettingOverride> overrides;
    for (const auto& row : setting_table()) {
        auto variable = variable_of(row.name);
        if (auto value = lookup(variable))
            overrides.push_back({std::string{row.name}, *std::move(value), std::move(variable)});
    }
    return overrides;
}

}  // namespace pgweir
