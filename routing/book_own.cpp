// The book's side of replication clients: each has a server connection of its own, opened at its login, never shared,
// closed with it. It counts against every bound like any other.
//
// A session that waits for one cannot be served by what others give back, so idle servers are closed for it, and one that
// comes back where it has waited longest.
#include "routing/book.hpp"

namespace pgweir {

Fault Book::ask_own_server(SessionId id, TimePoint now, BookActions& out) {
    SessionEntry* session = sessions_.find(id);
    if (session == nullptr || session->state != SessionState::idle) {
        ++broken_pairings_;
        return Fault::internal_pairing;
    }
    if (shutting_down_) return Fault::server_shutting_down;
    Pool& pool = pools_.at(session->pool.index);
    enqueue(id, *session, pool, SessionState::awaiting_own, now);
    open_own_servers(session->pool, pool, now, out);
    return Fault::none;
}

// In their order of arrival. A failing pool does not hold them back: each makes one attempt and hears how it ended.
void Book::open_own_servers(PoolId id, Pool& pool, TimePoint now, BookActions& out) {
    if (is_paused(pool) || shutting_down_) return;
    while (pool.awaiting_own > 0 && out.has_room()) {
        if (is_full(pool, now)) return make_room_for_own(pool, out);
        if (!open_own(id, pool, now, out)) return;
    }
}

bool Book::open_own(PoolId id, Pool& pool, TimePoint now, BookActions& out) {
    const SessionId owner = sessions_.id_of(first_awaiting_own(pool));
    if (!open_one(id, pool, now, out, owner)) return false;
    SessionEntry& session = sessions_.at(owner.index);
    dequeue(owner, session, pool);
    session.state = SessionState::opening_own;
    return true;
}

std::uint32_t Book::first_awaiting_own(const Pool& pool) const {
    std::uint32_t first = no_link;
    for (const PoolShare& share : pool.shares) {
        const auto head = share.awaiting_own.head;
        if (head != no_link && (first == no_link || sessions_.at(head).ticket < sessions_.at(first).ticket)) first = head;
    }
    return first;
}

bool Book::is_full(const Pool& pool, TimePoint now) const {
    const PoolLoad load = pool.load(sessions_, now);
    return load.bound > 0 && load.open >= load.bound;
}

// The pool's own size is what leaves no room: its longest idle servers are closed, one for each session, those that are
// closing already included.
void Book::make_room_for_own(Pool& pool, BookActions& out) {
    while (pool.awaiting_own > pool.in_state(State::closing) && out.has_room()) {
        std::uint32_t oldest = no_link;
        for (const PoolShare& share : pool.shares) {
            const auto tail = share.idle.tail;
            if (tail != no_link && (oldest == no_link || servers_.at(tail).last_used_at < servers_.at(oldest).last_used_at)) oldest = tail;
        }
        if (oldest == no_link) return;
        ServerEntry& server = servers_.at(oldest);
        pool.shares[server.worker].idle.remove(servers_, oldest);
        close(servers_.id_of(oldest), server, CloseReason::evicted, out);
    }
}

// Sessions want servers of their own, and neither what is closing nor the bounds leave room for them.
bool Book::lacks_room_for_own(const Pool& pool, TimePoint now) {
    if (pool.awaiting_own <= pool.in_state(State::closing)) return false;
    return is_full(pool, now) || full_bound(pool) != nullptr;
}

// A server has come back: is it closed for a session that wants its own and has waited for longer than all others here?
bool Book::gives_way_to_own(const Pool& pool, TimePoint now) {
    if (!lacks_room_for_own(pool, now)) return false;
    const auto ticket = sessions_.at(first_awaiting_own(pool)).ticket;
    for (const PoolShare& share : pool.shares)
        if (!share.waiting.empty() && sessions_.at(share.waiting.head).ticket < ticket) return false;
    return true;
}

void Book::own_logged_in(ServerId id, ServerEntry& server, TimePoint now, BookActions& out) {
    shift(server, Event::logged_in);
    if (sessions_.find(server.owner) == nullptr) return close(id, server, CloseReason::replication_client_closed, out);
    lend(id, server, server.owner, now, out);
}

// RECONNECT, a reload: they have no moment between two clients, so they end at once. True: `out` is full.
bool Book::sweep_own(Pool& pool, BookActions& out) {
    for (std::uint32_t index = pool.own.head; index != no_link;) {
        if (!out.has_room()) return true;
        ServerEntry& server = servers_.at(index);
        const auto current = index;
        index = server.next;
        if (server.epoch == pool.epoch) continue;
        unlink(server, pool);
        close(servers_.id_of(current), server, pool.marked_as, out);
    }
    return false;
}

// Its session has it no more, or waits for it no more.
void Book::unlink(ServerEntry& server, Pool& pool) {
    SessionEntry* session = sessions_.find(server.owner ? server.owner : server.session);
    if (session == nullptr || (session->state != SessionState::linked && session->state != SessionState::opening_own)) return;
    if (session->state == SessionState::linked) --pool.linked;
    session->server = {};
    session->state = SessionState::idle;
    server.session = {};
}

// A server is about to close: off the list of those like it, or out of their count.
void Book::take_off(ServerId id, const ServerEntry& server, Pool& pool) {
    if (server.owner) pool.own.remove(servers_, id.index);
    else if (server.state == State::connecting) pool.connecting.remove(servers_, id.index);
    else --pool.logged_in;
}

}  // namespace pgweir
