// The book's side of server connections: who gets one that is free, and when one is closed instead.
#include <algorithm>

#include "routing/book.hpp"

namespace pgweir {
namespace {

// Is a server there that may be lent again? One that is marked for closing (RECONNECT) may not.
bool has_usable_server(const Servers& servers, PoolId id, const Pool& pool) {
    for (std::uint32_t i = 0; pool.logged_in > 0 && i < servers.index_end(); ++i) {
        if (!servers.holds(i) || servers.at(i).pool != id || servers.at(i).epoch != pool.epoch || servers.at(i).owner) continue;
        if (servers.at(i).state != ServerState::connecting && servers.at(i).state != ServerState::closing) return true;
    }
    return false;
}

}  // namespace

// Moves a server to the state that follows. An event that cannot happen there is a bug of ours: counted, nothing done.
bool Book::shift(ServerEntry& server, Event event) {
    const auto next = next_state(server.state, event);
    if (!next) {
        ++broken_pairings_;
        return false;
    }
    Pool& pool = pools_.at(server.pool.index);
    count(pool, server, -1);
    server.state = *next;
    count(pool, server, +1);
    return true;
}

// Adds a server to, or takes it from, the counts of its present state.
void Book::count(Pool& pool, const ServerEntry& server, int by) {
    pool.counts[static_cast<std::size_t>(server.state)] += by;
    if (server.state == State::idle || server.state == State::checked_out) return;    // the usual two
    switch (server.state) {
        case State::in_transit:
            pool.shares[server.to].transit += by;
            pool.shares[server.to].coming += by;
            break;
        case State::connecting: (server.owner ? pool.own_connecting : pool.shares[server.worker].coming) += by; break;
        case State::checking:
        case State::resetting: pool.shares[server.worker].coming += by; break;
        default: break;
    }
}

ServerEntry* Book::find(ServerId id, State expected) {
    ServerEntry* server = servers_.find(id);
    if (server != nullptr && server->state == expected) return server;
    // An order to close may have crossed with the owner's report: not a bug.
    if (server == nullptr || server->state != State::closing) ++broken_pairings_;
    return nullptr;
}

void Book::server_logged_in(ServerId id, TimePoint now, BookActions& out) {
    ServerEntry* server = find(id, State::connecting);
    if (server == nullptr) return;
    if (server->owner) return own_logged_in(id, *server, now, out);
    Pool& pool = pools_.at(server->pool.index);
    pool.connecting.remove(servers_, id.index);
    pool.failure = {};
    ++pool.logged_in;
    shift(*server, Event::logged_in);
    server->last_used_at = now;
    place_or_replace(id, *server, now, out);
    open_servers(servers_.find(id)->pool, pool, now, out);    // attempts held back while the pool was failing
}

void Book::server_failed(ServerId id, const OpenFailure& failure, TimePoint now, BookActions& out) {
    ServerEntry* server = find(id, State::connecting);
    if (server == nullptr) return;
    if (server->owner) return server_lost(id, now, out);    // it says nothing of logins without replication
    const PoolId pool_id = server->pool;
    Pool& pool = pools_.at(pool_id.index);
    PoolFailure& last = pool.failure;
    ++last.attempts;
    last.is_over = false;
    last.retry_at = now + retry_pause(last.attempts, pool.policy->server_login_retry, random_->next());
    last.sqlstate = failure.sqlstate;
    last.message = failure.message;
    last.by_login = failure.reason == CloseReason::login_failed;
    last.is_starting_up = failure.sqlstate == "57P03";
    server_lost(id, now, out);
    // Refused by the server itself: it will refuse the next attempt too, so those who wait for it are told.
    if (last.by_login && !last.is_starting_up && !has_usable_server(servers_, pool_id, pool))
        call_waiting(pool_id, pool, Fault::server_login_failed, out);
}

void Book::set_welcome(ServerId id, std::shared_ptr<const Welcome> welcome, BookActions& out) {
    const ServerEntry* server = servers_.find(id);
    if (server == nullptr) return;
    Pool& pool = pools_.at(server->pool.index);
    if (server->epoch != pool.epoch) return;
    pool.failure.is_over = true;    // whoever is welcomed may ask before server_logged_in() is called
    if (pool.welcome) return;
    pool.welcome = std::move(welcome);
    look_again(server->pool, pool, out);
}

void Book::check_in(ServerId id, TimePoint now, BookActions& out) {
    ServerEntry* server = find(id, State::checked_out);
    if (server == nullptr) return;
    Pool& pool = pools_.at(server->pool.index);
    if (SessionEntry* session = sessions_.find(server->session)) {
        session->server = {};
        session->state = SessionState::idle;
        --pool.linked;
    }
    server->session = {};
    server->last_used_at = now;
    server->checked = false;
    if (server->cancels > 0) {
        shift(*server, Event::held);
        return;
    }
    settle_returned(id, *server, now, out);
}

// No session and no cancel has it any more: reset it if its mode says so, else it is free.
void Book::settle_returned(ServerId id, ServerEntry& server, TimePoint now, BookActions& out) {
    Pool& pool = pools_.at(server.pool.index);
    const PoolPolicy& policy = *pool.policy;
    if (const auto reason = must_close(server, pool, now); reason != CloseReason::none) {
        close(id, server, reason, out);
        return replace(server, now, out);
    }
    if ((policy.mode == PoolMode::session || policy.server_reset_query_always) && !policy.server_reset_query.empty()) {
        shift(server, Event::reset_begun);
        return out.add({.kind = BookActionKind::reset, .worker = server.worker, .server = id});
    }
    shift(server, server.state == State::held_for_cancel ? Event::released : Event::returned);
    place_fit(id, server, pool, now, out);
    if (server.state == State::closing) replace(server, now, out);
}

void Book::reset_done(ServerId id, TimePoint now, BookActions& out) {
    ServerEntry* server = find(id, State::resetting);
    if (server == nullptr) return;
    shift(*server, Event::reset_done);
    server->last_used_at = now;
    place_or_replace(id, *server, now, out);
}

void Book::check_passed(ServerId id, TimePoint now, BookActions& out) {
    ServerEntry* server = find(id, State::checking);
    if (server == nullptr) return;
    shift(*server, Event::check_passed);
    server->checked = true;
    server->checked_at = now;
    place_or_replace(id, *server, now, out);
}

void Book::arrived(ServerId id, TimePoint now, BookActions& out) {
    ServerEntry* server = find(id, State::in_transit);
    if (server == nullptr) return;
    shift(*server, Event::arrived);
    server->worker = server->to;
    server->to = no_worker;
    place_or_replace(id, *server, now, out);
}

void Book::place_or_replace(ServerId id, ServerEntry& server, TimePoint now, BookActions& out) {
    place(id, server, now, out);
    if (server.state == State::closing) replace(server, now, out);
}

// A server that is idle and on no list: to the longest waiting session, or closed, or parked.
void Book::place(ServerId id, ServerEntry& server, TimePoint now, BookActions& out) {
    Pool& pool = pools_.at(server.pool.index);
    const auto reason = must_close(server, pool, now);
    if (reason != CloseReason::none) return close(id, server, reason, out);
    place_fit(id, server, pool, now, out);
}

// … and nothing asks for its end.
void Book::place_fit(ServerId id, ServerEntry& server, Pool& pool, TimePoint now, BookActions& out) {
    if (pool.awaiting_own > 0 && gives_way_to_own(pool, now)) return close(id, server, CloseReason::evicted, out);
    const PoolShare& share = pool.shares[server.worker];
    const SessionEntry* own = share.waiting.empty() ? nullptr : &sessions_.at(share.waiting.head);
    const WorkerId elsewhere = workers_ > 1 ? longest_waiting_elsewhere(pool, server.worker) : no_worker;
    if (elsewhere != no_worker) {
        const SessionEntry& other = sessions_.at(pool.shares[elsewhere].waiting.head);
        if (own == nullptr || other.since + move_advantage < own->since) return send(id, server, elsewhere, out);
    }
    if (own == nullptr) return park(id, server, now, out);
    if (begin_check(id, server, now, out)) return;
    lend(id, server, sessions_.id_of(share.waiting.head), now, out);
}

void Book::park(ServerId id, ServerEntry& server, TimePoint now, BookActions& out) {
    Pool& pool = pools_.at(server.pool.index);
    // Whoever waits here has another one coming, however long it has waited.
    const bool is_wanted_here = pool.awaiting_own > 0 && lacks_room_for_own(pool, now);
    if (is_wanted_here || is_wanted_elsewhere(server.pool, pool, server, now)) return close(id, server, CloseReason::evicted, out);
    server.checked = false;    // it is as fresh as `checked_at` says, no more
    pool.shares[server.worker].idle.push_front(servers_, id.index);
}

void Book::lend(ServerId id, ServerEntry& server, SessionId session_id, TimePoint now, BookActions& out) {
    SessionEntry& session = *sessions_.find(session_id);
    Pool& pool = pools_.at(server.pool.index);
    // DESIGN, "Correctness" 12: the pairing is checked in every build.
    if (session.pool != server.pool || session.worker != server.worker || session.state == SessionState::linked ||
        server.session || server.cancels != 0) {
        ++broken_pairings_;
        return close(id, server, CloseReason::pairing, out);
    }
    dequeue(session_id, session, pool);
    session.state = SessionState::linked;
    session.server = id;
    server.session = session_id;
    server.last_used_at = now;
    server.used = true;
    shift(server, Event::granted);
    ++pool.linked;
    out.add({.kind = BookActionKind::grant, .worker = server.worker, .server = id, .session = session_id});
}

void Book::send(ServerId id, ServerEntry& server, WorkerId to, BookActions& out) {
    server.to = to;
    shift(server, Event::sent);
    out.add({.kind = BookActionKind::move, .worker = server.worker, .to = to, .server = id});
}

bool Book::needs_check(const ServerEntry& server, const Pool& pool, TimePoint now) const {
    const PoolPolicy& policy = *pool.policy;
    if (policy.server_check_query.empty() || server.checked) return false;
    // A delay of 0 means a check before every reuse: the first use needs none.
    return (server.used || policy.server_check_delay.count() > 0) &&
           now - std::max(server.last_used_at, server.checked_at) >= policy.server_check_delay;
}

bool Book::begin_check(ServerId id, ServerEntry& server, TimePoint now, BookActions& out) {
    if (!needs_check(server, pools_.at(server.pool.index), now)) return false;
    shift(server, Event::check_begun);
    out.add({.kind = BookActionKind::check, .worker = server.worker, .server = id});
    return true;
}

CloseReason Book::must_close(const ServerEntry& server, const Pool& pool, TimePoint now) const {
    if (is_paused(pool)) return CloseReason::pause_mode;
    if (shutting_down_) return CloseReason::shutdown;
    if (server.close_when_returned) return CloseReason::cancel_given_up;
    if (server.epoch != pool.epoch) return pool.marked_as;
    if (server.lifetime.count() == 0 ? server.used : now - server.connected_at >= server.lifetime)
        return CloseReason::lifetime_over;
    const int bound = keeping_bound(*pool.policy);
    if (bound > 0 && pool.open() - pool.in_state(State::closing) > bound) return CloseReason::too_many_servers;
    const auto& databases = limits_.databases();
    const auto& users = limits_.users();
    if (databases[pool.database_bound].is_exceeded() || users[pool.user_bound].is_exceeded()) return CloseReason::too_many_servers;
    return CloseReason::none;
}

void Book::close(ServerId id, ServerEntry& server, CloseReason reason, BookActions& out) {
    take_off(id, server, pools_.at(server.pool.index));
    shift(server, Event::close);
    out.add({.kind = BookActionKind::close, .worker = server.worker, .reason = reason, .server = id});
}

void Book::server_lost(ServerId id, TimePoint now, BookActions& out) {
    ServerEntry* server = servers_.find(id);
    if (server == nullptr || server->state == State::closing) return;
    Pool& pool = pools_.at(server->pool.index);
    take_off(id, *server, pool);
    if (server->state == State::idle) pool.shares[server->worker].idle.remove(servers_, id.index);
    if (server->state == State::in_transit) shift(*server, Event::arrived);
    if (server->state == State::checked_out || server->owner) unlink(*server, pool);
    server->session = {};
    shift(*server, Event::close);
    replace(*server, now, out);
}

// A server that a waiting session may have counted on will not come: an idle one takes its place, or a new one. Where its
// own permit is the one that is wanted, `server_closed` sees to it.
void Book::replace(const ServerEntry& server, TimePoint now, BookActions& out) {
    const PoolId id = server.pool;
    Pool& pool = pools_.at(id.index);
    match_idle(pool, server.worker, now, out);
    if (pool.demand() <= pool.coming() && pool.awaiting_own == 0) return;
    if (full_bound(pool) == nullptr)
        open_servers(id, pool, now, out);
    else if (pool.unmet(sessions_, now) > 0)
        remember_refused(id, pool);    // room may come before its permit does: another pool's, or a bound that is raised
}

void Book::serve_waiting(PoolId id, WorkerId worker, TimePoint now, BookActions& out) {
    if (Pool* pool = pools_.find(id)) match_idle(*pool, worker, now, out);
}

void Book::match_idle(Pool& pool, WorkerId caller, TimePoint now, BookActions& out) {
    if (is_paused(pool)) return;
    while (pool.in_state(State::idle) > 0 && pool.waiting > pool.coming() && out.has_room()) {
        const PoolShare& own = pool.shares[caller];
        const bool here = own.waiting.count > own.coming && !own.idle.empty();
        const WorkerId from = here ? caller : worker_with_idle(pool);
        if (from == no_worker) return;
        const WorkerId to = here ? caller : longest_waiting_elsewhere(pool, from);
        if (to == no_worker) return;
        const ServerId id = take_idle(pool, from);
        ServerEntry& server = servers_.at(id.index);
        const auto reason = must_close(server, pool, now);
        if (reason != CloseReason::none)
            close(id, server, reason, out);
        else if (here)
            place(id, server, now, out);
        else
            send(id, server, to, out);
    }
}

void Book::server_closed(ServerId id, TimePoint now, BookActions& out) {
    ServerEntry* server = servers_.find(id);
    if (server == nullptr) {
        ++broken_pairings_;
        return;
    }
    server_lost(id, now, out);
    const PoolId pool_id = server->pool;
    Pool& pool = pools_.at(pool_id.index);
    SharedBound& database = limits_.database_at(pool.database_bound);
    SharedBound& user = limits_.user_at(pool.user_bound);
    count(pool, *server, -1);
    --pool.open_count;
    --database.servers;
    --user.servers;
    if (server->evicted_for_database) --database.evicting;
    if (server->evicted_for_user) --user.evicting;
    pool.last_busy_at = now;
    servers_.erase(id);

    if (limits_.refused().empty()) return open_servers(pool_id, pool, now, out);
    if (pool.unmet(sessions_, now) > 0) remember_refused(pool_id, pool);
    permit_freed(now, out);
    if (pool.awaiting_own > 0) open_own_servers(pool_id, pool, now, out);    // it may be its own size that leaves no room
}

void Book::hold_for_cancel(ServerId id) {
    if (ServerEntry* server = find(id, State::checked_out)) ++server->cancels;
}

void Book::cancel_done(ServerId id, bool given_up, TimePoint now, BookActions& out) {
    ServerEntry* server = servers_.find(id);
    if (server == nullptr || server->cancels == 0) return;    // lost meanwhile
    --server->cancels;
    if (given_up) server->close_when_returned = true;
    if (server->state == State::held_for_cancel && server->cancels == 0) settle_returned(id, *server, now, out);
}

}  // namespace pgweir
