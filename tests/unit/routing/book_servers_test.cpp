// What a server connection goes through between two sessions: checks, resets, cancel requests, age.
#include "routing/book.hpp"
#include "tests/support/book_script.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

PoolPolicy checked(Microseconds delay) {
    PoolPolicy policy = pool_of(2);
    policy.server_check_query = "select 1";
    policy.server_check_delay = delay;
    return policy;
}

PoolPolicy session_pool() {
    PoolPolicy policy = pool_of(2);
    policy.mode = PoolMode::session;
    policy.server_reset_query = "DISCARD ALL";
    return policy;
}

}  // namespace

TEST_CASE("a server idle for server_check_delay is checked before it is lent") {
    BookScript book;
    const auto pool = book.pool(checked(seconds{30}));
    book.serve(pool, 1);
    book.check_in(1);
    book.wait(seconds{30} - Microseconds{1});
    CHECK(book.check_out(1) == Orders{"grant s1 to c1"});
    book.check_in(1);
    book.wait(seconds{30});
    CHECK(book.check_out(1) == Orders{"check s1"});
    CHECK(book.check_passed(1) == Orders{"grant s1 to c1"});
}

TEST_CASE("a server that fails its check is replaced and its session notices nothing") {
    BookScript book;
    const auto pool = book.pool(checked(seconds{30}));
    book.serve(pool, 2);
    book.check_in(1);
    book.check_in(2);
    book.wait(seconds{60});
    CHECK(book.check_out(1) == Orders{"check s2"});
    CHECK(book.lost(2) == Orders{"check s1"});
    CHECK(book.closed(2).empty());
    CHECK(book.lost(1) == Orders{"open s3 on 0"});
    CHECK(book.closed(1).empty());
    CHECK(book.logged_in(3) == Orders{"grant s3 to c1"});
}

TEST_CASE("each waiting session has a server checked of its own") {
    BookScript book;
    const auto pool = book.pool(checked(seconds{30}));
    book.serve(pool, 2);
    book.check_in(1);
    book.check_in(2);
    book.wait(seconds{60});
    CHECK(book.check_out(1) == Orders{"check s2"});
    CHECK(book.check_out(2) == Orders{"check s1"});
    CHECK(book.check_passed(1) == Orders{"grant s1 to c1"});
    CHECK(book.check_passed(2) == Orders{"grant s2 to c2"});
}

TEST_CASE("with a delay of 0 every reuse is checked, the first use is not") {
    BookScript book;
    const auto pool = book.pool(checked(Microseconds{0}));
    book.serve(pool, 1);
    book.check_in(1);
    CHECK(book.check_out(1) == Orders{"check s1"});
    CHECK(book.check_passed(1) == Orders{"grant s1 to c1"});
    book.serve(pool, 1);
    CHECK(book.check_out(book.client(pool)).empty());
    CHECK(book.check_in(1) == Orders{"check s1"});
    CHECK(book.check_passed(1) == Orders{"grant s1 to c3"});
}

TEST_CASE("a server moved to another worker is checked there") {
    BookScript book(2);
    const auto pool = book.pool(checked(seconds{30}));
    book.serve(pool, 1, 0);
    book.check_in(1);
    book.wait(seconds{60});
    CHECK(book.check_out(book.client(pool, 1)) == Orders{"move s1 from 0 to 1"});
    CHECK(book.arrived(1) == Orders{"check s1"});
    CHECK(book.check_passed(1) == Orders{"grant s1 to c2"});
}

TEST_CASE("a check that nobody used holds no longer than server_check_delay") {
    BookScript book;
    const auto pool = book.pool(checked(seconds{30}));
    book.serve(pool, 1);
    book.check_in(1);
    book.wait(seconds{30});
    CHECK(book.check_out(1) == Orders{"check s1"});
    book.leave_queue(1);
    CHECK(book.check_passed(1).empty());
    book.wait(seconds{29});
    CHECK(book.check_out(1) == Orders{"grant s1 to c1"});
    book.check_in(1);
    book.wait(seconds{30});
    CHECK(book.check_out(1) == Orders{"check s1"});
    book.leave_queue(1);
    CHECK(book.check_passed(1).empty());
    book.wait(seconds{60});
    CHECK(book.check_out(1) == Orders{"check s1"});
}

TEST_CASE("no check query, no check") {
    PoolPolicy policy = checked(Microseconds{0});
    policy.server_check_query.clear();
    BookScript book;
    const auto pool = book.pool(policy);
    book.serve(pool, 1);
    book.check_in(1);
    book.wait(seconds{60});
    CHECK(book.check_out(1) == Orders{"grant s1 to c1"});
}

TEST_CASE("session pooling resets a server before the next session has it") {
    BookScript book;
    const auto pool = book.pool(session_pool());
    book.serve(pool, 2);
    CHECK(book.check_out(book.client(pool)).empty());
    CHECK(book.check_in(1) == Orders{"reset s1"});
    CHECK(book.check_out(1).empty());
    CHECK(book.reset_done(1) == Orders{"grant s1 to c3"});
    CHECK(book.check_in(2) == Orders{"reset s2"});
    CHECK(book.reset_done(2) == Orders{"grant s2 to c1"});
}

TEST_CASE("a server being reset is one that is coming") {
    BookScript book;
    const auto pool = book.pool(session_pool());
    book.serve(pool, 1);
    CHECK(book.check_in(1) == Orders{"reset s1"});
    CHECK(book.check_out(1).empty());
    CHECK(book.lost(1) == Orders{"open s2 on 0"});
    CHECK(book.closed(1).empty());
}

TEST_CASE("transaction pooling resets only when told always to") {
    for (const bool always : {false, true}) {
        PoolPolicy policy = session_pool();
        policy.mode = PoolMode::transaction;
        policy.server_reset_query_always = always;
        BookScript book;
        book.serve(book.pool(policy), 1);
        CHECK(book.check_in(1) == (always ? Orders{"reset s1"} : Orders{}));
    }
}

TEST_CASE("no reset query, no reset") {
    PoolPolicy policy = session_pool();
    policy.server_reset_query.clear();
    BookScript book;
    book.serve(book.pool(policy), 1);
    CHECK(book.check_in(1).empty());
    CHECK(book.check_out(1) == Orders{"grant s1 to c1"});
}

TEST_CASE("a server past its lifetime ends at its return or in the janitor's round") {
    BookScript book;
    const auto pool = book.pool(pool_of(2));
    book.serve(pool, 2);
    book.check_in(1);
    book.wait(hours{1} - Microseconds{1});
    CHECK(book.tick(pool).empty());
    book.wait(Microseconds{1});
    CHECK(book.tick(pool) == Orders{"close s1: server lifetime over"});
    CHECK(book.check_in(2) == Orders{"close s2: server lifetime over"});
}

TEST_CASE("with a lifetime of 0 a server serves once") {
    PoolPolicy policy = pool_of(2);
    policy.server_lifetime = {};
    BookScript book;
    const auto pool = book.pool(policy);
    const int client = book.client(pool);
    book.check_out(client);
    book.leave_queue(client);
    CHECK(book.logged_in(1).empty());
    CHECK(book.tick(pool).empty());  // it has served nobody yet
    CHECK(book.check_out(client) == Orders{"grant s1 to c1"});
    CHECK(book.check_in(1) == Orders{"close s1: server lifetime over"});
}

TEST_CASE("idle servers end after server_idle_timeout, down to min_pool_size") {
    PoolPolicy policy = pool_of(5);
    policy.server_idle_timeout = seconds{600};
    policy.min_pool_size = 1;
    BookScript book;
    const auto pool = book.pool(policy);
    book.serve(pool, 3);
    book.check_in(1);
    book.wait(seconds{1});
    book.check_in(2);
    book.check_in(3);
    book.wait(seconds{599});
    CHECK(book.tick(pool) == Orders{"close s1: server idle timeout"});
    book.wait(seconds{1});
    CHECK(book.tick(pool) == Orders{"close s2: server idle timeout"});
    book.wait(seconds{600});
    CHECK(book.tick(pool).empty());
}

TEST_CASE("a server is held back until the cancel request for it is done") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    book.hold_for_cancel(1);
    CHECK(book.check_in(1).empty());
    CHECK(book.state(1) == ServerState::held_for_cancel);
    CHECK(book.check_out(1).empty());
    CHECK(book.cancel_done(1) == Orders{"grant s1 to c1"});
}

TEST_CASE("several cancel requests are waited for") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    book.hold_for_cancel(1);
    book.hold_for_cancel(1);
    CHECK(book.cancel_done(1).empty());
    CHECK(book.check_in(1).empty());
    CHECK(book.state(1) == ServerState::held_for_cancel);
    CHECK(book.cancel_done(1).empty());
    CHECK(book.check_out(1) == Orders{"grant s1 to c1"});
}

TEST_CASE("a cancel request done before the return holds nothing back") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    book.hold_for_cancel(1);
    CHECK(book.cancel_done(1).empty());
    CHECK(book.check_out(book.client(pool)).empty());
    CHECK(book.check_in(1) == Orders{"grant s1 to c2"});
}

TEST_CASE("a cancel request given up costs the server, not the request that runs") {
    BookScript running;
    running.serve(running.pool(pool_of(1)), 1);
    running.hold_for_cancel(1);
    CHECK(running.cancel_done(1, true).empty());
    CHECK(running.state(1) == ServerState::checked_out);
    CHECK(running.check_in(1) == Orders{"close s1: a cancel request for it could not be finished"});

    BookScript returned;
    returned.serve(returned.pool(pool_of(1)), 1);
    returned.hold_for_cancel(1);
    CHECK(returned.check_in(1).empty());
    CHECK(returned.cancel_done(1, true) == Orders{"close s1: a cancel request for it could not be finished"});
}

TEST_CASE("a server held for a cancel request is reset only when that is done") {
    BookScript book;
    const auto pool = book.pool(session_pool());
    book.serve(pool, 1);
    book.hold_for_cancel(1);
    CHECK(book.check_in(1).empty());
    CHECK(book.cancel_done(1) == Orders{"reset s1"});
    CHECK(book.reset_done(1).empty());
    CHECK(book.check_out(1) == Orders{"grant s1 to c1"});
}

TEST_CASE("a cancel request done after its server is gone changes nothing") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    book.hold_for_cancel(1);
    book.check_in(1);
    CHECK(book.lost(1).empty());
    CHECK(book.cancel_done(1).empty());
    CHECK(book.state(1) == ServerState::closing);
    book.closed(1);
    CHECK(book.cancel_done(1).empty());
    CHECK(book.book.broken_pairings() == 0);
}

TEST_CASE("no cancel request is sent for a server that nobody has") {
    BookScript book;
    book.serve(book.pool(pool_of(1)), 1);
    book.check_in(1);
    book.hold_for_cancel(1);
    CHECK(book.check_out(1) == Orders{"grant s1 to c1"});
    CHECK(book.check_in(1).empty());
    CHECK(book.state(1) == ServerState::idle);
}

}  // namespace pgweir::test
