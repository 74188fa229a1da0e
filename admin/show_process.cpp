// SHOW of what concerns the process: LISTS, CONFIG, MEM, STATE, FDS, VERSION, DNS_HOSTS, DNS_ZONES, and the fixed parameters.

#include "admin/show_rows.hpp"
#include "admin/version.hpp"
#include "routing/settings_console.hpp"

namespace pgweir::rows {

namespace {

const char* yes_or_no(bool value) { return value ? "yes" : "no"; }

}  // namespace

std::vector<Row> lists(const Inventory& inventory) {
    const auto& counts = inventory.counts;
    return {
        {"databases", counts.databases},
        {"users", counts.users},
        {"peers", counts.peers},
        {"pools", counts.pools},
        {"peer_pools", counts.peer_pools},
        {"free_clients", counts.free_clients},
        {"used_clients", counts.used_clients},
        {"login_clients", counts.login_clients},
        {"free_servers", counts.free_servers},
        {"used_servers", counts.used_servers},
        {"dns_names", counts.dns_names},
        {"dns_zones", counts.dns_zones},
        {"dns_queries", counts.dns_queries},
        {"dns_pending", counts.dns_pending},
    };
}

std::vector<Row> config(const Inventory& inventory) {
    std::vector<Row> rows;
    if (!inventory.settings) return rows;
    for (const auto& setting : show_config(*inventory.settings))
        rows.push_back({setting.key, setting.value, setting.default_value, yes_or_no(setting.changeable)});
    return rows;
}

std::vector<Row> mem(const Inventory& inventory) {
    std::vector<Row> rows;
    for (const auto& kind : inventory.memory) rows.push_back({kind.name, kind.size, kind.used, kind.free, kind.memtotal});
    return rows;
}

std::vector<Row> state(const Inventory& inventory) {
    const auto is = [&](ProcessState state) { return yes_or_no(inventory.state == state); };
    return {
        {"active", is(ProcessState::active)},
        {"paused", is(ProcessState::paused)},
        {"suspended", is(ProcessState::suspended)},
    };
}

std::vector<Row> fds(const Inventory& inventory) {
    std::vector<Row> rows;
    for (const auto& row : inventory.fds)
        rows.push_back({row.fd, row.task, row.user, row.database, row.addr, row.port, row.cancel, row.link, row.client_encoding,
                        row.std_strings, row.datestyle, row.timezone, row.password, row.scram_client_key, row.scram_server_key});
    return rows;
}

std::vector<Row> version(const Inventory&) { return {{version_text}}; }

std::vector<Row> dns_hosts(const Inventory& inventory) {
    std::vector<Row> rows;
    for (const auto& host : inventory.dns_hosts) rows.push_back({host.hostname, host.ttl, host.addrs});
    return rows;
}

// Zones are not watched: names are resolved by the system.
std::vector<Row> dns_zones(const Inventory&) { return {}; }

std::vector<Row> client_encoding(const Inventory&) { return {{"UTF-8"}}; }
std::vector<Row> default_transaction_isolation(const Inventory&) { return {{"read committed"}}; }
std::vector<Row> standard_conforming_strings(const Inventory&) { return {{"on"}}; }
std::vector<Row> datestyle(const Inventory&) { return {{"ISO"}}; }
std::vector<Row> timezone(const Inventory&) { return {{"GMT"}}; }

}  // namespace pgweir::rows
