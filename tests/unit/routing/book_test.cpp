// Who gets which server connection: order, workers, leaving, and what happens to late or wrong reports.
#include "routing/book.hpp"

#include "tests/support/book_script.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {

TEST_CASE("the first request opens a server and gets it when it has logged in") {
    BookScript book;
    const int client = book.client(book.pool(pool_of(5)));
    CHECK(book.check_out(client) == Orders{"open s1 on 0"});
    CHECK(book.logged_in(1) == Orders{"grant s1 to c1"});
    CHECK(book.check_in(1).empty());
    CHECK(book.check_out(client) == Orders{"grant s1 to c1"});
}

TEST_CASE("sessions are served in the order of their arrival") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    for (int i = 0; i < 3; ++i) CHECK(book.check_out(book.client(pool)).empty());
    CHECK(book.check_in(1) == Orders{"grant s1 to c2"});
    CHECK(book.check_out(1).empty());
    CHECK(book.check_in(1) == Orders{"grant s1 to c3"});
    CHECK(book.check_in(1) == Orders{"grant s1 to c4"});
    CHECK(book.check_in(1) == Orders{"grant s1 to c1"});
}

TEST_CASE("a server is opened for each waiting session, up to pool_size") {
    BookScript book;
    const auto pool = book.pool(pool_of(2));
    CHECK(book.check_out(book.client(pool)) == Orders{"open s1 on 0"});
    CHECK(book.check_out(book.client(pool)) == Orders{"open s2 on 0"});
    CHECK(book.check_out(book.client(pool)).empty());
    CHECK(book.logged_in(2) == Orders{"grant s2 to c1"});  // whoever it was opened for
    CHECK(book.logged_in(1) == Orders{"grant s1 to c2"});
}

TEST_CASE("the server used last is used next, or first with round robin") {
    for (const bool round_robin : {false, true}) {
        PoolPolicy policy = pool_of(3);
        policy.round_robin = round_robin;
        BookScript book;
        const auto pool = book.pool(policy);
        book.serve(pool, 3);
        for (const int server : {2, 3, 1}) CHECK(book.check_in(server).empty());
        CHECK(book.check_out(1) == Orders{round_robin ? "grant s2 to c1" : "grant s1 to c1"});
        CHECK(book.check_out(2) == Orders{"grant s3 to c2"});
    }
}

TEST_CASE("a session that leaves the queue is passed over") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    for (int i = 0; i < 3; ++i) book.check_out(book.client(pool));
    book.leave_queue(2);
    book.remove(3);
    CHECK(book.check_in(1) == Orders{"grant s1 to c4"});
    CHECK(book.check_in(1).empty());
    CHECK(book.check_out(2) == Orders{"grant s1 to c2"});
}

TEST_CASE("a server opened for a session that left serves the next one") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    CHECK(book.check_out(book.client(pool)) == Orders{"open s1 on 0"});
    book.remove(1);
    CHECK(book.check_out(book.client(pool)).empty());  // s1 is coming
    CHECK(book.logged_in(1) == Orders{"grant s1 to c2"});
}

TEST_CASE("a lost server opens another for those who wait, once its socket is closed") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    CHECK(book.check_out(book.client(pool)).empty());
    CHECK(book.lost(1).empty());
    CHECK(book.book.pool(pool)->open() == 1);
    CHECK(book.closed(1) == Orders{"open s2 on 0"});
    CHECK(book.logged_in(2) == Orders{"grant s2 to c2"});
    CHECK(book.check_out(1).empty());  // the one that lost it may ask again
}

TEST_CASE("an idle server that is lost is not lent") {
    BookScript book;
    const auto pool = book.pool(pool_of(2));
    book.serve(pool, 1);
    CHECK(book.check_in(1).empty());
    CHECK(book.lost(1).empty());
    CHECK(book.check_out(1) == Orders{"open s2 on 0"});
    CHECK(book.closed(1).empty());
}

TEST_CASE("an idle server of another worker moves to the session") {
    BookScript book(2);
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1, 0);
    CHECK(book.check_in(1).empty());
    const int elsewhere = book.client(pool, 1);
    CHECK(book.check_out(elsewhere) == Orders{"move s1 from 0 to 1"});
    CHECK(book.state(1) == ServerState::in_transit);
    CHECK(book.arrived(1) == Orders{"grant s1 to c2"});
    CHECK(book.check_in(1).empty());
    CHECK(book.check_out(elsewhere) == Orders{"grant s1 to c2"});  // it stays where it has come
}

TEST_CASE("a worker's own idle server comes before another worker's and before a new one") {
    BookScript book(2);
    const auto pool = book.pool(pool_of(5));
    book.serve(pool, 1, 0);
    book.serve(pool, 1, 1);
    CHECK(book.check_in(2).empty());
    CHECK(book.check_in(1).empty());
    CHECK(book.check_out(2) == Orders{"grant s2 to c2"});
    CHECK(book.check_out(book.client(pool, 1)) == Orders{"move s1 from 0 to 1"});
    CHECK(book.check_out(book.client(pool, 1)) == Orders{"open s3 on 1"});
}

TEST_CASE("with round robin a worker's own servers take turns, though another's rest for longer") {
    PoolPolicy policy = pool_of(4);
    policy.round_robin = true;
    BookScript book(2);
    const auto pool = book.pool(policy);
    book.serve(pool, 2, 1);
    book.serve(pool, 2, 0);
    for (const int server : {1, 2, 3, 4}) book.check_in(server);
    for (const int server : {3, 4, 3, 4}) {
        CHECK(book.check_out(3) == Orders{"grant s" + std::to_string(server) + " to c3"});
        CHECK(book.check_in(server).empty());
    }
}

TEST_CASE("a server is opened on the worker whose session waits") {
    BookScript book(3);
    const auto pool = book.pool(pool_of(5));
    CHECK(book.check_out(book.client(pool, 2)) == Orders{"open s1 on 2"});
    CHECK(book.check_out(book.client(pool, 1)) == Orders{"open s2 on 1"});
    CHECK(book.logged_in(2) == Orders{"grant s2 to c2"});
}

TEST_CASE("a server in transit counts against pool_size and as coming") {
    BookScript book(2);
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1, 0);
    book.check_in(1);
    CHECK(book.check_out(book.client(pool, 1)) == Orders{"move s1 from 0 to 1"});
    CHECK(book.check_out(1).empty());
    CHECK(book.arrived(1) == Orders{"grant s1 to c2"});
    CHECK(book.check_in(1) == Orders{"move s1 from 1 to 0"});
    CHECK(book.arrived(1) == Orders{"grant s1 to c1"});
}

TEST_CASE("no worker is sent more servers than it has waiting sessions") {
    BookScript book(2);
    const auto pool = book.pool(pool_of(2));
    book.serve(pool, 2, 0);
    CHECK(book.check_out(book.client(pool, 1)).empty());
    CHECK(book.check_in(1) == Orders{"move s1 from 0 to 1"});
    CHECK(book.check_in(2).empty());
    CHECK(book.state(2) == ServerState::idle);
    CHECK(book.arrived(1) == Orders{"grant s1 to c3"});
}

TEST_CASE("a server that arrives when its session has left goes on to another, or stays") {
    BookScript book(3);
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1, 0);
    const int first = book.client(pool, 1);
    const int second = book.client(pool, 2);
    CHECK(book.check_out(first).empty());
    CHECK(book.check_in(1) == Orders{"move s1 from 0 to 1"});
    CHECK(book.check_out(second).empty());
    book.leave_queue(first);
    CHECK(book.arrived(1) == Orders{"move s1 from 1 to 2"});
    book.leave_queue(second);
    CHECK(book.arrived(1).empty());
    CHECK(book.check_out(second) == Orders{"grant s1 to c3"});
}

TEST_CASE("a worker's own session goes first unless another's has waited a millisecond longer") {
    for (const auto longer : {Microseconds{1'000}, Microseconds{1'001}}) {
        BookScript book(2);
        const auto pool = book.pool(pool_of(1));
        book.serve(pool, 1, 0);
        const int other = book.client(pool, 1);
        const int own = book.client(pool, 0);
        book.check_out(other);
        book.wait(longer);
        book.check_out(own);
        const bool moves = longer > move_advantage;
        CHECK(book.check_in(1) == Orders{moves ? "move s1 from 0 to 1" : "grant s1 to c3"});
    }
}

TEST_CASE("a server lost on its way is replaced by an idle one, or by a new one") {
    BookScript book(2);
    const auto pool = book.pool(pool_of(2));
    book.serve(pool, 2, 0);
    CHECK(book.check_out(book.client(pool, 1)).empty());
    CHECK(book.check_in(1) == Orders{"move s1 from 0 to 1"});
    CHECK(book.check_in(2).empty());
    CHECK(book.lost(1) == Orders{"move s2 from 0 to 1"});
    CHECK(book.closed(1).empty());
    CHECK(book.lost(2) == Orders{"open s3 on 1"});
    CHECK(book.closed(2).empty());
    CHECK(book.logged_in(3) == Orders{"grant s3 to c3"});
}

TEST_CASE("no server of one pool serves another") {
    BookScript book;
    const auto pool = book.pool(pool_of(5), "app", "alice");
    book.serve(pool, 1);
    book.check_in(1);
    for (const auto& [database, user] : {std::pair{"app", "bob"}, {"other", "alice"}}) {
        const auto other = book.pool(pool_of(5), database, user);
        CHECK_FALSE(other == pool);
        CHECK(book.check_out(book.client(other)).front().starts_with("open"));
    }
    CHECK(book.pool(pool_of(5), "app", "alice") == pool);
}

TEST_CASE("a report about a server that is gone changes nothing") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    book.closed(1);
    book.check_out(1);
    REQUIRE(book.id(2).index == book.id(1).index);  // the place is used again
    REQUIRE_FALSE(book.id(2) == book.id(1));
    for (const auto& orders : {book.logged_in(1), book.check_in(1), book.arrived(1), book.reset_done(1),
                               book.check_passed(1), book.lost(1), book.closed(1), book.failed(1), book.cancel_done(1)})
        CHECK(orders.empty());
    book.hold_for_cancel(1);
    CHECK(book.state(2) == ServerState::connecting);
    CHECK(book.logged_in(2) == Orders{"grant s2 to c1"});
}

TEST_CASE("a report that does not fit a server's state is counted and changes nothing") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    book.check_in(1);
    CHECK(book.book.broken_pairings() == 0);
    CHECK(book.check_in(1).empty());
    CHECK(book.logged_in(1).empty());
    CHECK(book.arrived(1).empty());
    CHECK(book.book.broken_pairings() == 3);
    CHECK(book.check_out(1) == Orders{"grant s1 to c1"});
    CHECK(book.check_out(1).empty());  // it has one
    CHECK(book.book.broken_pairings() == 4);
}

TEST_CASE("a report that crossed with an order to close is no fault") {
    BookScript book;
    PoolPolicy policy = pool_of(1);
    policy.server_idle_timeout = std::chrono::seconds{10};
    const auto pool = book.pool(policy);
    book.serve(pool, 1);
    book.check_in(1);
    book.wait(std::chrono::seconds{10});
    CHECK(book.tick(pool) == Orders{"close s1: server idle timeout"});
    CHECK(book.lost(1).empty());
    CHECK(book.arrived(1).empty());
    CHECK(book.closed(1).empty());
    CHECK(book.book.broken_pairings() == 0);
}

TEST_CASE("a session removed while it has a server leaves the server to its worker") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    CHECK(book.check_out(book.client(pool)).empty());
    book.remove(1);
    CHECK(book.state(1) == ServerState::checked_out);
    CHECK(book.check_in(1) == Orders{"grant s1 to c2"});
    CHECK(book.book.broken_pairings() == 0);
}

TEST_CASE("a pool is removed only when nothing is in it") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    const int client = book.client(pool);
    book.book.remove_pool(pool);
    REQUIRE(book.book.pool(pool) != nullptr);
    book.check_out(client);
    book.logged_in(1);
    book.check_in(1);
    book.remove(client);
    book.book.remove_pool(pool);
    REQUIRE(book.book.pool(pool) != nullptr);
    book.closed(1);
    CHECK(book.book.begin_cancel_connection(pool));
    book.book.remove_pool(pool);
    REQUIRE(book.book.pool(pool) != nullptr);
    book.book.end_cancel_connection(pool);
    book.book.remove_pool(pool);
    CHECK(book.book.pool(pool) == nullptr);
    CHECK_FALSE(book.pool(pool_of(1)) == pool);
}

}  // namespace pgweir::test
