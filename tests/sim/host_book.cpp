// The host's dealings with the book: calls, actions, mail between workers, the janitor.
#include <algorithm>

#include "tests/sim/book_invariants.hpp"
#include "tests/sim/failure.hpp"
#include "tests/sim/host.hpp"
#include "tests/sim/host_decide.hpp"

namespace pgweir::sim {

Host::Host(EventQueue& events, SeededRandom& random, const Scenario& scenario, const Trace& trace, RunLog& runs)
    : events_(events),
      random_(random),
      scenario_(scenario),
      trace_(trace),
      runs_(runs),
      core_random_(random.next()),
      book_(scenario.workers, core_random_),
      pools_(scenario.pools.size()) {
    for (int worker = 0; worker < scenario.workers; ++worker) catalogs_.push_back(std::make_unique<ParameterCatalog>());
    for (std::size_t i = 0; i < pools_.size(); ++i) {
        pools_[i].policy = std::make_shared<const PoolPolicy>(scenario.pools[i].policy);
        pools_[i].session = std::make_shared<const SessionPolicy>(scenario.pools[i].session);
        pools_[i].statements_most = static_cast<std::size_t>(scenario.pools[i].session.statements_max);
        for (int worker = 0; worker < scenario.workers; ++worker)
            pools_[i].counters.push_back(std::make_unique<PoolCounters>());
    }
    book_.limits().set_clients_max(scenario.faults.client_limits ? clients_max : 1000);
    for (const BoundPlan& bound : scenario.databases) set_bound(true, bound);
    for (const BoundPlan& bound : scenario.users) set_bound(false, bound);
}

BookActions& Host::enter_book() {
    if (action_buffers_.size() == depth_) action_buffers_.push_back(std::make_unique<BookActions>());
    BookActions& out = *action_buffers_[depth_++];
    out.clear();
    ++decisions_;
    return out;
}

void Host::leave_book(WorkerId caller, const BookActions& out) {
    check_book(book_, now(), scenario_.workers, shutting_down_ || now() < unsettled_until_);
    for (const BookAction& action : out) {
        if (action.kind == BookActionKind::move) require_wanted(action);
        if (action.kind == BookActionKind::open) require_turn_of_pool(action);
    }
    for (const BookAction& action : out) carry_out(caller, action);
    --depth_;
}

// No more servers are sent to a worker than sessions wait there.
void Host::require_wanted(const BookAction& move) {
    const PoolId pool = book_.servers().find(move.server)->pool;
    const PoolShare& share = book_.pool(pool)->shares[move.to];
    require(share.transit <= share.waiting.count, "{} servers are sent to worker {}, where {} sessions wait",
            share.transit, move.to, share.waiting.count);
}

void Host::carry_out(WorkerId caller, const BookAction& action) {
    switch (action.kind) {
        case BookActionKind::grant: {
            ClientEnd& client = client_of(action.session);
            ServerEnd& server = server_of(action.server);
            require(client.worker == caller && server.worker == caller, "a grant for another worker than the caller's");
            return grant(client, server);
        }
        case BookActionKind::refuse: {
            ClientEnd& client = client_of(action.session);
            require(client.worker == caller, "a refusal for another worker than the caller's");
            if (action.fault == Fault::server_login_failing) require_knocking(client.pool);
            return end_client(client, action.fault);
        }
        case BookActionKind::open: return begin_server(caller, action);
        case BookActionKind::move: {
            ServerEnd& server = server_of(action.server);
            server.move_to = action.to;
            return order(caller, server, order_move);
        }
        case BookActionKind::close:
            trace_("book closes server {}: {}", server_of(action.server).number, to_string(action.reason));
            if (action.reason == CloseReason::evicted) require_due_eviction(server_of(action.server));
            closed_as_idle_ += action.reason == CloseReason::idle_timeout ? 1 : 0;
            return order(caller, server_of(action.server), order_close);
        case BookActionKind::check:
        case BookActionKind::reset: {
            ServerEnd& server = server_of(action.server);
            require(server.worker == caller, "a check or reset for another worker than the caller's");
            return begin_own_query(
                server, action.kind == BookActionKind::check ? ServerEnd::Task::check : ServerEnd::Task::reset);
        }
        case BookActionKind::look_again: {
            const std::size_t pool = place_of(action.pool);
            const WorkerId worker = action.worker;
            return mail(caller, worker, [this, worker, pool] { look_again(worker, pool); });
        }
    }
}

void Host::begin_server(WorkerId caller, const BookAction& action) {
    servers_.push_back(std::make_unique<ServerEnd>());
    ServerEnd& server = *servers_.back();
    server.number = static_cast<int>(servers_.size());
    server.id = action.server;
    server.pool = place_of(action.pool);
    server.worker = action.worker;
    server.opened_at = now();
    server.marks = pools_[server.pool].marks;
    server.lifetime = book_.pool(action.pool)->policy->server_lifetime;
    by_server_[action.server] = &server;
    if (action.session) {
        server.owner = &client_of(action.session);
        require(server.owner->owns && server.owner->worker == server.worker, "server {} is opened for a client that wants none of its own here",
                server.number);
    }
    trace_("worker {} opens server {} of pool {} on worker {}", caller, server.number, server.pool, server.worker);
    require_within_bounds(server);
    require_may_open(server);
    order(caller, server, order_open);
}

// The bounds in force at this moment, counted from what this host itself holds open.
void Host::require_within_bounds(const ServerEnd& server) {
    const PoolPlan& plan = scenario_.pools[server.pool];
    int in_pool = 0, in_database = 0, of_user = 0;
    for (const auto& [id, other] : by_server_) {
        in_pool += other->pool == server.pool ? 1 : 0;
        in_database += scenario_.pools[other->pool].database == plan.database ? 1 : 0;
        of_user += scenario_.pools[other->pool].user == plan.user ? 1 : 0;
    }
    const int database_max = database_bounds_[plan.database];
    const int user_max = user_bounds_[plan.user];
    require(database_max == 0 || in_database <= database_max, "{} servers of {} where {} may be", in_database,
            plan.database, database_max);
    require(user_max == 0 || of_user <= user_max, "{} servers of {} where {} may be", of_user, plan.user, user_max);

    const PoolPolicy& policy = *pools_[server.pool].policy;
    if (policy.pool_size == 0 || in_pool <= policy.pool_size) return;
    // A replication client stops waiting with this very order.
    const bool has_waited = server.owner != nullptr && policy.reserve_pool_timeout.count() > 0 &&
                            now() - server.owner->login_began >= policy.reserve_pool_timeout;
    const int size = has_waited ? policy.pool_size + policy.reserve_pool_size : size_now(server.pool);
    require(in_pool <= size, "{} servers in pool {}, whose size is {}{}", in_pool, server.pool, policy.pool_size,
            size > policy.pool_size ? " and a reserve" : "");
}

// An order of the book for a server's owner: at once when that is the caller, else by mail.
void Host::order(WorkerId caller, ServerEnd& server, Order what) {
    if (server.worker != caller) return post(caller, server.worker, server, what);
    require(server.orders == 0 || (server.orders == order_open && what == order_close), "a second order for server {}",
            server.number);
    // An order that is still on its way is overtaken: its owner finds the server closed.
    if (server.orders != 0) return post(caller, caller, server, what);
    run_order(server, what);
}

// One node for each server: a second order while the first has not been taken out of the mailbox may only be the close of
// one that was to be opened.
void Host::post(WorkerId from, WorkerId to, ServerEnd& server, Order what) {
    const bool was_linked = server.orders != 0;
    require(!was_linked || (server.orders == order_open && what == order_close),
            "order {} for server {} while order {} is on its way", static_cast<unsigned>(what), server.number,
            server.orders);
    server.orders |= what;
    if (was_linked) return;
    TimePoint& last = server.last_mail[from][to];
    last = std::max(last, now() + random_.span(scenario_.mail_delay_max));
    events_.at(last, [this, &server, to] { drain(server, to); });
}

void Host::drain(ServerEnd& server, WorkerId worker) {
    const unsigned orders = server.orders;
    server.orders = 0;
    if (server.stage == ServerEnd::Stage::closed) return;
    if ((orders & order_arrive) != 0) server.worker = worker;
    run_order(server, orders);
    settle();
}

void Host::run_order(ServerEnd& server, unsigned orders) {
    if ((orders & order_arrive) != 0) return take_in(server);
    if ((orders & order_open) != 0 && (orders & order_close) == 0) return begin_open(server);
    if ((orders & order_move) != 0) return give_away(server);
    if (server.owner != nullptr && server.client != nullptr) {
        require(server.marks != pools_[server.pool].marks, "the book closes server {} of a client for no reason", server.number);
        return lose_server(server, CloseReason::marked);
    }
    require(server.client == nullptr, "the book closes server {}, which a client has", server.number);
    close(server);
}

void Host::mail(WorkerId from, WorkerId to, EventQueue::Handler handler) {
    const auto delay = from == to ? Microseconds{0} : random_.span(scenario_.mail_delay_max);
    events_.after(delay, [this, handler = std::move(handler)] {
        handler();
        settle();
    });
}

// Sessions that wait are refused, logins that wait have their welcome.
void Host::look_again(WorkerId worker, std::size_t pool) {
    for (;;) {
        Called called;
        decide(worker, [&](Book& book, BookActions&) { called = book.next_called(pools_[pool].id, worker); });
        if (!called.session) break;
        ClientEnd& client = client_of(called.session);
        require(client.worker == worker, "a session of another worker was called");
        client.place_in_queue = 0;
        if (client.session)
            end_client(client, called.fault);
        else if (called.fault == Fault::none)
            welcome(client, *book_.pool(pools_[pool].id)->welcome);
        else
            end_login(client, called.fault);
    }
    decide(worker, [&](Book& book, BookActions& out) { book.serve_waiting(pools_[pool].id, worker, now(), out); });
}

void Host::janitor() {
    for (std::size_t pool = 0; pool < pools_.size(); ++pool) tick(pool);
    settle();
}

void Host::tick(std::size_t pool) {
    if (!pools_[pool].id) return;
    const Pool& in_book = *book_.pool(pools_[pool].id);
    const int open_before = in_book.open();
    const auto known_before = servers_.size();
    const int logged_in_before = in_book.logged_in;
    const bool was_refused = in_book.is_refused;
    const bool bound_was_full = is_bound_full(in_book);
    closed_as_idle_ = 0;
    bool more = true;
    while (more) {
        std::array<bool, host_workers_max> to_call{};
        decide(0, [&](Book& book, BookActions& out) {
            more = book.tick(pools_[pool].id, now(), out);
            if (!more) to_call = workers_to_call(pool);
            for (const BookAction& action : out)
                if (action.kind == BookActionKind::look_again) to_call[action.worker] = false;
        });
        require(std::ranges::find(to_call, true) == to_call.end(), "pool {}: nobody is called to the idle servers", pool);
    }
    require_fresh(pool);
    require_settled(pool);
    if (!bound_was_full) require_all_opened(pool);
    if (!bound_was_full) require_minimum(pool, open_before, servers_.size() > known_before);
    require(closed_as_idle_ == 0 || logged_in_before - closed_as_idle_ >= in_book.policy->min_pool_size,
            "pool {}: idle servers are closed below its minimum", pool);
    require(was_refused || !in_book.is_refused || in_book.waiting + in_book.awaiting_welcome + in_book.awaiting_own > 0,
            "pool {} queues for a server that nobody waits for", pool);
}

// What became ready while an event was handled, until nothing is left of it.
void Host::settle() {
    if (settling_) return;
    settling_ = true;
    while (!ready_clients_.empty() || !ready_servers_.empty()) {
        if (!ready_clients_.empty()) {
            ClientEnd* client = ready_clients_.front();
            ready_clients_.pop_front();
            serve(*client);
        }
        if (!ready_servers_.empty()) {
            ServerEnd* server = ready_servers_.front();
            ready_servers_.pop_front();
            serve(*server);
        }
    }
    settling_ = false;
}

ServerEnd& Host::server_of(ServerId id) {
    const auto found = by_server_.find(id);
    require(found != by_server_.end(), "the book names a server that is gone");
    return *found->second;
}

ClientEnd& Host::client_of(SessionId id) {
    const auto found = by_session_.find(id);
    require(found != by_session_.end(), "the book names a session that is gone");
    return *found->second;
}

Host::LivePool& Host::live(std::size_t pool) {
    LivePool& live_pool = pools_[pool];
    if (!live_pool.id) {
        const PoolPlan& plan = scenario_.pools[pool];
        live_pool.id = book_.pool_for(plan.database, plan.user, live_pool.policy, now());
    }
    return live_pool;
}

std::size_t Host::place_of(PoolId id) const {
    const auto found = std::ranges::find(pools_, id, &LivePool::id);
    require(found != pools_.end(), "the book names a pool that is not there");
    return static_cast<std::size_t>(found - pools_.begin());
}

bool Host::has_open_servers() const { return !by_server_.empty(); }

void Host::check_nothing_left() {
    require(book_.servers().live() == 0, "{} servers are left in the book", book_.servers().live());
    require(book_.sessions().live() == 0, "{} sessions are left in the book", book_.sessions().live());
    require(book_.limits().clients() == 0, "{} clients are left in Limits", book_.limits().clients());
    for (const auto* bounds : {&book_.limits().databases(), &book_.limits().users()})
        for (const SharedBound& bound : *bounds)
            require(bound.servers == 0 && bound.clients == 0 && bound.evicting == 0,
                    "{}: {} servers, {} clients, {} evicting are left", bound.name, bound.servers, bound.clients,
                    bound.evicting);
    for (const LivePool& pool : pools_)
        if (pool.id) book_.remove_pool(pool.id);
    require(book_.pools().live() == 0, "{} pools cannot be removed", book_.pools().live());
    require(book_.limits().refused().empty(), "pools are left on the list of the refused");
    require(book_.broken_pairings() == 0, "{} broken pairings", book_.broken_pairings());
}

}  // namespace pgweir::sim
