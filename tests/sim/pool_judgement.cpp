// Whether the book keeps what pools are promised: sizes, minimum and reserve, pauses between attempts, evictions that serve
// somebody.
#include <algorithm>

#include "tests/sim/failure.hpp"
#include "tests/sim/host.hpp"

namespace pgweir::sim {
namespace {

constexpr Microseconds first_pause{200'000};  // between two failed attempts, less its jitter
constexpr Microseconds slack{333'000 + 60'000};

}  // namespace

// After the janitor's round nothing is under way any more that a pause or a RECONNECT ends.
void Host::require_settled(std::size_t pool) {
    const Pool& in_book = *book_.pool(pools_[pool].id);
    for (const auto& [id, server] : by_server_) {
        if (server->pool != pool || book_.servers().find(id)->state != ServerState::connecting) continue;
        require(!book_.is_paused(in_book) || server->owner != nullptr, "server {} goes on connecting in a pool that is paused", server->number);
        require(server->marks == pools_[pool].marks, "server {} goes on connecting after a RECONNECT", server->number);
    }
}

// After the janitor's round no server of the pool is idle that is too old or has been idle for too long.
void Host::require_fresh(std::size_t pool) {
    const Pool& in_book = *book_.pool(pools_[pool].id);
    const PoolPolicy& policy = *in_book.policy;
    for (const auto& [id, server] : by_server_) {
        if (server->pool != pool || book_.servers().find(id)->state != ServerState::idle) continue;
        require(server->lifetime.count() == 0 || now() - server->opened_at < server->lifetime,
                "server {} is older than its lifetime", server->number);
        const bool idles =
            policy.server_idle_timeout.count() > 0 && now() - server->unused_since >= policy.server_idle_timeout;
        require(!idles || in_book.logged_in <= policy.min_pool_size, "server {} is idle for too long", server->number);
    }
}

bool Host::is_bound_full(const Pool& pool) {
    return book_.limits().databases()[pool.database_bound].is_full() ||
           book_.limits().users()[pool.user_bound].is_full();
}

// The janitor's round opens a server for a pool in use that had less than its minimum.
void Host::require_minimum(std::size_t pool, int open_before, bool has_opened) {
    const Pool& in_book = *book_.pool(pools_[pool].id);
    const PoolPolicy& policy = *in_book.policy;
    if (shutting_down_ || book_.is_paused(in_book) || in_book.failure.attempts > 0) return;
    if (in_book.sessions == 0 && !policy.has_forced_user) return;
    const int wanted = policy.pool_size == 0 ? policy.min_pool_size : std::min(policy.min_pool_size, policy.pool_size);
    require(open_before >= wanted || has_opened, "pool {} has {} servers, whose minimum is {}", pool, open_before,
            wanted);
}

// A pool that has just refused a request since its server cannot be reached tries it again, once its pause is over.
void Host::require_knocking(std::size_t pool) {
    const Pool& in_book = *book_.pool(pools_[pool].id);
    const PoolPolicy& policy = *in_book.policy;
    const bool is_full = is_bound_full(in_book) || (policy.pool_size > 0 && in_book.open() >= policy.pool_size);
    require(is_full || now() < in_book.failure.retry_at || !in_book.connecting.empty(),
            "pool {} refuses a request and does not try to reach its server", pool);
}

// A server has logged in, is not closing, and is not from before a RECONNECT.
bool Host::has_usable_server(std::size_t pool) const {
    return std::ranges::any_of(by_server_, [&](const auto& entry) {
        const ServerEnd& server = *entry.second;
        const ServerState state = book_.servers().find(entry.first)->state;
        return server.pool == pool && server.owner == nullptr && server.marks == pools_[pool].marks && state != ServerState::connecting &&
               state != ServerState::closing;
    });
}

// How long the oldest of those has waited who wait for a server of this pool, for their welcome too.
Microseconds Host::longest_wait(std::size_t pool) const {
    TimePoint oldest = now();
    const bool logins_wait = book_.pool(pools_[pool].id)->welcome == nullptr;
    for (const auto& client : clients_) {
        if (!client->open || client->pool != pool) continue;
        if (client->place_in_queue != 0) oldest = std::min(oldest, client->waiting_since);
        if (awaits_own(*client)) oldest = std::min(oldest, client->login_began);
        if (!client->session && logins_wait && !client->owns) oldest = std::min(oldest, client->login_began);
    }
    return now() - oldest;
}

int Host::size_now(std::size_t pool) const {
    const PoolPolicy& policy = *pools_[pool].policy;
    const bool reserve =
        policy.reserve_pool_timeout.count() > 0 && longest_wait(pool) >= policy.reserve_pool_timeout;
    return policy.pool_size + (reserve ? policy.reserve_pool_size : 0);
}

// The janitor's round leaves nobody waiting where one more server may be opened, the reserve included.
void Host::require_all_opened(std::size_t pool) {
    const Pool& in_book = *book_.pool(pools_[pool].id);
    if (shutting_down_ || book_.is_paused(in_book) || in_book.failure.attempts > 0 || is_bound_full(in_book)) return;
    const bool has_room = in_book.policy->pool_size == 0 || in_book.open() < size_now(pool);
    require(!has_room || in_book.awaiting_own == 0, "pool {}: {} replication clients wait where there is room", pool, in_book.awaiting_own);
    require(!has_room || in_book.waiting <= in_book.coming(),
            "pool {}: {} sessions wait, {} servers are coming, {} are open, and there may be {}", pool, in_book.waiting,
            in_book.coming(), in_book.open(), size_now(pool));
}

// A pool that cannot reach its server knocks once at a time, and not at once again; one that is paused does not knock.
void Host::require_may_open(const ServerEnd& server) {
    const LivePool& pool = pools_[server.pool];
    require(!book_.is_paused(*book_.pool(pool.id)), "server {} is opened in a pool that is paused", server.number);
    require(!shutting_down_, "server {} is opened after the shutdown has begun", server.number);
    if (pool.failures == 0 || server.owner != nullptr) return;
    require(now() - pool.failed_at >= first_pause, "server {} is opened right behind a failed attempt", server.number);
    const int knocking = book_.pool(pool.id)->in_state(ServerState::connecting) - book_.pool(pool.id)->own_connecting;
    require(knocking == 1, "{} servers are being opened in a pool that cannot reach its server", knocking);
}

// Would this pool have opened a server with the permit that `instead` has got? The reserve and failing pools are the janitor's.
bool Host::could_open(std::size_t pool, const Pool& instead) const {
    const Pool& in_book = *book_.pool(pools_[pool].id);
    if (&in_book == &instead || book_.is_paused(in_book) || in_book.failure.attempts > 0) return false;
    // Its own server that is being closed will bring the permit.
    if (!in_book.is_refused && in_book.in_state(ServerState::closing) > 0) return false;
    if (in_book.policy->pool_size > 0 && in_book.open() >= in_book.policy->pool_size) return false;
    if (in_book.waiting <= in_book.coming() && in_book.awaiting_own == 0) return false;
    const bool of_database = in_book.database_bound == instead.database_bound;
    const bool of_user = in_book.user_bound == instead.user_bound;
    const bool database_full = book_.limits().databases()[in_book.database_bound].is_full();
    const bool user_full = book_.limits().users()[in_book.user_bound].is_full();
    return (database_full && of_database && (of_user || !user_full)) || (user_full && of_user && (of_database || !database_full));
}

// A permit that several pools wait for goes to the one whose session has waited longest.
void Host::require_turn_of_pool(const BookAction& open) const {
    if (shutting_down_ || now() < unsettled_until_) return;
    const std::size_t pool = place_of(open.pool);
    const Pool& in_book = *book_.pool(open.pool);
    const auto owner = by_session_.find(open.session);
    const Microseconds wait = owner == by_session_.end() ? longest_wait(pool) : now() - owner->second->login_began;
    for (std::size_t other = 0; other < pools_.size(); ++other) {
        if (!pools_[other].id || !could_open(other, in_book)) continue;
        require(longest_wait(other) <= std::max(wait, longest_wait(pool)), "pool {} opens a server where pool {} has waited longer",
                pool, other);
    }
}

// In a full pool a server is closed, not lent, where a replication client has waited for longer than all others.
void Host::require_turn_of_owners(const ClientEnd& client) {
    const Pool& in_book = *book_.pool(pools_[client.pool].id);
    const bool is_full = in_book.policy->pool_size > 0 && in_book.open() >= size_now(client.pool);
    if (in_book.awaiting_own <= in_book.in_state(ServerState::closing) || !(is_full || is_bound_full(in_book))) return;
    TimePoint first_owner = never, first_other = client.waiting_since;
    for (const auto& other : clients_) {
        if (!other->open || other->pool != client.pool) continue;
        if (awaits_own(*other)) first_owner = std::min(first_owner, other->login_began);
        if (other->place_in_queue != 0) first_other = std::min(first_other, other->waiting_since);
    }
    require(first_owner >= first_other, "client {} is served before a replication client that has waited longer",
            client.outside->number());
}

// What comes back stays only within the bounds in force.
void Host::require_within_keeping(const ServerEnd& server) {
    const ServerEntry* entry = book_.servers().find(server.id);
    if (entry == nullptr || entry->state == ServerState::closing || entry->state == ServerState::held_for_cancel) return;
    const Pool& pool = *book_.pool(entry->pool);
    const int bound = pool.policy->pool_size == 0 ? 0 : pool.policy->pool_size + pool.policy->reserve_pool_size;
    const int kept = pool.open() - pool.in_state(ServerState::closing);
    require(bound == 0 || kept <= bound, "server {} is kept: {} in pool {}, where {} may be", server.number, kept,
            server.pool, bound);
    const auto is_exceeded = [](const SharedBound& shared) {
        return shared.servers_max > 0 && shared.servers > shared.servers_max;
    };
    require(!is_exceeded(book_.limits().databases()[pool.database_bound]) &&
                !is_exceeded(book_.limits().users()[pool.user_bound]),
            "server {} is kept under a bound that is exceeded", server.number);
}

// Idle servers give way to somebody: no more of them than wait under the bound, and the longest idle of a pool first.
void Host::require_due_eviction(const ServerEnd& server) {
    const ServerEntry& entry = *book_.servers().find(server.id);
    const Pool& pool = *book_.pool(entry.pool);
    const auto check = [&](const SharedBound& bound) {
        int wanted = 0;
        bool by_others = false;
        for (const PoolId id : bound.pools) {
            const int own = book_.pool(id)->awaiting_own;
            const int here = book_.pool(id)->waiting + (book_.pool(id)->awaiting_welcome > 0 ? 1 : 0) + own;
            wanted += here;
            by_others = by_others || (here > 0 && id != entry.pool) || own > 0;
        }
        // Behind a pause sessions wait beside idle servers of their own, until they are called.
        require(by_others || now() < unsettled_until_, "server {} gives way to nobody", server.number);
        require(bound.evicting <= wanted, "{} servers under {} give way to {} sessions", bound.evicting, bound.name,
                wanted);
    };
    require(entry.evicted_for_database || entry.evicted_for_user || pool.awaiting_own > 0,
            "server {} gives way to nobody", server.number);
    if (entry.evicted_for_database) check(book_.limits().databases()[pool.database_bound]);
    if (entry.evicted_for_user) check(book_.limits().users()[pool.user_bound]);
    if (server.rests_since() == now()) return;  // it has just come back
    for (std::size_t worker = 0; worker < pool.shares.size(); ++worker) {
        const IndexList& idle = pool.shares[worker].idle;
        if (idle.empty() || worker == server.worker) continue;    // its own worker's have come to rest after it
        require(book_.servers().at(idle.tail).last_used_at >= entry.last_used_at,
                "server {} gives way though another has been idle for longer", server.number);
    }
}

// Those who waited when the server refused a login have been told.
void Host::require_told(const ClientEnd& client) {
    const LivePool& pool = pools_[client.pool];
    if (client.owns) return;
    const bool waits = client.session ? client.place_in_queue != 0 : true;
    const TimePoint since = client.session ? client.waiting_since : client.login_began;
    require(!waits || since > pool.told_at || now() - pool.told_at <= slack + scenario_.mail_delay_max,
            "client {} is not told that the server refuses its pool's login", client.outside->number());
}

// Clients beyond a bound are refused, and no others.
void Host::require_admission(const ClientEnd& client, Fault fault) {
    int all = 0, of_database = 0, of_user = 0;
    const PoolPlan& plan = scenario_.pools[client.pool];
    for (const auto& other : clients_) {
        all += other->open ? 1 : 0;
        of_database += other->open && scenario_.pools[other->pool].database == plan.database ? 1 : 0;
        of_user += other->open && scenario_.pools[other->pool].user == plan.user ? 1 : 0;
    }
    const bool limited = scenario_.faults.client_limits;
    const bool fits = !limited || (all <= clients_max && of_database <= clients_of_bound_max && of_user <= clients_of_bound_max);
    require(fits == (fault == Fault::none), "client {} is {} as one of {}", client.outside->number(),
            fits ? "refused" : "let in", all);
}

}  // namespace pgweir::sim
