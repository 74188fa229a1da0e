#include "tests/support/book_script.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "tests/support/catch.hpp"

namespace pgweir::test {

void NoChance::fill(void* out, std::size_t size) { std::memset(out, 0, size); }

PoolPolicy pool_of(int pool_size) {
    PoolPolicy policy;
    policy.mode = PoolMode::transaction;
    policy.pool_size = pool_size;
    policy.server_lifetime = std::chrono::hours{1};
    policy.server_login_retry = std::chrono::seconds{15};
    return policy;
}

BookScript::BookScript(int workers) : book(workers, chance) {}

PoolId BookScript::pool(const PoolPolicy& policy, std::string_view database, std::string_view user) {
    return book.pool_for(database, user, std::make_shared<PoolPolicy>(policy), now);
}

Orders BookScript::set_policy(PoolId pool, const PoolPolicy& policy) {
    book.set_policy(pool, std::make_shared<PoolPolicy>(policy), now, out_);
    return orders();
}

int BookScript::client(PoolId pool, WorkerId worker) {
    clients_.push_back(book.add_session(pool, worker, now));
    return static_cast<int>(clients_.size());
}

Orders BookScript::check_out(int client) {
    book.check_out(session(client), now, out_);
    return orders();
}

Orders BookScript::await_welcome(int client) {
    if (book.await_welcome(session(client), now, out_)) return {"welcome"};
    return orders();
}

Orders BookScript::ask_own_server(int client) {
    const Fault fault = book.ask_own_server(session(client), now, out_);
    if (fault != Fault::none) return {fault_row(fault).message};
    return orders();
}

void BookScript::remove(int client) {
    book.remove_session(session(client), now);
    check_counts();
}

std::string BookScript::next_called(PoolId pool, WorkerId worker) {
    const Called called = book.next_called(pool, worker);
    check_counts();
    return called.session ? name(called.session) + ": " + fault_row(called.fault).message : "";
}

Orders BookScript::logged_in(int server) {
    book.server_logged_in(id(server), now, out_);
    return orders();
}

Orders BookScript::failed(int server, CloseReason reason, std::string_view sqlstate) {
    book.server_failed(id(server), {.reason = reason, .sqlstate = std::string(sqlstate), .message = "no"}, now, out_);
    return orders();
}

Orders BookScript::check_in(int server) {
    book.check_in(id(server), now, out_);
    return orders();
}

Orders BookScript::reset_done(int server) {
    book.reset_done(id(server), now, out_);
    return orders();
}

Orders BookScript::check_passed(int server) {
    book.check_passed(id(server), now, out_);
    return orders();
}

Orders BookScript::arrived(int server) {
    book.arrived(id(server), now, out_);
    return orders();
}

Orders BookScript::lost(int server) {
    book.server_lost(id(server), now, out_);
    return orders();
}

Orders BookScript::closed(int server) {
    book.server_closed(id(server), now, out_);
    return orders();
}

Orders BookScript::cancel_done(int server, bool given_up) {
    book.cancel_done(id(server), given_up, now, out_);
    return orders();
}

Orders BookScript::database_bound(std::string_view name, int servers_max) {
    book.set_database_bound(name, servers_max, 0, now, out_);
    return orders();
}

Orders BookScript::user_bound(std::string_view name, int servers_max) {
    book.set_user_bound(name, servers_max, 0, now, out_);
    return orders();
}

Orders BookScript::set_welcome(int server) {
    book.set_welcome(id(server), std::make_shared<Welcome>(), out_);
    return orders();
}

Orders BookScript::refuse_waiting(PoolId pool, Fault fault) {
    book.refuse_waiting(pool, fault, out_);
    return orders();
}

Orders BookScript::tick(PoolId pool) {
    REQUIRE_FALSE(book.tick(pool, now, out_));
    return orders();
}

Orders BookScript::serve_waiting(PoolId pool, WorkerId worker) {
    book.serve_waiting(pool, worker, now, out_);
    return orders();
}

void BookScript::serve(PoolId pool, int clients, WorkerId worker) {
    for (int i = 0; i < clients; ++i) {
        const int number = client(pool, worker);
        check_out(number);
        const Orders granted = logged_in(static_cast<int>(servers_.size()));
        REQUIRE(granted.size() == 1);
        REQUIRE(book.sessions().find(session(number))->state == SessionState::linked);
    }
}

Orders BookScript::orders() {
    Orders texts;
    for (const BookAction& action : out_) {
        if (action.kind == BookActionKind::open) servers_.push_back(action.server);
        texts.push_back(text_of(action));
    }
    out_.clear();
    check_counts();
    return texts;
}

std::string BookScript::text_of(const BookAction& action) {
    const std::string worker = std::to_string(action.worker);
    switch (action.kind) {
        case BookActionKind::grant: return "grant " + name(action.server) + " to " + name(action.session);
        case BookActionKind::refuse: return "refuse " + name(action.session) + ": " + fault_row(action.fault).message;
        case BookActionKind::open: return "open " + name(action.server) + " on " + worker + (action.session ? " for " + name(action.session) : "");
        case BookActionKind::move:
            return "move " + name(action.server) + " from " + worker + " to " + std::to_string(action.to);
        case BookActionKind::check: return "check " + name(action.server);
        case BookActionKind::reset: return "reset " + name(action.server);
        case BookActionKind::close:
            return "close " + name(action.server) + ": " + std::string(to_string(action.reason));
        case BookActionKind::look_again: return "look again on " + worker;
    }
    return "?";
}

std::string BookScript::name(SessionId id) const {
    const auto at = std::find(clients_.begin(), clients_.end(), id);
    return "c" + std::to_string(at - clients_.begin() + 1);
}

std::string BookScript::name(ServerId id) const {
    const auto at = std::find(servers_.begin(), servers_.end(), id);
    return "s" + std::to_string(at - servers_.begin() + 1);
}

void BookScript::check_counts() const {
    const auto& pools = book.pools();
    for (std::uint32_t i = 0; i < pools.index_end(); ++i)
        if (pools.holds(i)) check_pool(pools.id_of(i), pools.at(i));
    for (std::uint32_t i = 0; i < book.servers().index_end(); ++i) {
        if (!book.servers().holds(i)) continue;
        const ServerEntry& server = book.servers().at(i);
        if (server.state != ServerState::checked_out) continue;
        const SessionEntry* session = book.sessions().find(server.session);
        if (session == nullptr) continue;  // its client is gone and its worker has yet to give it back
        REQUIRE(session->state == SessionState::linked);
        REQUIRE(session->server == book.servers().id_of(i));
        REQUIRE(session->worker == server.worker);
        REQUIRE(session->pool == server.pool);
    }
}

void BookScript::check_pool(PoolId id, const Pool& pool) const {
    std::array<int, static_cast<std::size_t>(ServerState::count_)> in_state{};
    int open = 0, own = 0, own_connecting = 0;
    for (std::uint32_t i = 0; i < book.servers().index_end(); ++i) {
        if (!book.servers().holds(i) || !(book.servers().at(i).pool == id)) continue;
        ++open;
        ++in_state[static_cast<std::size_t>(book.servers().at(i).state)];
        const ServerEntry& server = book.servers().at(i);
        if (!server.owner || server.state == ServerState::closing) continue;
        ++own;
        own_connecting += server.state == ServerState::connecting ? 1 : 0;
        REQUIRE((server.state == ServerState::connecting || server.state == ServerState::checked_out));
    }
    std::array<int, 6> sessions{};
    for (std::uint32_t i = 0; i < book.sessions().index_end(); ++i)
        if (book.sessions().holds(i) && book.sessions().at(i).pool == id)
            ++sessions[static_cast<std::size_t>(book.sessions().at(i).state)];

    REQUIRE(pool.open() == open);
    REQUIRE(pool.counts == in_state);
    REQUIRE(pool.own.count == own);
    REQUIRE(pool.own_connecting == own_connecting);
    const int shared = open - pool.in_state(ServerState::closing) - own;
    REQUIRE(pool.connecting.count == pool.in_state(ServerState::connecting) - own_connecting);
    REQUIRE(pool.logged_in == shared - pool.connecting.count);
    REQUIRE(pool.sessions == std::accumulate(sessions.begin(), sessions.end(), 0));
    REQUIRE(pool.awaiting_own == sessions[static_cast<std::size_t>(SessionState::awaiting_own)]);
    REQUIRE(pool.waiting == sessions[static_cast<std::size_t>(SessionState::waiting)]);
    REQUIRE(pool.linked == sessions[static_cast<std::size_t>(SessionState::linked)]);
    int idle = 0;
    int coming = 0;
    int transit = 0;
    for (const PoolShare& share : pool.shares) {
        idle += share.idle.count;
        coming += share.coming;
        transit += share.transit;
    }
    REQUIRE(idle == pool.in_state(ServerState::idle));
    REQUIRE(coming == pool.coming());
    REQUIRE(transit == pool.in_state(ServerState::in_transit));
}

}  // namespace pgweir::test
