// What SHOW can show. The fixed ones are parameters that drivers ask for at their start.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pgweir {

enum class ShowKind : std::uint8_t {
    clients, servers, sockets, active_sockets, pools, peer_pools, databases, peers, users, lists,
    stats, stats_totals, stats_averages, totals, config, mem, state, version, dns_hosts, dns_zones,
    client_encoding, default_transaction_isolation, standard_conforming_strings, datestyle, timezone,
    fds,
    help,                      // no rows: a notice
    count_
};

std::optional<ShowKind> show_kind_of(std::string_view word);   // in any case

// Fixed values, which the console's SET leaves as they are.
constexpr bool is_fixed(ShowKind kind) { return kind >= ShowKind::client_encoding && kind <= ShowKind::timezone; }

}  // namespace pgweir
