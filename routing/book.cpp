// The book's pools and orders, and the janitor's round.
#include "routing/book.hpp"

#include <algorithm>

namespace pgweir {

Book::Book(int workers, RandomSource& random) : workers_(workers), random_(&random) {}

PoolId Book::find_pool(std::string_view database, std::string_view user) {
    const auto user_bound = limits_.user(user);
    for (const PoolId id : limits_.database_at(limits_.database(database)).pools)
        if (pools_.at(id.index).user_bound == user_bound) return id;
    return {};
}

PoolId Book::pool_for(std::string_view database, std::string_view user, std::shared_ptr<const PoolPolicy> policy, TimePoint now) {
    if (const PoolId known = find_pool(database, user)) return known;
    const auto database_bound = limits_.database(database);
    const auto user_bound = limits_.user(user);
    const PoolId id = pools_.emplace();
    Pool& pool = pools_.at(id.index);
    pool.database = database;
    pool.user = user;
    pool.database_bound = database_bound;
    pool.user_bound = user_bound;
    pool.policy = std::move(policy);
    pool.shares.resize(static_cast<std::size_t>(workers_));
    pool.last_busy_at = now;
    limits_.database_at(database_bound).pools.push_back(id);
    limits_.user_at(user_bound).pools.push_back(id);
    return id;
}

void Book::remove_pool(PoolId id) {
    Pool* pool = pools_.find(id);
    if (pool == nullptr || pool->sessions > 0 || pool->open() > 0 || pool->cancel_connections > 0) return;
    std::erase(limits_.database_at(pool->database_bound).pools, id);
    std::erase(limits_.user_at(pool->user_bound).pools, id);
    std::erase(limits_.refused(), id);
    pools_.erase(id);
}

void Book::set_policy(PoolId id, std::shared_ptr<const PoolPolicy> policy, TimePoint now, BookActions& out) {
    Pool* pool = pools_.find(id);
    if (pool == nullptr) return;
    pool->policy = std::move(policy);
    open_servers(id, *pool, now, out);
}

void Book::set_database_bound(std::string_view name, int servers_max, int clients_max, TimePoint now, BookActions& out) {
    SharedBound& bound = limits_.database_at(limits_.database(name));
    bound.servers_max = servers_max;
    bound.clients_max = clients_max;
    permit_freed(now, out);
}

void Book::set_user_bound(std::string_view name, int servers_max, int clients_max, TimePoint now, BookActions& out) {
    SharedBound& bound = limits_.user_at(limits_.user(name));
    bound.servers_max = servers_max;
    bound.clients_max = clients_max;
    permit_freed(now, out);
}

bool Book::is_paused(const Pool& pool) const {
    return all_paused_ || limits_.databases()[pool.database_bound].paused;
}

void Book::pause(std::string_view database, bool paused) {
    if (database.empty())
        all_paused_ = paused;
    else
        limits_.database_at(limits_.database(database)).paused = paused;
}

void Book::disable(std::string_view database, bool disabled) {
    limits_.database_at(limits_.database(database)).disabled = disabled;
}

void Book::mark_for_close(PoolId id, CloseReason reason) {
    Pool* pool = pools_.find(id);
    if (pool == nullptr) return;
    ++pool->epoch;
    pool->marked_as = reason;
    pool->welcome = nullptr;
    if (reason == CloseReason::target_changed) pool->failure = {};
}

bool Book::has_marked_servers(PoolId id) const {
    const Pool* pool = pools_.find(id);
    if (pool == nullptr || pool->open() == 0) return false;
    for (std::uint32_t i = 0; i < servers_.index_end(); ++i)
        if (servers_.holds(i) && servers_.at(i).pool == id && servers_.at(i).epoch != pool->epoch) return true;
    return false;
}

bool Book::begin_cancel_connection(PoolId id) {
    Pool* pool = pools_.find(id);
    if (pool == nullptr) return false;
    const int bound = pool->policy->cancel_bound;
    if (bound > 0 && pool->open() + pool->cancel_connections >= bound) return false;
    ++pool->cancel_connections;
    return true;
}

void Book::end_cancel_connection(PoolId id) {
    if (Pool* pool = pools_.find(id)) --pool->cancel_connections;
}

bool Book::tick(PoolId id, TimePoint now, BookActions& out) {
    Pool* pool = pools_.find(id);
    if (pool == nullptr) return false;
    if (sweep_connecting(*pool, out) || sweep_own(*pool, out) || sweep_idle(*pool, now, out)) return true;
    keep_minimum(id, *pool, now, out);
    call_servable(id, *pool, out);
    open_servers(id, *pool, now, out);
    if (pool->is_refused) evict_for(id, *pool, now, out);
    return !out.has_room();
}

// Workers where a session waits beside an idle server, as after a pause too short for the janitor: each serves its own.
void Book::call_servable(PoolId id, const Pool& pool, BookActions& out) {
    if (pool.waiting == 0 || is_paused(pool)) return;
    for (int worker = 0; worker < workers_; ++worker) {
        const PoolShare& share = pool.shares[static_cast<std::size_t>(worker)];
        if (share.waiting.count > share.coming && pool.in_state(State::idle) > 0)
            out.add({.kind = BookActionKind::look_again, .worker = static_cast<WorkerId>(worker), .pool = id});
    }
}

// True: `out` is full.
bool Book::sweep_idle(Pool& pool, TimePoint now, BookActions& out) {
    const PoolPolicy& policy = *pool.policy;
    for (PoolShare& share : pool.shares) {
        for (std::uint32_t index = share.idle.tail; index != no_link;) {
            if (!out.has_room()) return true;
            ServerEntry& server = servers_.at(index);
            const auto current = index;
            index = server.previous;
            CloseReason reason = must_close(server, pool, now);
            if (reason == CloseReason::none && policy.server_idle_timeout.count() > 0 &&
                now - server.last_used_at >= policy.server_idle_timeout && pool.logged_in > policy.min_pool_size)
                reason = CloseReason::idle_timeout;
            if (reason == CloseReason::none) continue;
            share.idle.remove(servers_, current);
            close(servers_.id_of(current), server, reason, out);
        }
    }
    return false;
}

bool Book::sweep_connecting(Pool& pool, BookActions& out) {
    while (!pool.connecting.empty() && (is_paused(pool) || servers_.at(pool.connecting.head).epoch != pool.epoch)) {
        if (!out.has_room()) return true;
        const auto index = pool.connecting.head;
        close(servers_.id_of(index), servers_.at(index), is_paused(pool) ? CloseReason::pause_mode : pool.marked_as, out);
    }
    return false;
}

// One connection a round, within every bound; it neither evicts nor queues.
void Book::keep_minimum(PoolId id, Pool& pool, TimePoint now, BookActions& out) {
    const PoolPolicy& policy = *pool.policy;
    if (pool.sessions == 0 && !policy.has_forced_user) return;
    const int bound = policy.pool_size == 0 ? policy.min_pool_size : std::min(policy.min_pool_size, policy.pool_size);
    if (pool.open() >= bound || !may_open(pool, now) || full_bound(pool) != nullptr) return;
    if (pool.failure.attempts > 0 && !pool.connecting.empty()) return;
    open_one(id, pool, now, out);
}

}  // namespace pgweir
