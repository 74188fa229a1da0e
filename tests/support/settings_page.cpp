#include "tests/support/settings_page.hpp"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "routing/entry_parser.hpp"
#include "routing/setting_table.hpp"

namespace pgweir {

namespace {

constexpr const char* head = R"(# Settings

Made from the table in `routing/setting_table.cpp` by `routing_test "[.write-settings-page]"`; a test fails when the two
differ, so change the table, not this page.

Settings stand in the section `[pgbouncer]` (or `[pgweir]`, which is the same section). Each can also be given in the
environment as `PGWEIR_<NAME>`, e.g. `PGWEIR_POOL_MODE=transaction`. Command line wins over environment, environment
over file, file over default; values from the first two stay over RELOAD, a console `SET` holds until RELOAD.

* **Times** are decimal seconds; a unit may follow (`us`, `ms`, `s`, `min`, `h`, `d`), e.g. `250ms`.
* **Whole numbers** may be octal (`0777`) or hexadecimal (`0x1f`); **0/1** takes any number, of which 0 is off.
* **Lists** are parted by commas or blanks. **Words** may be in any case.
* **reload: no** means that a new value counts from the next start; until then RELOAD and SET leave it as it is.
* **not yet** means: known from PgBouncer's configuration and taken with one warning, but without effect so far. Where
  that would weaken security (`auth_hba_file`, `auth_type` hba, ldap or pam) the
  configuration is refused instead. **in part**: some values are like this.
)";

constexpr const char* entries_head = R"(
## Entries

`[databases]`, `[users]` and `[peers]` hold lines `name = key=value key=value …`. A value with blanks stands in single
quotes, `''` inside is one quote. Integers are read by their leading digits, times are whole seconds or have a unit. The
name `*` of `[databases]` serves every database that is not listed; `pgbouncer` is reserved. `host` takes a comma list,
`load_balance_hosts` is `round-robin` or `disable`, and `reserve_pool` is another name of `reserve_pool_size`.

| section | keys | not yet |
| --- | --- | --- |
)";

constexpr const char* entries_foot = R"(
A user's value wins over the database's, and that over the global one. Pool sizes and server-side timeouts go by the
user of the pool (the entry's `user`, else the client's), client-side limits and timeouts by the client's own.
)";

// Every key of an entry but its other names; of those that a setting of [pgbouncer] stands for, that one says whether
// it is carried out.
template <class Entry>
std::string entry_row(std::string_view section, bool is_section_supported = true) {
    std::vector<std::string_view> supported;
    std::vector<std::string_view> later;
    for (const auto& parameter : parameters_of(Entry{})) {
        const auto* row = find_setting(parameter.key);
        const bool is_supported = is_section_supported && (parameter.key == "user" || !row || row->is_supported());
        (is_supported ? supported : later).push_back(parameter.key);
    }
    return fmt::format("| {} | {} | {} |\n", section, fmt::join(supported, ", "), fmt::join(later, ", "));
}

std::string default_cell(const SettingRow& row) {
    if (!row.default_text) return "none";
    return *row.default_text ? fmt::format("`{}`", row.default_text) : "empty";
}

std::string_view support_cell(const SettingRow& row) {
    if (row.has(SettingFlags::later)) return "not yet";
    return row.has(SettingFlags::partly) ? "in part" : "yes";
}

void append_table(std::string& page, bool ours) {
    page += "| setting | default | values | reload | supported | meaning |\n| --- | --- | --- | --- | --- | --- |\n";
    for (const auto& row : setting_table()) {
        if (row.has(SettingFlags::ours) != ours) continue;
        page += fmt::format("| {} | {} | {} | {} | {} | {} |\n", row.name, default_cell(row), allowed_values(row),
                            row.is_reloadable() ? "yes" : "no", support_cell(row), row.help);
    }
}

}  // namespace

std::string settings_page() {
    std::string page = head;
    page += "\n## PgBouncer's settings\n\n";
    append_table(page, false);
    page += "\n## Our own settings\n\n";
    append_table(page, true);
    page += entries_head;
    page += entry_row<DatabaseEntry>("databases");
    page += entry_row<UserEntry>("users");
    page += entry_row<PeerEntry>("peers", find_setting("peer_id")->is_supported());
    return page + entries_foot;
}

}  // namespace pgweir
