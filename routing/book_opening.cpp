// The book's side of bounds: whether a server connection is opened, which pool gets a freed permit, who is evicted.
#include <algorithm>

#include "routing/book.hpp"

namespace pgweir {

// Opens a connection for each waiting session that has none coming, as far as the bounds allow.
void Book::open_servers(PoolId id, Pool& pool, TimePoint now, BookActions& out) {
    if (pool.awaiting_own > 0) open_own_servers(id, pool, now, out);
    const int bound = keeping_bound(*pool.policy);
    if ((bound > 0 && pool.open() >= bound) || !may_open(pool, now)) return;
    PoolLoad load = pool.load(sessions_, now);
    load.own = 0;
    int wanted = servers_to_open(load);
    // One attempt at a time while the server cannot be reached.
    if (pool.failure.attempts > 0) wanted = pool.connecting.empty() ? std::min(wanted, 1) : 0;
    while (wanted-- > 0 && out.has_room())
        if (!open_one(id, pool, now, out)) return;
}

bool Book::may_open(const Pool& pool, TimePoint now) const {
    if (is_paused(pool) || shutting_down_) return false;
    return pool.failure.attempts == 0 || now >= pool.failure.retry_at;
}

// Would it open a connection now, if no shared bound were full?
bool Book::opens_now(const Pool& pool, TimePoint now) const {
    if (is_paused(pool) || shutting_down_) return false;
    if (pool.awaiting_own > 0) return true;
    const bool one_at_a_time = pool.failure.attempts > 0 && !pool.connecting.empty();
    return may_open(pool, now) && !one_at_a_time;
}

// Connections it would open now if no other pool were there.
int Book::unmet_now(const Pool& pool, TimePoint now) const {
    if (is_paused(pool) || shutting_down_) return 0;
    PoolLoad load = pool.load(sessions_, now);
    if (!may_open(pool, now)) load.waiting = 0;
    return servers_to_open(load);
}

bool Book::open_next(PoolId id, Pool& pool, TimePoint now, BookActions& out) {
    return pool.awaiting_own > 0 ? open_own(id, pool, now, out) : open_one(id, pool, now, out);
}

// With a permit from every shared bound, or not at all. `owner`: for this session alone.
bool Book::open_one(PoolId id, Pool& pool, TimePoint now, BookActions& out, SessionId owner) {
    if (full_bound(pool) != nullptr) {
        remember_refused(id, pool);
        evict_for(id, pool, now, out);
        return false;
    }
    const WorkerId worker = owner ? sessions_.at(owner.index).worker : worker_for_opening(pool);
    const ServerId server_id = servers_.emplace(ServerEntry{
        .pool = id,
        .worker = worker,
        .epoch = pool.epoch,
        .owner = owner,
        .connected_at = now,
        .last_used_at = now,
        .lifetime = lifetime_with_jitter(pool.policy->server_lifetime, random_->next())});
    ServerEntry& server = servers_.at(server_id.index);
    ++limits_.database_at(pool.database_bound).servers;
    ++limits_.user_at(pool.user_bound).servers;
    ++pool.open_count;
    count(pool, server, +1);
    (owner ? pool.own : pool.connecting).push_back(servers_, server_id.index);
    pool.last_busy_at = now;
    const int pool_size = pool.policy->pool_size;
    out.add({.kind = BookActionKind::open,
             .worker = worker,
             .from_reserve = pool_size > 0 && pool.open() > pool_size,
             .server = server_id,
             .session = owner,
             .pool = id});
    return true;
}

SharedBound* Book::full_bound(const Pool& pool) {
    SharedBound& database = limits_.database_at(pool.database_bound);
    if (database.is_full()) return &database;
    SharedBound& user = limits_.user_at(pool.user_bound);
    return user.is_full() ? &user : nullptr;
}

// The worker whose longest waiting session has no server coming; else one that awaits a welcome; else any.
WorkerId Book::worker_for_opening(const Pool& pool) const {
    WorkerId best = no_worker;
    std::uint64_t best_ticket = UINT64_MAX;
    for (int worker = 0; worker < workers_; ++worker) {
        const PoolShare& share = pool.shares[static_cast<std::size_t>(worker)];
        const bool waits = share.waiting.count > share.coming;
        if (!waits && share.awaiting_welcome.empty()) continue;
        const auto head = waits ? share.waiting.head : share.awaiting_welcome.head;
        if (sessions_.at(head).ticket >= best_ticket) continue;
        best_ticket = sessions_.at(head).ticket;
        best = static_cast<WorkerId>(worker);
    }
    return best == no_worker ? static_cast<WorkerId>(static_cast<int>(servers_.live()) % workers_) : best;
}

void Book::remember_refused(PoolId id, Pool& pool) {
    if (pool.is_refused) return;
    pool.is_refused = true;
    limits_.refused().push_back(id);
}

// Connections that refused pools would open under this bound.
int Book::unmet_under(const SharedBound& bound, TimePoint now) {
    int unmet = 0;
    for (const PoolId id : limits_.refused()) {
        const Pool& pool = pools_.at(id.index);
        const bool applies = &limits_.database_at(pool.database_bound) == &bound || &limits_.user_at(pool.user_bound) == &bound;
        if (applies) unmet += unmet_now(pool, now);
    }
    return unmet;
}

// Makes room for a refused pool by closing idle servers of its neighbours: under each full bound, as many as are missed.
void Book::evict_for(PoolId id, Pool& pool, TimePoint now, BookActions& out) {
    for (SharedBound* bound : {&limits_.database_at(pool.database_bound), &limits_.user_at(pool.user_bound)}) {
        if (!bound->is_full()) continue;
        const int unmet = unmet_under(*bound, now);
        while (bound->evicting < unmet && out.has_room())
            if (!evict_one(*bound, id, out)) break;
    }
}

// The longest idle server under this bound, of another pool; of the same one if a session there wants one of its own.
bool Book::evict_one(SharedBound& bound, PoolId for_pool, BookActions& out) {
    std::uint32_t oldest = no_link;
    for (const PoolId id : bound.pools) {
        if (id == for_pool && pools_.at(id.index).awaiting_own == 0) continue;
        for (const PoolShare& share : pools_.at(id.index).shares) {
            if (share.idle.empty()) continue;
            if (oldest == no_link || servers_.at(share.idle.tail).last_used_at < servers_.at(oldest).last_used_at)
                oldest = share.idle.tail;
        }
    }
    if (oldest == no_link) return false;
    ServerEntry& server = servers_.at(oldest);
    Pool& pool = pools_.at(server.pool.index);
    pool.shares[server.worker].idle.remove(servers_, oldest);
    SharedBound& database = limits_.database_at(pool.database_bound);
    SharedBound& user = limits_.user_at(pool.user_bound);
    // One of the very pool makes room under both.
    const bool under_both = server.pool == for_pool && database.is_full() && user.is_full();
    server.evicted_for_database = under_both || &bound == &database;
    server.evicted_for_user = under_both || &bound == &user;
    if (server.evicted_for_database) ++database.evicting;
    if (server.evicted_for_user) ++user.evicting;
    close(servers_.id_of(oldest), server, CloseReason::evicted, out);
    return true;
}

// A server that would be parked while another pool was refused under a full bound that it counts against gives way.
bool Book::is_wanted_elsewhere(PoolId id, const Pool& pool, ServerEntry& server, TimePoint now) {
    if (limits_.refused().empty()) return false;
    for (const PoolId other_id : limits_.refused()) {
        if (other_id == id) continue;
        const Pool& other = pools_.at(other_id.index);
        if (unmet_now(other, now) == 0) continue;
        SharedBound& database = limits_.database_at(pool.database_bound);
        if (other.database_bound == pool.database_bound && database.is_full() && database.evicting < unmet_under(database, now)) {
            server.evicted_for_database = true;
            ++database.evicting;
            return true;
        }
        SharedBound& user = limits_.user_at(pool.user_bound);
        if (other.user_bound == pool.user_bound && user.is_full() && user.evicting < unmet_under(user, now)) {
            server.evicted_for_user = true;
            ++user.evicting;
            return true;
        }
    }
    return false;
}

// A permit has come back, or a bound was raised: the refused pool with the oldest waiting session that all its bounds
// allow opens a connection; so on until no more can.
void Book::permit_freed(TimePoint now, BookActions& out) {
    auto& refused = limits_.refused();
    for (;;) {
        std::erase_if(refused, [&](PoolId id) {
            Pool& pool = pools_.at(id.index);
            pool.is_refused = pool.unmet(sessions_, now) > 0;
            return !pool.is_refused;
        });
        PoolId best{};
        TimePoint oldest = never;
        for (const PoolId id : refused) {
            Pool& pool = pools_.at(id.index);
            const TimePoint since = pool.oldest_wait_since(sessions_);
            if (since < oldest && full_bound(pool) == nullptr && opens_now(pool, now)) {
                oldest = since;
                best = id;
            }
        }
        if (!best || !out.has_room()) break;
        open_next(best, pools_.at(best.index), now, out);
    }
    // Under a bound that was lowered one eviction frees no permit yet.
    for (const PoolId id : refused) {
        Pool& pool = pools_.at(id.index);
        if (unmet_now(pool, now) > 0) evict_for(id, pool, now, out);
    }
}

}  // namespace pgweir
