#include "routing/effective_settings.hpp"

#include <algorithm>
#include <climits>
#include <cstdint>
#include <optional>

namespace pgweir {

namespace {

// The user's line of [users], or one with nothing set.
const UserEntry& user_entry(const Settings& settings, std::string_view name) {
    static const UserEntry nothing_set;
    const auto* entry = settings.find_user(name);
    return entry ? *entry : nothing_set;
}

template <class Value>
Value first_set(const std::optional<Value>& a, const std::optional<Value>& b, Value otherwise) {
    return a ? *a : b.value_or(otherwise);
}

// Limits: 0 or less is "not set", and no bound at all when no place sets one.
int first_limit(int own, int global) { return own > 0 ? own : std::max(0, global); }

Microseconds first_timeout(Microseconds own, Microseconds global) { return own > Microseconds{0} ? own : global; }

PoolMode pool_mode(const Settings& settings, const DatabaseEntry& entry, const UserEntry& user) {
    return first_set(user.pool_mode, entry.pool_mode, settings.pool_mode);
}

int cancel_bound(int pool_size) { return pool_size > INT_MAX / 2 ? 0 : 2 * pool_size; }

// In the file the word <empty> is an empty query, in a policy an empty text is no check.
std::string check_query(const std::string& setting) { return setting == "<empty>" ? ";" : setting; }

}  // namespace

std::string_view pool_user(const DatabaseEntry& entry, std::string_view login_user) {
    return entry.has_forced_user() ? std::string_view{entry.user} : login_user;
}

PoolPolicy pool_policy(const Settings& settings, const DatabaseEntry& entry, std::string_view pool_user) {
    const auto& user = user_entry(settings, pool_user);
    PoolPolicy policy;
    policy.mode = pool_mode(settings, entry, user);
    policy.pool_size = std::max(0, first_set(user.pool_size, entry.pool_size, settings.default_pool_size));
    policy.min_pool_size = std::max(0, entry.min_pool_size.value_or(settings.min_pool_size));
    policy.reserve_pool_size =
        std::max(0, first_set(user.reserve_pool_size, entry.reserve_pool_size, settings.reserve_pool_size));
    policy.reserve_pool_timeout = settings.reserve_pool_timeout;
    policy.has_forced_user = entry.has_forced_user();
    policy.round_robin = settings.server_round_robin;
    policy.server_idle_timeout = settings.server_idle_timeout;
    policy.server_lifetime = entry.server_lifetime.value_or(settings.server_lifetime);
    policy.server_check_delay = settings.server_check_delay;
    policy.server_connect_timeout = settings.server_connect_timeout;
    policy.server_login_retry = settings.server_login_retry;
    policy.server_check_query = check_query(settings.server_check_query);
    policy.server_reset_query = settings.server_reset_query;
    policy.server_reset_query_always = settings.server_reset_query_always;
    policy.server_fast_close = settings.server_fast_close;
    policy.cancel_bound = cancel_bound(policy.pool_size);
    return policy;
}

SessionPolicy session_policy(const Settings& settings, const DatabaseEntry& entry, std::string_view pool_user,
                             std::string_view login_user) {
    const auto& user = user_entry(settings, pool_user);
    const auto& client = user_entry(settings, login_user);
    SessionPolicy policy;
    policy.mode = pool_mode(settings, entry, user);
    policy.statements_max = policy.mode == PoolMode::session ? 0 : settings.max_prepared_statements;
    policy.query_timeout = first_timeout(user.query_timeout, settings.query_timeout);
    policy.idle_transaction_timeout = first_timeout(user.idle_transaction_timeout, settings.idle_transaction_timeout);
    policy.transaction_timeout = first_timeout(user.transaction_timeout, settings.transaction_timeout);
    policy.client_idle_timeout = first_timeout(client.client_idle_timeout, settings.client_idle_timeout);
    policy.query_wait_timeout =
        first_set(client.query_wait_timeout, entry.query_wait_timeout, settings.query_wait_timeout);
    policy.query_wait_notify = settings.query_wait_notify;
    policy.client_lost_query = settings.client_lost_query;
    policy.client_lost_drain = settings.client_lost_drain;
    policy.max_packet_size = static_cast<std::uint32_t>(settings.max_packet_size);
    policy.refuse_simple_query = settings.disable_pqexec;
    return policy;
}

SessionPolicy replication_policy(SessionPolicy policy) {
    policy.mode = PoolMode::session;
    policy.statements_max = 0;
    policy.query_timeout = policy.transaction_timeout = Microseconds{0};
    return policy;
}

int max_db_connections(const Settings& settings, const DatabaseEntry& entry) {
    return first_limit(entry.max_db_connections, settings.max_db_connections);
}

int max_db_client_connections(const Settings& settings, const DatabaseEntry& entry) {
    return first_limit(entry.max_db_client_connections, settings.max_db_client_connections);
}

int max_user_connections(const Settings& settings, std::string_view pool_user) {
    return first_limit(user_entry(settings, pool_user).max_user_connections, settings.max_user_connections);
}

int max_user_client_connections(const Settings& settings, std::string_view login_user) {
    return first_limit(user_entry(settings, login_user).max_user_client_connections,
                       settings.max_user_client_connections);
}

}  // namespace pgweir
