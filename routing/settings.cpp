#include "routing/settings.hpp"

#include <algorithm>

namespace pgweir {

namespace {

template <class Entry>
const Entry* find_by_name(const std::vector<Entry>& entries, std::string_view name) {
    const auto found = std::ranges::lower_bound(entries, name, {}, &Entry::name);
    return found != entries.end() && found->name == name ? &*found : nullptr;
}

}  // namespace

const DatabaseEntry* Settings::find_database(std::string_view name) const { return find_by_name(databases, name); }

const UserEntry* Settings::find_user(std::string_view name) const { return find_by_name(users, name); }

DatabaseEntry auto_database(const DatabaseEntry& fallback, std::string_view name) {
    DatabaseEntry entry = fallback;
    entry.name = name;
    if (entry.dbname.empty()) entry.dbname = name;
    entry.is_auto = true;
    return entry;
}

}  // namespace pgweir
