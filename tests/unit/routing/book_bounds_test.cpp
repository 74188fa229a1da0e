// The bounds on server connections and clients: what is opened, what gives way, who gets a freed permit.
#include "routing/book.hpp"
#include "tests/support/book_script.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {
namespace {

using std::chrono::seconds;

}  // namespace

TEST_CASE("a pool_size of 0 bounds nothing") {
    BookScript book;
    const auto pool = book.pool(pool_of(0));
    for (int i = 1; i <= 300; ++i)
        CHECK(book.check_out(book.client(pool)) == Orders{"open s" + std::to_string(i) + " on 0"});
}

TEST_CASE("below a lowered pool_size nothing is opened, above it servers end at their return") {
    BookScript book;
    const auto pool = book.pool(pool_of(3));
    book.serve(pool, 3);
    CHECK(book.check_out(book.client(pool)).empty());
    CHECK(book.set_policy(pool, pool_of(1)).empty());
    CHECK(book.check_in(1) == Orders{"close s1: too many servers in the pool"});  // though c4 waits
    CHECK(book.closed(1).empty());
    CHECK(book.check_in(2) == Orders{"close s2: too many servers in the pool"});
    CHECK(book.check_in(3) == Orders{"grant s3 to c4"});
    CHECK(book.closed(2).empty());
}

TEST_CASE("a raised pool_size opens servers for those who wait") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    for (int i = 0; i < 3; ++i) CHECK(book.check_out(book.client(pool)).empty());
    CHECK(book.set_policy(pool, pool_of(3)) == Orders{"open s2 on 0", "open s3 on 0"});
}

TEST_CASE("a permit comes back when the socket is closed, not when that is ordered") {
    BookScript book;
    const auto pool = book.pool(pool_of(1));
    book.serve(pool, 1);
    book.book.mark_for_close(pool);
    CHECK(book.check_in(1) == Orders{"close s1: close_needed"});
    CHECK(book.check_out(1).empty());
    CHECK(book.closed(1) == Orders{"open s2 on 0"});
}

TEST_CASE("room that comes before a lost server's own permit is used") {
    BookScript book;
    const auto pool = book.pool(pool_of(5));
    book.database_bound("app", 1);
    CHECK(book.check_out(book.client(pool)) == Orders{"open s1 on 0"});
    CHECK(book.lost(1).empty());
    CHECK(book.database_bound("app", 2) == Orders{"open s2 on 0"});
    CHECK(book.closed(1).empty());
}

TEST_CASE("a full database bound evicts the longest idle server of another pool") {
    BookScript book;
    const auto first = book.pool(pool_of(5), "app", "alice");
    const auto second = book.pool(pool_of(5), "app", "bob");
    book.database_bound("app", 2);
    book.serve(first, 2);
    book.check_in(2);
    book.wait(seconds{1});
    book.check_in(1);
    const int client = book.client(second);
    CHECK(book.check_out(client) == Orders{"close s2: evicted"});
    CHECK(book.closed(2) == Orders{"open s3 on 0"});
    CHECK(book.logged_in(3) == Orders{"grant s3 to c3"});
}

TEST_CASE("a full user bound evicts across databases") {
    BookScript book;
    const auto first = book.pool(pool_of(5), "app", "alice");
    const auto second = book.pool(pool_of(5), "other", "alice");
    book.user_bound("alice", 1);
    book.serve(first, 1);
    book.check_in(1);
    CHECK(book.check_out(book.client(second)) == Orders{"close s1: evicted"});
    CHECK(book.closed(1) == Orders{"open s2 on 0"});
}

TEST_CASE("what another database or user holds is not evicted") {
    BookScript book;
    const auto mine = book.pool(pool_of(5), "app", "alice");
    const auto alien = book.pool(pool_of(5), "other", "bob");
    book.database_bound("app", 1);
    book.serve(alien, 1);
    book.check_in(1);
    book.serve(mine, 1);
    CHECK(book.check_out(book.client(mine)).empty());
    CHECK(book.state(1) == ServerState::idle);
}

TEST_CASE("with nothing idle under a full bound the refused pool waits for a server that comes back") {
    BookScript book;
    const auto first = book.pool(pool_of(5), "app", "alice");
    const auto second = book.pool(pool_of(5), "app", "bob");
    book.database_bound("app", 2);
    book.serve(first, 2);
    CHECK(book.check_out(book.client(second)).empty());
    CHECK(book.check_in(1) == Orders{"close s1: evicted"});
    CHECK(book.check_in(2).empty());  // one waits, one gives way
    CHECK(book.closed(1) == Orders{"open s3 on 0"});
}

TEST_CASE("a server that its own pool's sessions wait for does not give way") {
    BookScript book;
    const auto first = book.pool(pool_of(5), "app", "alice");
    const auto second = book.pool(pool_of(5), "app", "bob");
    book.database_bound("app", 1);
    book.serve(first, 1);
    CHECK(book.check_out(book.client(second)).empty());
    CHECK(book.check_out(book.client(first)).empty());
    CHECK(book.check_in(1) == Orders{"grant s1 to c3"});
    CHECK(book.check_in(1) == Orders{"close s1: evicted"});
    CHECK(book.closed(1) == Orders{"open s2 on 0"});
}

TEST_CASE("a server that logs in for nobody gives way too") {
    BookScript book;
    const auto first = book.pool(pool_of(5), "app", "alice");
    const auto second = book.pool(pool_of(5), "app", "bob");
    book.database_bound("app", 1);
    const int gone = book.client(first);
    CHECK(book.check_out(gone) == Orders{"open s1 on 0"});
    book.leave_queue(gone);
    CHECK(book.check_out(book.client(second)).empty());
    CHECK(book.logged_in(1) == Orders{"close s1: evicted"});
    CHECK(book.closed(1) == Orders{"open s2 on 0"});
}

TEST_CASE("evictions never outnumber the sessions they are for") {
    BookScript book;
    const auto first = book.pool(pool_of(9), "app", "alice");
    const auto second = book.pool(pool_of(9), "app", "bob");
    book.database_bound("app", 4);
    book.serve(first, 4);
    for (int server = 1; server <= 4; ++server) book.check_in(server);
    CHECK(book.check_out(book.client(second)) == Orders{"close s1: evicted"});
    CHECK(book.check_out(book.client(second)) == Orders{"close s2: evicted"});
    CHECK(book.tick(second).empty());
    CHECK(book.closed(1) == Orders{"open s5 on 0"});
    CHECK(book.closed(2) == Orders{"open s6 on 0"});
    CHECK(book.state(3) == ServerState::idle);
    CHECK(book.state(4) == ServerState::idle);
}

TEST_CASE("where two bounds are full a server gives way under each") {
    BookScript book;
    const auto same_database = book.pool(pool_of(5), "app", "bob");
    const auto same_user = book.pool(pool_of(5), "other", "alice");
    const auto wanting = book.pool(pool_of(5), "app", "alice");
    book.database_bound("app", 1);
    book.user_bound("alice", 1);
    book.serve(same_database, 1);
    book.serve(same_user, 1);
    book.check_in(1);
    book.check_in(2);
    CHECK(book.check_out(book.client(wanting)) == Orders{"close s1: evicted", "close s2: evicted"});
    CHECK(book.closed(2).empty());  // one permit is not enough
    CHECK(book.closed(1) == Orders{"open s3 on 0"});
}

TEST_CASE("a freed permit goes to the refused pool that has waited longest") {
    BookScript book;
    const auto holder = book.pool(pool_of(5), "app", "alice");
    const auto late = book.pool(pool_of(5), "app", "bob");
    const auto early = book.pool(pool_of(5), "app", "carol");
    book.database_bound("app", 1);
    book.serve(holder, 1);
    CHECK(book.check_out(book.client(early)).empty());
    book.wait(seconds{1});
    CHECK(book.check_out(book.client(late)).empty());
    CHECK(book.closed(1) == Orders{"open s2 on 0"});
    CHECK(book.logged_in(2) == Orders{"grant s2 to c2"});
    CHECK(book.check_in(2) == Orders{"close s2: evicted"});
    CHECK(book.closed(2) == Orders{"open s3 on 0"});
    CHECK(book.logged_in(3) == Orders{"grant s3 to c3"});
}

TEST_CASE("a refused pool whose sessions have left claims nothing") {
    BookScript book;
    const auto holder = book.pool(pool_of(5), "app", "alice");
    const auto refused = book.pool(pool_of(5), "app", "bob");
    book.database_bound("app", 1);
    book.serve(holder, 1);
    const int client = book.client(refused);
    CHECK(book.check_out(client).empty());
    book.leave_queue(client);
    CHECK(book.check_in(1).empty());
    CHECK(book.state(1) == ServerState::idle);
}

TEST_CASE("a raised bound opens servers for the refused") {
    BookScript book;
    const auto holder = book.pool(pool_of(5), "app", "alice");
    const auto refused = book.pool(pool_of(5), "app", "bob");
    book.database_bound("app", 1);
    book.serve(holder, 1);
    book.check_out(book.client(refused));
    book.check_out(book.client(refused));
    CHECK(book.database_bound("app", 2) == Orders{"open s2 on 0"});
    CHECK(book.database_bound("app", 0) == Orders{"open s3 on 0"});
}

TEST_CASE("above a lowered database or user bound servers end at their return") {
    for (const bool by_user : {false, true}) {
        BookScript book;
        const auto pool = book.pool(pool_of(5));
        book.serve(pool, 3);
        CHECK((by_user ? book.user_bound("alice", 2) : book.database_bound("app", 2)).empty());
        CHECK(book.check_out(book.client(pool)).empty());
        CHECK(book.check_in(1) == Orders{"close s1: too many servers in the pool"});
        CHECK(book.closed(1).empty());
        CHECK(book.check_in(2) == Orders{"grant s2 to c4"});
    }
}

TEST_CASE("the reserve is used once the oldest session has waited long enough") {
    PoolPolicy policy = pool_of(1);
    policy.reserve_pool_size = 1;
    policy.reserve_pool_timeout = seconds{5};
    BookScript book;
    const auto pool = book.pool(policy);
    book.serve(pool, 1);
    book.check_out(book.client(pool));
    book.wait(seconds{5} - Microseconds{1});
    CHECK(book.tick(pool).empty());
    book.check_out(book.client(pool));
    book.wait(Microseconds{1});
    CHECK(book.tick(pool) == Orders{"open s2 on 0"});
    CHECK(book.tick(pool).empty());
    CHECK(book.logged_in(2) == Orders{"grant s2 to c2"});
    CHECK(book.check_in(2) == Orders{"grant s2 to c3"});  // an ordinary server now
    CHECK(book.check_in(2).empty());
    CHECK(book.check_in(1).empty());
}

TEST_CASE("without a time-out there is no reserve") {
    PoolPolicy policy = pool_of(1);
    policy.reserve_pool_size = 1;
    BookScript book;
    const auto pool = book.pool(policy);
    book.serve(pool, 1);
    book.check_out(book.client(pool));
    book.wait(std::chrono::hours{1} - seconds{1});
    CHECK(book.tick(pool).empty());
}

TEST_CASE("min_pool_size opens one server a round while the pool has a client") {
    PoolPolicy policy = pool_of(5);
    policy.min_pool_size = 2;
    BookScript book;
    const auto pool = book.pool(policy);
    CHECK(book.tick(pool).empty());
    book.client(pool);
    CHECK(book.tick(pool) == Orders{"open s1 on 0"});
    CHECK(book.tick(pool).front().starts_with("open s2"));
    CHECK(book.tick(pool).empty());
    CHECK(book.logged_in(1).empty());
}

TEST_CASE("min_pool_size needs no client where the user is forced") {
    PoolPolicy policy = pool_of(1);
    policy.min_pool_size = 2;
    policy.has_forced_user = true;
    BookScript book;
    const auto pool = book.pool(policy);
    CHECK(book.tick(pool) == Orders{"open s1 on 0"});
    CHECK(book.tick(pool).empty());  // pool_size is the bound
}

TEST_CASE("min_pool_size neither evicts nor queues") {
    PoolPolicy policy = pool_of(5);
    policy.min_pool_size = 1;
    BookScript book;
    const auto holder = book.pool(pool_of(5), "app", "alice");
    const auto wanting = book.pool(policy, "app", "bob");
    book.database_bound("app", 1);
    book.serve(holder, 1);
    book.check_in(1);
    book.client(wanting);
    CHECK(book.tick(wanting).empty());
    CHECK(book.closed(1).empty());
    CHECK(book.tick(wanting) == Orders{"open s2 on 0"});
}

TEST_CASE("cancel connections have a bound together with the pool's servers") {
    PoolPolicy policy = pool_of(2);
    policy.cancel_bound = 3;
    BookScript book;
    const auto pool = book.pool(policy);
    book.serve(pool, 2);
    CHECK(book.book.begin_cancel_connection(pool));
    CHECK_FALSE(book.book.begin_cancel_connection(pool));
    book.book.end_cancel_connection(pool);
    CHECK(book.book.begin_cancel_connection(pool));

    policy.cancel_bound = 0;
    book.set_policy(pool, policy);
    for (int i = 0; i < 50; ++i) CHECK(book.book.begin_cancel_connection(pool));
}

TEST_CASE("max_client_conn counts everybody and refuses the one too many") {
    Limits limits;
    limits.set_clients_max(2);
    CHECK(limits.admit_client() == Fault::none);
    CHECK(limits.admit_client() == Fault::none);
    CHECK(limits.admit_client() == Fault::too_many_clients);
    CHECK(limits.clients() == 3);
    limits.release_client();
    CHECK(limits.admit_client() == Fault::too_many_clients);
    limits.release_client();
    limits.release_client();
    CHECK(limits.admit_client() == Fault::none);
}

TEST_CASE("clients are bounded per database entry and per user, but for the exempt") {
    Limits limits;
    const auto app = limits.database("app");
    const auto alice = limits.user("alice");
    CHECK(limits.database("app") == app);
    limits.database_at(app).clients_max = 1;
    limits.user_at(alice).clients_max = 2;
    CHECK(limits.admit_to(app, alice, false, false) == Fault::none);
    CHECK(limits.admit_to(app, alice, false, false) == Fault::too_many_database_clients);
    limits.release_from(app, alice);
    const auto other = limits.database("other");
    CHECK(limits.admit_to(other, alice, false, false) == Fault::none);
    CHECK(limits.admit_to(other, alice, false, false) == Fault::too_many_user_clients);
    limits.release_from(other, alice);
    CHECK(limits.admit_to(app, alice, true, true) == Fault::none);
    CHECK(limits.database_at(app).clients == 2);
    CHECK(limits.user_at(alice).clients == 3);
}

}  // namespace pgweir::test
