// One line each of [databases], [users] and [peers], as it stands in the file: what a line leaves out stays empty.
//
// Not here: which value wins when several lines name one thing (effective_settings.hpp), how a line is read
// (entry_parser.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "routing/pool_policy.hpp"
#include "routing/time.hpp"

namespace pgweir {

// libpq's words for SCRAM-SHA-256-PLUS.
enum class ChannelBinding : std::uint8_t { disable, prefer, require };
enum class LoadBalanceHosts : std::uint8_t { round_robin, disable };

// Sizes are "not set" when negative or left out. Limits (max_…) are "not set" when 0 or less.
struct DatabaseEntry {
    std::string name;                          // what clients ask for; "*" is the fallback for unlisted names
    std::string dbname;                        // at the server; empty only in the fallback: the name asked for
    std::vector<std::string> hosts;            // names, addresses, "/dir" or "@abstract"; none: unix_socket_dir
    int port = 5432;
    std::string user;                          // forced user; empty: the client's own
    std::optional<std::string> password;       // of the forced user; none: the auth file's
    std::string auth_user;                     // empty: the global one, also for the next two
    std::string auth_query;
    std::string auth_dbname;
    std::optional<int> pool_size;
    std::optional<int> min_pool_size;
    std::optional<int> reserve_pool_size;
    std::optional<PoolMode> pool_mode;
    std::string connect_query;                 // empty: none
    std::optional<Microseconds> query_wait_timeout;
    LoadBalanceHosts load_balance_hosts = LoadBalanceHosts::round_robin;
    int max_db_connections = 0;
    int max_db_client_connections = 0;
    std::optional<Microseconds> server_lifetime;
    std::string client_encoding;               // these four go into the start-up message to the server; empty: left out
    std::string datestyle;
    std::string timezone;
    std::string application_name;
    ChannelBinding channel_binding = ChannelBinding::prefer;
    bool is_auto = false;                      // made from the fallback when a client asked for it

    bool has_forced_user() const { return !user.empty(); }
    bool operator==(const DatabaseEntry&) const = default;
};

struct UserEntry {
    std::string name;
    std::optional<PoolMode> pool_mode;
    std::optional<int> pool_size;
    std::optional<int> reserve_pool_size;
    int max_user_connections = 0;
    int max_user_client_connections = 0;
    std::optional<Microseconds> query_wait_timeout;   // 0: no bound
    Microseconds query_timeout{};                     // these four: 0 is "not set"
    Microseconds idle_transaction_timeout{};
    Microseconds transaction_timeout{};
    Microseconds client_idle_timeout{};

    bool operator==(const UserEntry&) const = default;
};

struct PeerEntry {
    int id = 0;
    std::string host;
    int port = 6432;
    std::optional<int> pool_size;

    bool operator==(const PeerEntry&) const = default;
};

}  // namespace pgweir
