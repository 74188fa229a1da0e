// A book driven by hand: a test plays the workers and reads the book's orders as text.
//
// Clients are c1, c2, … as they log in, servers s1, s2, … as they are opened; calls take the numbers. After each call the
// book's counts are held against its tables.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "routing/book.hpp"

namespace pgweir::test {

// Chance that always falls the same way: nothing is taken off a pause or a lifetime.
class NoChance : public RandomSource {
public:
    void fill(void* out, std::size_t size) override;
};

// Transaction pooling, servers that live for an hour, no checks.
PoolPolicy pool_of(int pool_size);

using Orders = std::vector<std::string>;

class BookScript {
public:
    explicit BookScript(int workers = 1);

    PoolId pool(const PoolPolicy& policy, std::string_view database = "app", std::string_view user = "alice");
    Orders set_policy(PoolId pool, const PoolPolicy& policy);

    int client(PoolId pool, WorkerId worker = 0);
    Orders check_out(int client);
    Orders await_welcome(int client);
    Orders ask_own_server(int client);
    void leave_queue(int client) { book.leave_queue(session(client)); }
    void remove(int client);
    std::string next_called(PoolId pool, WorkerId worker = 0);  // "c1: fault", or empty

    Orders logged_in(int server);
    Orders failed(int server, CloseReason reason = CloseReason::connect_failed, std::string_view sqlstate = {});
    Orders refused_login(int server) { return failed(server, CloseReason::login_failed, "28P01"); }
    Orders check_in(int server);
    Orders reset_done(int server);
    Orders check_passed(int server);
    Orders arrived(int server);
    Orders lost(int server);
    Orders closed(int server);
    void hold_for_cancel(int server) { book.hold_for_cancel(id(server)); }
    Orders cancel_done(int server, bool given_up = false);

    Orders database_bound(std::string_view name, int servers_max);
    Orders user_bound(std::string_view name, int servers_max);
    Orders set_welcome(int server);
    Orders refuse_waiting(PoolId pool, Fault fault);
    Orders tick(PoolId pool);
    Orders serve_waiting(PoolId pool, WorkerId worker);
    void wait(Microseconds span) { now = now + span; }

    // So many clients of the pool with a server each, opened for them; the numbers are the next ones of both.
    void serve(PoolId pool, int clients, WorkerId worker = 0);

    SessionId session(int client) const { return clients_.at(static_cast<std::size_t>(client - 1)); }
    ServerId id(int server) const { return servers_.at(static_cast<std::size_t>(server - 1)); }
    ServerState state(int server) const { return book.servers().find(id(server))->state; }

    NoChance chance;
    Book book;
    TimePoint now{1'000'000'000};

private:
    Orders orders();
    std::string text_of(const BookAction& action);
    std::string name(SessionId id) const;
    std::string name(ServerId id) const;
    void check_counts() const;
    void check_pool(PoolId id, const Pool& pool) const;

    std::vector<SessionId> clients_;
    std::vector<ServerId> servers_;
    BookActions out_;
};

}  // namespace pgweir::test
