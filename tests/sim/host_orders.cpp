// What operators order of the host: pauses, reconnects, reloads, bounds, the shutdown.
#include <algorithm>

#include "routing/effective_settings.hpp"
#include "tests/sim/host.hpp"
#include "tests/sim/host_decide.hpp"

namespace pgweir::sim {

void Host::pause(const std::string& database, bool paused) {
    trace_("{} {}", paused ? "pause" : "resume", database.empty() ? "all" : database);
    // The walk over the pools follows at once, or is left to the janitor.
    const bool at_once = random_.percent(30);
    unsettled_until_ = std::max(unsettled_until_,
                                now() + Microseconds{at_once ? 0 : 400'000} + scenario_.mail_delay_max + Microseconds{1});
    decide(0, [&](Book& book, BookActions& out) {
        book.pause(database, paused);
        for (const LivePool& pool : pools_)
            if (pool.id && at_once) book.tick(pool.id, now(), out);
    });
    settle();
}

void Host::reconnect(std::size_t pool) {
    if (!pools_[pool].id) return;
    trace_("reconnect pool {}", pool);
    ++pools_[pool].marks;
    decide(0, [&](Book& book, BookActions& out) {
        book.mark_for_close(pools_[pool].id);
        book.tick(pools_[pool].id, now(), out);
    });
    settle();
}

// Each worker hears of it in its own time.
void Host::reload(std::size_t pool, PoolPolicy policy, SessionPolicy session) {
    LivePool& live_pool = pools_[pool];
    trace_("reload pool {}: size {}, reserve {}", pool, policy.pool_size, policy.reserve_pool_size);
    live_pool.policy = std::make_shared<const PoolPolicy>(std::move(policy));
    live_pool.session = std::make_shared<const SessionPolicy>(std::move(session));
    live_pool.statements_most = std::max<std::size_t>(live_pool.statements_most, static_cast<std::size_t>(live_pool.session->statements_max));
    if (live_pool.id)
        decide(0, [&](Book& book, BookActions& out) { book.set_policy(live_pool.id, live_pool.policy, now(), out); });
    for (const auto& client : clients_) {
        if (client->pool != pool || !client->session) continue;
        mail(0, client->worker, [this, c = client.get(), policy_now = client->owns ? std::make_shared<const SessionPolicy>(replication_policy(*live_pool.session)) : live_pool.session] {
            if (!c->open) return;
            c->shortest_drain = std::min(c->shortest_drain, policy_now->client_lost_drain);
            c->may_keep = c->may_keep || c->session->policy().mode == PoolMode::session;
            c->session->set_policy(policy_now, c->server != nullptr ? c->server->session.get() : nullptr);
        });
    }
    settle();
}

void Host::set_bound(bool of_database, const BoundPlan& bound) {
    trace_("bound of {}: {}", bound.name, bound.servers_max);
    (of_database ? database_bounds_ : user_bounds_)[bound.name] = bound.servers_max;
    decide(0, [&](Book& book, BookActions& out) {
        if (of_database)
            book.set_database_bound(bound.name, bound.servers_max, bound.clients_max, now(), out);
        else
            book.set_user_bound(bound.name, bound.servers_max, bound.clients_max, now(), out);
    });
    settle();
}

void Host::refuse_waiting(std::size_t pool) {
    if (!pools_[pool].id) return;
    trace_("refuse those who wait in pool {}", pool);
    pools_[pool].refused_at = now();
    decide(0, [&](Book& book, BookActions& out) {
        book.refuse_waiting(pools_[pool].id, Fault::server_shutting_down, out);
    });
    settle();
}

void Host::begin_shutdown() {
    trace_("shut down");
    shutting_down_ = true;
    decide(0, [&](Book& book, BookActions&) { book.begin_shutdown(); });
    for (std::size_t pool = 0; pool < pools_.size(); ++pool) refuse_waiting(pool);
    janitor();
}

}  // namespace pgweir::sim
