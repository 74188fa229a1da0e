// What concerns a whole pool: pause, reconnect, shutdown, a server that cannot be reached, the welcome of logins.
#include "routing/book.hpp"
#include "tests/support/book_script.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string failing = std::string(fault_row(Fault::server_login_failing).message);

}  // namespace

TEST_CASE("a paused pool lends and opens nothing, and its servers end") {
    for (const std::string_view name : {"app", ""}) {
        BookScript book;
        const auto pool = book.pool(pool_of(5));
        book.serve(pool, 2);
        book.check_in(1);
        book.book.pause(name, true);
        CHECK(book.check_out(1).empty());
        CHECK(book.tick(pool) == Orders{"close s1: pause mode"});
        CHECK(book.closed(1).empty());
        CHECK(book.check_in(2) == Orders{"close s2: pause mode"});
        CHECK(book.closed(2).empty());
        CHECK(book.book.pool(pool)->open() == 0);
        book.book.pause(name, false);
        CHECK(book.tick(pool) == Orders{"open s3 on 0"});
        CHECK(book.logged_in(3) == Orders{"grant s3 to c1"});
    }
}

TEST_CASE("a pause closes servers that are logging in, moving or being checked") {
    BookScript book(2);
    PoolPolicy policy = pool_of(5);
    policy.server_check_query = "select 1";
    policy.server_check_delay = seconds{30};
    const auto pool = book.pool(policy);
    book.serve(pool, 2, 0);
    book.check_in(1);
    book.check_in(2);
    book.wait(seconds{60});
    CHECK(book.check_out(1) == Orders{"check s2"});
    CHECK(book.check_out(book.client(pool, 1)) == Orders{"move s1 from 0 to 1"});
    CHECK(book.check_out(book.client(pool, 1)) == Orders{"open s3 on 1"});
    book.book.pause("app", true);
    CHECK(book.tick(pool) == Orders{"close s3: pause mode"});
    CHECK(book.arrived(1) == Orders{"close s1: pause mode"});
    CHECK(book.check_passed(2) == Orders{"close s2: pause mode"});
    for (const int server : {1, 2, 3}) CHECK(book.closed(server).empty());
}

TEST_CASE("a pause of one database leaves the others alone") {
    BookScript book;
    const auto pool = book.pool(pool_of(1), "other", "alice");
    book.serve(pool, 1);
    book.book.pause("app", true);
    book.check_in(1);
    CHECK(book.tick(pool).empty());
    CHECK(book.check_out(1) == Orders{"grant s1 to c1"});
}

TEST_CASE("a session that came during a short pause gets the idle server that outlived it") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    book.check_in(1);
    book.book.pause("app", true);
    CHECK(book.check_out(1).empty());
    book.book.pause("app", false);
    CHECK(book.tick(pool) == Orders{"look again on 0"});
    CHECK(book.serve_waiting(pool, 0) == Orders{"grant s1 to c1"});
}

TEST_CASE("a mark reaches idle, lent and connecting servers") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    book.serve(pool, 2);
    CHECK(book.check_out(book.client(pool)) == Orders{"open s3 on 0"});
    CHECK_FALSE(book.book.has_marked_servers(pool));
    book.book.mark_for_close(pool);
    CHECK(book.tick(pool) == Orders{"close s3: close_needed", "open s4 on 0"});
    CHECK(book.closed(3).empty());
    CHECK(book.logged_in(4) == Orders{"grant s4 to c3"});
    CHECK(book.check_in(1) == Orders{"close s1: close_needed"});
    book.closed(1);
    CHECK(book.check_in(4).empty());
    CHECK(book.tick(pool).empty());
    CHECK(book.book.has_marked_servers(pool));
    CHECK(book.check_in(2) == Orders{"close s2: close_needed"});
    book.closed(2);
    CHECK_FALSE(book.book.has_marked_servers(pool));
}

TEST_CASE("a changed target is the reason of the closes, and what failed before it is forgotten") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    book.serve(pool, 1);
    book.book.mark_for_close(pool, CloseReason::target_changed);
    CHECK(book.check_in(1) == Orders{"close s1: database configuration changed"});
    book.closed(1);
    CHECK(book.check_out(book.client(pool)) == Orders{"open s2 on 0"});
    book.failed(2);
    CHECK(book.book.pool(pool)->failure.attempts == 1);
    book.book.mark_for_close(pool, CloseReason::target_changed);
    CHECK(book.book.pool(pool)->failure.attempts == 0);
}

TEST_CASE("who is welcomed by a new server may ask before its login is told, and is not refused") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    CHECK(book.check_out(book.client(pool)) == Orders{"open s1 on 0"});
    book.failed(1);
    book.wait(Microseconds{1'000'000});
    CHECK(book.tick(pool) == Orders{"open s2 on 0"});
    book.set_welcome(2);
    CHECK(book.check_out(book.client(pool)) == Orders{});
    CHECK(book.logged_in(2) == Orders{"grant s2 to c1", "open s3 on 0"});
}

TEST_CASE("while shutting down requests are refused and servers end") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    book.serve(pool, 2);
    book.check_in(1);
    book.book.begin_shutdown();
    CHECK(book.check_out(1) == Orders{std::string("refuse c1: ") + fault_row(Fault::server_shutting_down).message});
    CHECK(book.check_in(2) == Orders{"close s2: server shutting down"});
    CHECK(book.tick(pool) == Orders{"close s1: server shutting down"});
    CHECK(book.closed(1).empty());
}

TEST_CASE("those who wait for a server that cannot be reached go on waiting, new requests are told") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    CHECK(book.check_out(book.client(pool)) == Orders{"open s1 on 0"});
    CHECK(book.failed(1).empty());
    CHECK(book.closed(1).empty());
    CHECK(book.next_called(pool).empty());
    CHECK(book.check_out(book.client(pool)) == Orders{"refuse c2: " + failing});
    book.wait(first_retry - Microseconds{1});
    CHECK(book.tick(pool).empty());
    book.wait(Microseconds{1});
    CHECK(book.tick(pool) == Orders{"open s2 on 0"});
    CHECK(book.check_out(2) == Orders{"refuse c2: " + failing});
    CHECK(book.logged_in(2) == Orders{"grant s2 to c1"});
    CHECK(book.check_out(2) == Orders{"open s3 on 0"});
}

TEST_CASE("a request that is refused while a retry is due makes it happen") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    const int client = book.client(pool);
    book.check_out(client);
    book.leave_queue(client);
    book.failed(1);
    book.closed(1);
    book.wait(first_retry);
    CHECK(book.check_out(client) == Orders{"refuse c1: " + failing, "open s2 on 0"});
    CHECK(book.check_out(client) == Orders{"refuse c1: " + failing});  // one attempt at a time
}

TEST_CASE("the pause between attempts doubles up to server_login_retry and begins anew after a success") {
    PoolPolicy policy = pool_of(5);
    policy.server_login_retry = milliseconds{900};
    BookScript book;
    const auto pool = book.pool(policy);
    book.check_out(book.client(pool));
    int server = 1;
    const auto fail_and_measure = [&] {
        book.failed(server);
        book.closed(server);
        Microseconds pause{};
        while (book.tick(pool).empty()) {
            book.wait(milliseconds{1});
            pause += milliseconds{1};
        }
        ++server;
        return pause;
    };
    CHECK(fail_and_measure() == milliseconds{250});
    CHECK(fail_and_measure() == milliseconds{500});
    CHECK(fail_and_measure() == milliseconds{900});
    CHECK(fail_and_measure() == milliseconds{900});
    CHECK(book.logged_in(server) == Orders{"grant s5 to c1"});
    book.lost(server);
    book.closed(server);
    CHECK(book.check_out(1) == Orders{"open s6 on 0"});
    ++server;
    CHECK(fail_and_measure() == milliseconds{250});
}

TEST_CASE("while a server cannot be reached one attempt is made for all who wait") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    for (int i = 0; i < 3; ++i) book.check_out(book.client(pool));
    for (const int server : {1, 2, 3}) {
        CHECK(book.failed(server).empty());
        CHECK(book.closed(server).empty());
    }
    book.wait(seconds{1});
    CHECK(book.tick(pool) == Orders{"open s4 on 0"});
    CHECK(book.tick(pool).empty());
    CHECK(book.logged_in(4) == Orders{"grant s4 to c1", "open s5 on 0", "open s6 on 0"});
}

TEST_CASE("a failed attempt is no reason to refuse while another server is there") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    book.serve(pool, 1);
    CHECK(book.check_out(book.client(pool)) == Orders{"open s2 on 0"});
    CHECK(book.refused_login(2).empty());
    book.closed(2);
    CHECK(book.check_out(book.client(pool)).empty());
    CHECK(book.check_in(1) == Orders{"grant s1 to c2"});
    CHECK(book.check_in(1) == Orders{"grant s1 to c3"});
}

TEST_CASE("after a RECONNECT a login that the server refuses drops those who wait, though a marked server is still lent") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    book.serve(pool, 1);
    book.book.mark_for_close(pool);
    CHECK(book.check_out(book.client(pool)) == Orders{"open s2 on 0"});
    CHECK(book.refused_login(2) == Orders{"look again on 0"});
    CHECK(book.next_called(pool) == "c2: " + std::string(fault_row(Fault::server_login_failed).message));
}

TEST_CASE("a login that the server refuses drops those who wait, on every worker") {
    BookScript book(2);
    const auto pool = book.pool(pool_of(1));
    book.check_out(book.client(pool, 0));
    book.check_out(book.client(pool, 1));
    book.check_out(book.client(pool, 1));
    CHECK(book.refused_login(1) == Orders{"look again on 0", "look again on 1"});
    const std::string refusal = std::string(": ") + fault_row(Fault::server_login_failed).message;
    CHECK(book.next_called(pool, 0) == "c1" + refusal);
    CHECK(book.next_called(pool, 0).empty());
    CHECK(book.next_called(pool, 1) == "c2" + refusal);
    CHECK(book.next_called(pool, 1) == "c3" + refusal);
    CHECK(book.next_called(pool, 1).empty());
    CHECK(book.closed(1).empty());
    CHECK(book.book.pool(pool)->failure.sqlstate == "28P01");
}

TEST_CASE("a refusal does not reach those who come to wait after it") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    book.check_out(book.client(pool));
    book.refuse_waiting(pool, Fault::admin_disconnect);
    book.check_out(book.client(pool));
    CHECK(book.next_called(pool) == std::string("c2: ") + fault_row(Fault::admin_disconnect).message);
    CHECK(book.next_called(pool).empty());
    CHECK(book.check_in(1) == Orders{"grant s1 to c3"});
}

TEST_CASE("a server that is starting up is waited for") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.check_out(book.client(pool));
    CHECK(book.failed(1, CloseReason::login_failed, "57P03").empty());
    CHECK(book.closed(1).empty());
    CHECK(book.check_out(book.client(pool)).empty());
    book.wait(seconds{1});
    CHECK(book.tick(pool) == Orders{"open s2 on 0"});
    CHECK(book.logged_in(2) == Orders{"grant s2 to c1"});
    CHECK(book.check_in(2) == Orders{"grant s2 to c2"});
}

TEST_CASE("a login waits for the parameters of the pool's first server") {
    BookScript book(2);
    const auto pool = book.pool(pool_of(5));
    CHECK(book.await_welcome(book.client(pool, 1)) == Orders{"open s1 on 1"});
    CHECK(book.await_welcome(book.client(pool, 0)).empty());  // one server is enough for all logins
    CHECK(book.set_welcome(1) == Orders{"look again on 0", "look again on 1"});
    CHECK(book.logged_in(1).empty());
    CHECK(book.next_called(pool, 1) == "c1: ");
    CHECK(book.next_called(pool, 0) == "c2: ");
    CHECK(book.next_called(pool, 0).empty());
    CHECK(book.await_welcome(book.client(pool)) == Orders{"welcome"});
    CHECK(book.check_out(1) == Orders{"grant s1 to c1"});
}

TEST_CASE("a login goes on waiting while the server cannot be reached") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    book.await_welcome(book.client(pool));
    CHECK(book.failed(1).empty());
    book.closed(1);
    CHECK(book.await_welcome(book.client(pool)).empty());
    CHECK(book.next_called(pool).empty());
    book.wait(seconds{1});
    CHECK(book.tick(pool) == Orders{"open s2 on 0"});
}

TEST_CASE("a login that the server refuses ends those who wait for their welcome") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    book.await_welcome(book.client(pool));
    CHECK(book.refused_login(1) == Orders{"look again on 0"});
    CHECK(book.next_called(pool) == std::string("c1: ") + fault_row(Fault::server_login_failed).message);
}

TEST_CASE("a mark drops the welcome, and the next login has a new server opened for it") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    book.serve(pool, 1);
    book.set_welcome(1);
    book.book.mark_for_close(pool);
    CHECK(book.await_welcome(book.client(pool)) == Orders{"open s2 on 0"});
    CHECK(book.set_welcome(2) == Orders{"look again on 0"});
}

TEST_CASE("what a server of before a mark reports welcomes nobody") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    CHECK(book.await_welcome(book.client(pool)) == Orders{"open s1 on 0"});
    book.book.mark_for_close(pool);
    CHECK(book.set_welcome(1).empty());
    CHECK(book.logged_in(1) == Orders{"close s1: close_needed", "open s2 on 0"});
    CHECK(book.set_welcome(2) == Orders{"look again on 0"});
}

TEST_CASE("a login under a full bound has an idle server of another pool evicted") {
    BookScript book;
    const auto holder = book.pool(pool_of(5), "app", "alice");
    const auto pool = book.pool(pool_of(5), "app", "bob");
    book.database_bound("app", 1);
    book.serve(holder, 1);
    book.check_in(1);
    CHECK(book.await_welcome(book.client(pool)) == Orders{"close s1: evicted"});
    CHECK(book.closed(1) == Orders{"open s2 on 0"});
}

TEST_CASE("a round over many servers asks to be called again, and closes each once") {
    BookScript book;
    const auto pool = book.pool(pool_of(0));
    book.serve(pool, 300);
    for (int server = 1; server <= 300; ++server) book.check_in(server);
    book.book.mark_for_close(pool);
    BookActions out;
    std::size_t closed = 0;
    bool more = true;
    for (int round = 0; more && round < 20; ++round) {
        out.clear();
        more = book.book.tick(pool, book.now, out);
        closed += static_cast<std::size_t>(out.size());
    }
    CHECK_FALSE(more);
    CHECK(closed == 300);
}

}  // namespace pgweir::test
