// What the settings come to for one pool (database, user) and for one of its sessions: the effective values, globals
// and overrides already resolved (CONTRACT of PgBouncer, "Entries of [databases], [users]").
//
// Immutable: a reload makes new ones. Durations of zero mean "off" unless said otherwise.
#pragma once

#include <cstdint>
#include <string>

#include "routing/time.hpp"

namespace pgweir {

enum class PoolMode : std::uint8_t { session, transaction, statement };
enum class ClientLostQuery : std::uint8_t { finish, cancel };

struct PoolPolicy {
    PoolMode mode = PoolMode::session;
    int pool_size = 20;                       // 0: no bound
    int min_pool_size = 0;
    int reserve_pool_size = 0;
    Microseconds reserve_pool_timeout{};
    bool has_forced_user = false;
    bool round_robin = false;                 // server_round_robin
    Microseconds server_idle_timeout{};
    Microseconds server_lifetime{};           // 0: a server serves once
    Microseconds server_check_delay{};
    Microseconds server_connect_timeout{};
    Microseconds server_login_retry{};        // ceiling of the backoff
    std::string server_check_query;           // empty: no check; ";" stands for the empty query
    std::string server_reset_query;           // empty: none
    bool server_reset_query_always = false;
    bool server_fast_close = false;
    int cancel_bound = 40;                    // pool connections and cancel connections together; 0: no bound

    bool operator==(const PoolPolicy&) const = default;
};

struct SessionPolicy {
    PoolMode mode = PoolMode::session;
    int statements_max = 0;                   // prepared statements kept on a server connection; 0: names are passed on
    Microseconds query_timeout{};
    Microseconds query_wait_timeout{};
    Microseconds query_wait_notify{};
    Microseconds idle_transaction_timeout{};
    Microseconds transaction_timeout{};
    Microseconds client_idle_timeout{};
    ClientLostQuery client_lost_query = ClientLostQuery::finish;
    Microseconds client_lost_drain{5'000'000};
    std::uint32_t max_packet_size = 0x7fffffff;
    bool refuse_simple_query = false;         // disable_pqexec

    // One of the timeouts that run while a server is linked is set.
    bool limits_linked() const { return (query_timeout.count() | idle_transaction_timeout.count() | transaction_timeout.count()) != 0; }
    bool operator==(const SessionPolicy&) const = default;
};

}  // namespace pgweir
