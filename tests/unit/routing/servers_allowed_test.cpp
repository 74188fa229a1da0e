#include "routing/servers_allowed.hpp"

#include "tests/support/book_script.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {

namespace {

constexpr int unbounded = 10'000;

int allowed(const BookScript& book) { return servers_still_allowed(book.book, unbounded); }

}  // namespace

TEST_CASE("servers still allowed are what the pools' own bounds have left, the reserve included") {
    BookScript book;
    CHECK(allowed(book) == 0);
    PoolPolicy policy = pool_of(5);
    policy.reserve_pool_size = 2;
    const auto pool = book.pool(policy);
    book.pool(pool_of(3), "other");
    CHECK(allowed(book) == 10);
    book.serve(pool, 4);
    CHECK(allowed(book) == 6);
    book.set_policy(pool, pool_of(2));    // more are open than may be: none of the others' is taken for it
    CHECK(allowed(book) == 3);
}

TEST_CASE("shared bounds cut what their pools may still open") {
    BookScript book;
    const auto pool = book.pool(pool_of(5), "app", "alice");
    book.pool(pool_of(5), "app", "bob");
    book.pool(pool_of(5), "other", "alice");
    CHECK(allowed(book) == 15);
    book.database_bound("app", 4);
    CHECK(allowed(book) == 9);
    book.serve(pool, 1);
    CHECK(allowed(book) == 8);
    book.user_bound("alice", 2);    // alice 1, bob 5
    CHECK(allowed(book) == 6);
}

TEST_CASE("a pool without a bound may open any number, unless a shared bound says otherwise") {
    BookScript book;
    book.pool(pool_of(0));
    CHECK(allowed(book) == unbounded);
    book.database_bound("app", 7);
    CHECK(allowed(book) == 7);
    CHECK(servers_to_expect(allowed(book), 3) == 3);
    CHECK(servers_to_expect(allowed(book), 30) == 7);
}

}  // namespace pgweir::test
