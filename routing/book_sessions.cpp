// The book's side of sessions: asking for a server, waiting, leaving.
#include <algorithm>
#include <cassert>

#include "routing/book.hpp"

namespace pgweir {

SessionId Book::add_session(PoolId pool_id, WorkerId worker, TimePoint now) {
    Pool* pool = pools_.find(pool_id);
    if (pool == nullptr) return {};
    ++pool->sessions;
    pool->last_busy_at = now;
    return sessions_.emplace(SessionEntry{.pool = pool_id, .worker = worker});
}

void Book::remove_session(SessionId id, TimePoint now) {
    SessionEntry* session = sessions_.find(id);
    if (session == nullptr) return;
    Pool& pool = pools_.at(session->pool.index);
    dequeue(id, *session, pool);
    if (session->state == SessionState::linked) --pool.linked;
    --pool.sessions;
    pool.last_busy_at = now;
    sessions_.erase(id);
}

void Book::check_out(SessionId id, TimePoint now, BookActions& out) {
    SessionEntry* session = sessions_.find(id);
    if (session == nullptr || session->state != SessionState::idle) {
        ++broken_pairings_;
        return;
    }
    const PoolId pool_id = session->pool;
    Pool& pool = pools_.at(pool_id.index);
    if (shutting_down_)
        return out.add({.kind = BookActionKind::refuse, .fault = Fault::server_shutting_down, .session = id});
    if (fails_fast(id, pool_id, pool, now, out)) return;

    const bool paused = is_paused(pool);
    PoolShare& share = pool.shares[session->worker];
    bool checking = false;
    if (!paused) {
        // Those of this worker that must pass a check first are put to it, one for each session that waits here.
        if (const ServerId idle = take_idle(pool, session->worker)) {
            ServerEntry& server = servers_.at(idle.index);
            checking = begin_check(idle, server, now, out);
            if (!checking && share.waiting.empty()) return lend(idle, server, id, now, out);
            if (!checking) {    // those who wait for a check came first, and this server is ready now
                enqueue(id, *session, pool, SessionState::waiting, now);
                return lend(idle, server, sessions_.id_of(share.waiting.head), now, out);
            }
        }
    }
    enqueue(id, *session, pool, SessionState::waiting, now);
    if (paused || checking) return;
    if (share.waiting.count > share.transit) {
        const WorkerId from = worker_with_idle(pool);
        if (from != no_worker) {
            const ServerId idle = take_idle(pool, from);
            return send(idle, servers_.at(idle.index), session->worker, out);
        }
    }
    open_servers(pool_id, pool, now, out);
}

// PgBouncer's rule: while the last attempt to reach the server failed and none is there, a new request is told so at
// once. A server that is starting up (57P03) is waited for.
bool Book::fails_fast(SessionId id, PoolId pool_id, Pool& pool, TimePoint now, BookActions& out) {
    if (pool.failure.attempts == 0 || pool.failure.is_starting_up || pool.failure.is_over || pool.logged_in > 0 || is_paused(pool)) return false;
    out.add({.kind = BookActionKind::refuse, .fault = Fault::server_login_failing, .session = id, .pool = pool_id});
    const bool fits = pool.policy->pool_size == 0 || pool.open() < pool.policy->pool_size;
    if (fits && pool.connecting.empty() && now >= pool.failure.retry_at && may_open(pool, now))
        open_one(pool_id, pool, now, out);
    return true;
}

std::shared_ptr<const Welcome> Book::await_welcome(SessionId id, TimePoint now, BookActions& out) {
    SessionEntry& session = *sessions_.find(id);
    Pool& pool = pools_.at(session.pool.index);
    if (pool.welcome) return pool.welcome;
    enqueue(id, session, pool, SessionState::awaiting_welcome, now);
    open_servers(session.pool, pool, now, out);
    return nullptr;
}

void Book::leave_queue(SessionId id) {
    // A server on its way to this session finds another one, or is parked, when it arrives.
    if (SessionEntry* session = sessions_.find(id)) dequeue(id, *session, pools_.at(session->pool.index));
}

Called Book::next_called(PoolId pool_id, WorkerId worker) {
    Pool* pool = pools_.find(pool_id);
    if (pool == nullptr) return {};
    PoolShare& share = pool->shares[worker];
    for (IndexList* list_of : {&share.waiting, &share.awaiting_own, &share.awaiting_welcome}) {
        IndexList& list = *list_of;
        const bool welcome = list_of == &share.awaiting_welcome;
        if (list.empty()) continue;
        const SessionId id = sessions_.id_of(list.head);
        SessionEntry& session = sessions_.at(list.head);
        const bool welcomed = welcome && pool->welcome != nullptr;
        if (!welcomed && session.ticket > pool->called_until) continue;
        dequeue(id, session, *pool);
        return {.session = id, .fault = welcomed ? Fault::none : pool->called_fault};
    }
    return {};
}

void Book::refuse_waiting(PoolId id, Fault fault, BookActions& out) {
    if (Pool* pool = pools_.find(id)) call_waiting(id, *pool, fault, out);
}

void Book::call_waiting(PoolId id, Pool& pool, Fault fault, BookActions& out) {
    pool.called_until = next_ticket_ - 1;
    pool.called_fault = fault;
    look_again(id, pool, out);
}

void Book::look_again(PoolId id, const Pool& pool, BookActions& out) {
    for (int worker = 0; worker < workers_; ++worker) {
        const PoolShare& share = pool.shares[static_cast<std::size_t>(worker)];
        if (share.waiting.empty() && share.awaiting_welcome.empty() && share.awaiting_own.empty()) continue;
        out.add({.kind = BookActionKind::look_again, .worker = static_cast<WorkerId>(worker), .pool = id});
    }
}

void Book::enqueue(SessionId id, SessionEntry& session, Pool& pool, SessionState state, TimePoint now) {
    session.state = state;
    session.since = now;
    session.ticket = next_ticket_++;
    PoolShare& share = pool.shares[session.worker];
    if (state == SessionState::waiting) {
        share.waiting.push_back(sessions_, id.index);
        ++pool.waiting;
    } else if (state == SessionState::awaiting_own) {
        share.awaiting_own.push_back(sessions_, id.index);
        ++pool.awaiting_own;
    } else {
        share.awaiting_welcome.push_back(sessions_, id.index);
        ++pool.awaiting_welcome;
    }
}

void Book::dequeue(SessionId id, SessionEntry& session, Pool& pool) {
    PoolShare& share = pool.shares[session.worker];
    if (session.state == SessionState::waiting) {
        share.waiting.remove(sessions_, id.index);
        --pool.waiting;
    } else if (session.state == SessionState::awaiting_welcome) {
        share.awaiting_welcome.remove(sessions_, id.index);
        --pool.awaiting_welcome;
    } else if (session.state == SessionState::awaiting_own) {
        share.awaiting_own.remove(sessions_, id.index);
        --pool.awaiting_own;
    } else {
        return;
    }
    session.state = SessionState::idle;
}

ServerId Book::take_idle(Pool& pool, WorkerId worker) {
    IndexList& idle = pool.shares[worker].idle;
    if (idle.empty()) return {};
    const std::uint32_t index = pool.policy->round_robin ? idle.tail : idle.head;
    idle.remove(servers_, index);
    return servers_.id_of(index);
}

WorkerId Book::worker_with_idle(const Pool& pool) const {
    for (int worker = 0; worker < workers_; ++worker)
        if (!pool.shares[static_cast<std::size_t>(worker)].idle.empty()) return static_cast<WorkerId>(worker);
    return no_worker;
}

// Another worker's longest waiting session that no server is on its way to.
WorkerId Book::longest_waiting_elsewhere(const Pool& pool, WorkerId worker) const {
    WorkerId best = no_worker;
    std::uint64_t best_ticket = UINT64_MAX;
    for (int other = 0; other < workers_; ++other) {
        const PoolShare& share = pool.shares[static_cast<std::size_t>(other)];
        if (other == worker || share.waiting.count <= share.transit) continue;
        const std::uint64_t ticket = sessions_.at(share.waiting.head).ticket;
        if (ticket >= best_ticket) continue;
        best_ticket = ticket;
        best = static_cast<WorkerId>(other);
    }
    return best;
}

}  // namespace pgweir
