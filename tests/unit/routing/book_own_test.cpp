// Replication clients: a server connection of their own, within the bounds, beside the pool's shared ones.
#include "routing/book.hpp"

#include "tests/support/book_script.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {

TEST_CASE("a replication client gets a server that is opened for it, on its worker") {
    BookScript book(2);
    const auto pool = book.pool(pool_of(5));
    const int client = book.client(pool, 1);
    CHECK(book.ask_own_server(client) == Orders{"open s1 on 1 for c1"});
    CHECK(book.logged_in(1) == Orders{"grant s1 to c1"});
    CHECK(book.state(1) == ServerState::checked_out);
}

TEST_CASE("an idle server is not for a replication client, nor its server for others") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    book.serve(pool, 1);
    CHECK(book.check_in(1).empty());
    CHECK(book.ask_own_server(book.client(pool)) == Orders{"open s2 on 0 for c2"});
    CHECK(book.check_out(1) == Orders{"grant s1 to c1"});
    CHECK(book.check_out(book.client(pool)) == Orders{"open s3 on 0"});    // s2 is coming, and not for it
    CHECK(book.logged_in(2) == Orders{"grant s2 to c2"});
    CHECK(book.logged_in(3) == Orders{"grant s3 to c3"});
}

TEST_CASE("a replication client's server counts in the pool, and room is made by closing an idle one") {
    BookScript book;
    const auto pool = book.pool(pool_of(2));
    book.serve(pool, 2);
    CHECK(book.check_in(1).empty());
    CHECK(book.check_in(2).empty());
    CHECK(book.ask_own_server(book.client(pool)) == Orders{"close s1: evicted"});
    CHECK(book.closed(1) == Orders{"open s3 on 0 for c3"});
    CHECK(book.logged_in(3) == Orders{"grant s3 to c3"});
    CHECK(book.check_out(1) == Orders{"grant s2 to c1"});
    CHECK(book.check_out(2).empty());    // two are open, as many as may be
    CHECK(book.check_in(2) == Orders{"grant s2 to c2"});
}

TEST_CASE("no more idle servers are closed than replication clients wait") {
    BookScript book;
    const auto pool = book.pool(pool_of(3));
    book.serve(pool, 3);
    for (const int server : {1, 2, 3}) CHECK(book.check_in(server).empty());
    CHECK(book.ask_own_server(book.client(pool)) == Orders{"close s1: evicted"});
    CHECK(book.tick(pool).empty());
    CHECK(book.ask_own_server(book.client(pool)) == Orders{"close s2: evicted"});
    CHECK(book.closed(2) == Orders{"open s4 on 0 for c4"});
    CHECK(book.closed(1) == Orders{"open s5 on 0 for c5"});
}

TEST_CASE("in a pool that is busy a server that comes back gives way to a replication client in its turn") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    CHECK(book.check_out(book.client(pool)).empty());           // c2 waits
    CHECK(book.ask_own_server(book.client(pool)).empty());      // c3 behind it
    CHECK(book.check_in(1) == Orders{"grant s1 to c2"});
    CHECK(book.check_out(1).empty());                           // c1 behind both
    CHECK(book.check_in(1) == Orders{"close s1: evicted"});
    CHECK(book.closed(1) == Orders{"open s2 on 0 for c3"});
    CHECK(book.logged_in(2) == Orders{"grant s2 to c3"});
    CHECK(book.lost(2).empty());
    CHECK(book.closed(2) == Orders{"open s3 on 0"});            // for c1
}

TEST_CASE("… and whatever its turn where those who wait have servers coming") {
    BookScript book(2);
    const auto pool = book.pool(pool_of(2));
    book.serve(pool, 2);
    CHECK(book.check_out(book.client(pool, 1)).empty());        // c3 waits, on the other worker
    CHECK(book.ask_own_server(book.client(pool)).empty());      // c4 behind it
    CHECK(book.check_in(1) == Orders{"move s1 from 0 to 1"});
    CHECK(book.check_in(2) == Orders{"close s2: evicted"});
    CHECK(book.closed(2) == Orders{"open s3 on 0 for c4"});
}

TEST_CASE("bounds of databases and users hold for replication clients, and idle servers under them give way") {
    for (const bool by_database : {true, false}) {
        BookScript book;
        const auto first = book.pool(pool_of(5), "app", "alice");
        const auto second = by_database ? book.pool(pool_of(5), "app", "bob") : book.pool(pool_of(5), "shop", "alice");
        if (by_database) book.database_bound("app", 2);
        else book.user_bound("alice", 2);
        book.serve(first, 1);
        book.serve(second, 1);
        CHECK(book.ask_own_server(book.client(second)).empty());
        CHECK(book.check_in(1) == Orders{"close s1: evicted"});
        CHECK(book.closed(1) == Orders{"open s3 on 0 for c3"});

        CHECK(book.ask_own_server(book.client(second)).empty());
        CHECK(book.check_in(2) == Orders{"close s2: evicted"});    // of the pool itself
        CHECK(book.closed(2) == Orders{"open s4 on 0 for c4"});
    }
}

TEST_CASE("an idle server of the pool itself gives way where a shared bound is full") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    book.database_bound("app", 1);
    book.serve(pool, 1);
    CHECK(book.check_in(1).empty());
    CHECK(book.ask_own_server(book.client(pool)) == Orders{"close s1: evicted"});
    CHECK(book.closed(1) == Orders{"open s2 on 0 for c2"});
}

TEST_CASE("… one for each client, where both bounds are full") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    book.database_bound("app", 2);
    book.user_bound("alice", 2);
    book.serve(pool, 2);
    CHECK(book.check_in(1).empty());
    CHECK(book.check_in(2).empty());
    CHECK(book.ask_own_server(book.client(pool)) == Orders{"close s1: evicted"});
    CHECK(book.closed(1) == Orders{"open s3 on 0 for c3"});
}

TEST_CASE("a replication client that goes while it waits leaves its place") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    CHECK(book.ask_own_server(book.client(pool)).empty());
    book.leave_queue(2);
    book.remove(2);
    CHECK(book.check_in(1).empty());
    CHECK(book.state(1) == ServerState::idle);
}

TEST_CASE("a server that has logged in for a client that is gone is closed") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    CHECK(book.ask_own_server(book.client(pool)) == Orders{"open s1 on 0 for c1"});
    book.remove(1);
    CHECK(book.logged_in(1) == Orders{"close s1: replication client was closed"});
    CHECK(book.closed(1).empty());
    CHECK(book.book.pool(pool)->open() == 0);
}

TEST_CASE("a login refused to a replication client says nothing of the pool's other logins") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    const int client = book.client(pool);
    CHECK(book.ask_own_server(client) == Orders{"open s1 on 0 for c1"});
    CHECK(book.check_out(book.client(pool)) == Orders{"open s2 on 0"});
    CHECK(book.refused_login(1).empty());
    CHECK(book.closed(1).empty());
    CHECK(book.next_called(pool).empty());
    CHECK(book.book.pool(pool)->failure.attempts == 0);
    CHECK(book.ask_own_server(client) == Orders{"open s3 on 0 for c1"});
}

TEST_CASE("a pool that cannot be reached holds back others, and not a replication client's own attempt") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    CHECK(book.check_out(book.client(pool)) == Orders{"open s1 on 0"});
    book.failed(1);
    book.closed(1);
    CHECK(book.ask_own_server(book.client(pool)) == Orders{"open s2 on 0 for c2"});
    CHECK(book.logged_in(2) == Orders{"grant s2 to c2"});
    CHECK(book.book.pool(pool)->failure.attempts == 1);
}

TEST_CASE("RECONNECT ends replication connections at the next round, those that are being opened too") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    book.ask_own_server(book.client(pool));
    book.logged_in(1);
    book.ask_own_server(book.client(pool));
    book.book.mark_for_close(pool);
    CHECK(book.tick(pool) == Orders{"close s1: close_needed", "close s2: close_needed"});
    CHECK(book.closed(1).empty());
    book.remove(1);
    CHECK(book.closed(2).empty());
}

TEST_CASE("a pause keeps replication clients waiting, and ends no stream") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    book.ask_own_server(book.client(pool));
    book.logged_in(1);
    book.book.pause("", true);
    CHECK(book.ask_own_server(book.client(pool)).empty());
    CHECK(book.tick(pool).empty());
    book.book.pause("", false);
    CHECK(book.tick(pool) == Orders{"open s2 on 0 for c2"});
}

TEST_CASE("replication clients that wait are refused with the others, and after a shutdown has begun at once") {
    BookScript book(2);
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    CHECK(book.ask_own_server(book.client(pool, 1)).empty());
    CHECK(book.refuse_waiting(pool, Fault::database_removed) == Orders{"look again on 1"});
    CHECK(book.next_called(pool, 1) == "c2: database removed");
    CHECK(book.next_called(pool, 1).empty());
    book.book.begin_shutdown();
    CHECK(book.ask_own_server(book.client(pool)) == Orders{"server shutting down"});
}

TEST_CASE("pool_size 0 bounds no replication client") {
    BookScript book;
    const auto pool = book.pool(pool_of(0));
    for (int i = 1; i <= 30; ++i)
        CHECK(book.ask_own_server(book.client(pool)) == Orders{"open s" + std::to_string(i) + " on 0 for c" + std::to_string(i)});
}

}  // namespace pgweir::test
