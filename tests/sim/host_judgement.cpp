// Whether what the core does to a session has a reason that this host knows of, and comes in time.
#include <algorithm>

#include "tests/sim/failure.hpp"
#include "tests/sim/host.hpp"
#include "tests/sim/prepared_script.hpp"

namespace pgweir::sim {
namespace {

constexpr Microseconds slack{333'000 + 60'000};  // one janitor round, and the host's own clock tick
constexpr Microseconds login_timeout{5'000'000};

bool over(TimePoint since, Microseconds timeout, TimePoint now) {
    return timeout.count() > 0 && since <= now && now - since >= timeout;
}

}  // namespace

void Host::require_explained(const ClientEnd& client, Fault fault) {
    const Script& script = client.outside->script();
    const SessionPolicy policy = client.session ? client.session->policy() : *pools_[client.pool].session;
    const LivePool& pool = pools_[client.pool];
    const TimePoint waits_since = client.session ? client.waiting_since : client.login_began;
    bool holds = false;
    switch (fault) {
        case Fault::none:
            // It has left, or has been told by the server itself, or is in the middle of a message.
            holds = client.lost_at != never || client.outside->has_left() || client.lost_its_server ||
                    client.server_fault != Fault::none;
            break;
        case Fault::server_lost: holds = client.lost_its_server; break;
        case Fault::server_login_failing: {
            holds = pool.failures > 0 && !pool.is_starting_up && !has_usable_server(client.pool) &&
                    !book_.is_paused(*book_.pool(pool.id));
            break;
        }
        case Fault::server_login_failed: holds = waits_since <= pool.login_failed_at; break;
        case Fault::replication_login_failed: holds = client.owns && !client.session; break;
        case Fault::too_many_clients:
        case Fault::too_many_database_clients:
        case Fault::too_many_user_clients: holds = scenario_.faults.client_limits; break;
        case Fault::client_login_timeout: holds = !client.session; break;
        case Fault::query_wait_timeout: holds = over(client.waiting_since, policy.query_wait_timeout, now()); break;
        case Fault::query_timeout_waiting: holds = over(client.waiting_since, policy.query_timeout, now()); break;
        case Fault::client_idle_timeout:
            holds = client.server == nullptr && over(client.unlinked_since, policy.client_idle_timeout, now());
            break;
        case Fault::query_timeout:
            holds = over(client.session->last_request_at(), policy.query_timeout, now());
            break;
        case Fault::transaction_timeout: holds = policy.transaction_timeout.count() > 0; break;
        case Fault::idle_transaction_timeout: holds = policy.idle_transaction_timeout.count() > 0; break;
        case Fault::invalid_server_parameter: holds = client.has_bad_parameter; break;
        case Fault::statement_mode_transaction: holds = policy.mode == PoolMode::statement && script.opens_block; break;
        case Fault::simple_query_refused: holds = policy.refuse_simple_query; break;
        case Fault::packet_too_large: holds = policy.max_packet_size < 9000; break;
        case Fault::admin_disconnect: holds = client.was_killed; break;
        case Fault::server_shutting_down: holds = shutting_down_ || waits_since <= pool.refused_at; break;
        default: break;
    }
    require(holds, "client {} is told \"{}\" for no reason", client.outside->number(), fault_message(fault));
}

// A healthy server is closed with its session only for a fault, half a message, an untold reply, or when a client that
// left has used up its time.
void Host::require_well_spent(const ClientEnd& client, const ServerEnd& server, Fault fault) {
    require(!client.owns || server.owner == &client, "client {} has server {}, which is not its own", client.outside->number(), server.number);
    if (client.owns) return;
    if (fault != Fault::none) return;
    if (server.session->ledger.is_uncertain())
        return require(server.is_doubtful, "server {} is closed for a doubt that its replies have settled", server.number);
    if (server.backend->is_ending() || (client.lost_at != never && client.input_place.rest > 0)) return;
    const bool stuck = server.kept_out.empty() && server.kept_in.empty() && server.backend->is_quiet();
    require(!stuck, "server {} is closed since nobody told it what to do for client {}, which has left", server.number,
            client.outside->number());
    const TimePoint left = client.lost_at != never ? client.lost_at : client.linked_since;
    require(over(left, client.shortest_drain, now()), "server {} is closed though client {} could have given it back",
            server.number, client.outside->number());
}

// Where the core gives prepared statements their names, it knows how many a server has.
void Host::require_known_statements(const ServerEnd& server) {
    const PoolPlan& plan = scenario_.pools[server.pool];
    if (!plan.keeps_names || plan.keeps_session || server.owner != nullptr) return;
    const auto prepared = server.backend->prepared();
    require(prepared == server.session->statements.size(), "server {} has {} prepared statements, and is thought to have {}",
            server.number, prepared, server.session->statements.size());
}

// Both are free, and the server is at rest, whatever the core thinks.
void Host::require_grantable(const ClientEnd& client, const ServerEnd& server) {
    require(server.stage == ServerEnd::Stage::ready, "server {} is granted and not here", server.number);
    require(server.client == nullptr, "server {} is lent twice", server.number);
    require(server.owner == (client.owns ? &client : nullptr), "server {} is granted to client {}, whose own it is not", server.number,
            client.outside->number());
    require(server.owner == nullptr || server.grants == 0, "server {} of one client is granted again", server.number);
    require(client.server == nullptr, "client {} gets a second server", client.outside->number());
    require(client.open && client.session.has_value(), "a grant for a client that is gone");
    require(client.pool == server.pool, "server {} is granted across pools", server.number);
    require(server.session->is_at_rest() && server.kept_out.empty(), "server {} is granted and not at rest",
            server.number);
    require_known_statements(server);
    require(!server.session->fatal_seen, "server {} is granted though it has said that it ends", server.number);
    require(server.cancels_held == 0, "server {} is granted while a cancel for it is under way", server.number);
    require(server.task == ServerEnd::Task::none, "server {} is granted while it is checked or reset", server.number);
    const Statement* running = server.backend->running();
    require(running == nullptr, "server {} is granted while it runs {}", server.number,
            running != nullptr ? running->tag : "");
}

// First come, first served: strictly on one worker, but for `move_advantage` between workers.
void Host::require_turn(const ClientEnd& client) {
    std::array<int, host_workers_max> to_come{};  // by worker: servers on their way there, less those who wait there
    for (const auto& [id, server] : by_server_) {
        const bool moves = server->stage == ServerEnd::Stage::moving || (server->orders & order_move) != 0;
        if (moves && server->pool == client.pool) ++to_come[server->move_to];
    }
    std::array<const ClientEnd*, host_workers_max> first{};
    for (const auto& other : clients_) {
        if (!other->open || other->pool != client.pool || other->place_in_queue == 0) continue;
        --to_come[other->worker];
        const ClientEnd*& oldest = first[other->worker];
        if (oldest == nullptr || other->place_in_queue < oldest->place_in_queue) oldest = other.get();
    }
    for (std::size_t worker = 0; worker < first.size(); ++worker) {
        const ClientEnd* other = first[worker];
        if (other == nullptr || other == &client || other->place_in_queue > client.place_in_queue) continue;
        const bool here = worker == client.worker;
        const bool much_older =
            client.waiting_since < now() && other->waiting_since + move_advantage < client.waiting_since;
        // Behind a pause each worker serves its own first, until it is called.
        const bool excused = to_come[worker] >= 0 || !much_older || now() < unsettled_until_;
        require(!here && excused, "client {} is served before client {}, who came first",
                client.outside->number(), other->outside->number());
    }
}

// Nothing speaks against the use of this server: neither its age, nor an order, nor a check that is due.
void Host::require_fit(const ServerEnd& server) {
    const Pool& pool = *book_.pool(pools_[server.pool].id);
    const PoolPolicy& policy = *pool.policy;
    if (server.owner != nullptr) return;
    require(!book_.is_paused(pool), "server {} is granted in a pool that is paused", server.number);
    require(server.marks == pools_[server.pool].marks, "server {} is granted after a RECONNECT", server.number);
    require(server.lifetime.count() > 0 || server.grants == 0, "server {} may serve only once", server.number);
    const bool checks =
        !policy.server_check_query.empty() && (server.grants > 0 || policy.server_check_delay.count() > 0);
    const TimePoint known_good = std::max(server.unused_since, server.checked_at);
    const bool just_checked =
        server.checked_at == now() || (server.arrived_at == now() && server.checked_at > server.unused_since);
    require(!checks || just_checked || now() - known_good < policy.server_check_delay, "server {} is granted unchecked",
            server.number);
}

// A check costs a round trip: not before it is due, nor before the first use where it comes with every reuse.
void Host::require_check_due(const ServerEnd& server) {
    const PoolPolicy& policy = *book_.pool(pools_[server.pool].id)->policy;
    const TimePoint known_good = std::max(server.unused_since, server.checked_at);
    require(server.grants > 0 || policy.server_check_delay.count() > 0, "server {} is checked before its first use",
            server.number);
    require(now() - known_good >= policy.server_check_delay, "server {} is checked before it is due", server.number);
}

// Of several idle servers the last used one serves, or the first with server_round_robin.
void Host::require_choice(const ServerEnd& server) {
    const TimePoint since = server.rests_since();
    if (since == now()) return;  // it was given on, not taken from those that rest
    const bool round_robin = book_.pool(pools_[server.pool].id)->policy->round_robin;
    for (const auto& [id, other] : by_server_) {
        if (other->pool != server.pool || other->worker != server.worker) continue;
        if (book_.servers().find(id)->state != ServerState::idle) continue;
        require(round_robin ? other->rests_since() >= since : other->rests_since() <= since,
                "server {} is granted where server {} comes first", server.number, other->number);
    }
}

// What has to end by itself has a moment set for it; `is_looked_at`: those that have passed have just been dealt with.
void Host::require_deadline(const ClientEnd& client, bool is_looked_at) {
    const ClientSession& session = *client.session;
    const SessionPolicy& policy = session.policy();
    const TimePoint deadline = session.deadline();
    const auto due_by = [&](TimePoint since, Microseconds timeout) {
        return timeout.count() == 0 || deadline <= since + timeout;
    };
    bool holds = deadline > now() || !is_looked_at;
    switch (session.phase()) {
        case ClientSession::Phase::idle: holds = holds && due_by(now(), policy.client_idle_timeout); break;
        case ClientSession::Phase::waiting:
            holds = holds && due_by(client.waiting_since, policy.query_wait_timeout) &&
                    due_by(client.waiting_since, policy.query_timeout);
            break;
        case ClientSession::Phase::linked: {
            const ServerSession& server = *client.server->session;
            const bool busy = !server.ledger.is_settled();
            const bool in_block = server.transaction != TransactionStatus::idle;
            if (busy) holds = holds && due_by(now(), policy.query_timeout);
            if (busy || in_block) holds = holds && due_by(now(), policy.transaction_timeout);
            if (!busy && in_block) holds = holds && due_by(now(), policy.idle_transaction_timeout);
            break;
        }
        case ClientSession::Phase::leaving: holds = holds && deadline != never; break;
        case ClientSession::Phase::closed: holds = false; break;
    }
    require(holds, "client {} in phase {} has no deadline", client.outside->number(),
            static_cast<int>(session.phase()));
}

// Between two events: it keeps nothing for no reason, and not for ever.
void Host::require_in_order(const ClientEnd& client) {
    if (!client.open || client.session->phase() != ClientSession::Phase::linked) return;
    require_given_back(client);
    require_deadline(client, false);
}

void Host::require_timely(const ClientEnd& client) {
    const SessionPolicy& policy = client.session->policy();
    if (client.session->phase() != ClientSession::Phase::waiting || policy.query_wait_timeout.count() == 0) return;
    require(now() - client.waiting_since < policy.query_wait_timeout + slack, "client {} waits past its deadline",
            client.outside->number());
}

// The book has not given up the attempt to open it.
bool Host::is_awaited(const ServerEnd& server) {
    return book_.servers().find(server.id)->state == ServerState::connecting;
}

// What the book must make of a failed attempt.
void Host::note_failure(const ServerEnd& server, const OpenFailure& failure) {
    if (!is_awaited(server) || server.owner != nullptr) return;
    LivePool& pool = pools_[server.pool];
    ++pool.failures;
    pool.is_starting_up = failure.sqlstate == "57P03";
    pool.failed_at = now();
    if (failure.reason != CloseReason::login_failed || pool.is_starting_up) return;
    pool.login_failed_at = now();
    if (!has_usable_server(server.pool)) pool.told_at = now();
}

void Host::check_login(ClientEnd& client) {
    if (now() - client.login_began > login_timeout) return end_login(client, Fault::client_login_timeout);
    if (client.owns) return;
    if (!book_.pool(pools_[client.pool].id)->welcome) {
        client.welcome_seen_at = never;
        return;
    }
    client.welcome_seen_at = std::min(client.welcome_seen_at, now());
    require(now() - client.welcome_seen_at <= slack + scenario_.mail_delay_max,
            "client {} is not told that its welcome is there", client.outside->number());
}

void Host::check_deadlines() {
    for (const auto& client : clients_) {
        if (!client->open) continue;
        require_told(*client);
        if (!client->session) {
            check_login(*client);
            continue;
        }
        SessionActions actions;
        if (client->session->deadline() <= now()) {
            client->session->on_deadline(client->server != nullptr ? client->server->session.get() : nullptr, now(),
                                         actions);
            carry_out(*client, {}, actions);
        }
        if (!client->open) continue;
        require_timely(*client);
        require_notified(*client);
        require_given_back(*client);
        require_deadline(*client, true);
    }
    settle();
}

}  // namespace pgweir::sim
