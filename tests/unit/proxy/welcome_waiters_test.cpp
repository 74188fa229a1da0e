#include "proxy/welcome_waiters.hpp"

#include "tests/support/catch.hpp"

namespace pgweir {
namespace {

constexpr SessionId alice{1, 1};
constexpr SessionId bob{2, 1};

struct Bell {
    int rings = 0;
    auto rope() {
        return [this] { ++rings; };
    }
};

}  // namespace

TEST_CASE("a word that comes before its login waits for it is not lost") {
    WelcomeWaiters waiters;
    Bell bell;
    waiters.expect(alice);
    waiters.arrived(alice, Fault::query_wait_timeout);
    CHECK(!waiters.sleep(alice, bell.rope()));
    CHECK(waiters.take(alice) == Fault::query_wait_timeout);
    CHECK(bell.rings == 0);
}

TEST_CASE("a word wakes the login that waits for it, and no other") {
    WelcomeWaiters waiters;
    Bell of_alice, of_bob;
    REQUIRE(waiters.sleep(alice, of_alice.rope()));
    REQUIRE(waiters.sleep(bob, of_bob.rope()));
    waiters.arrived(alice, Fault::none);
    CHECK(of_alice.rings == 1);
    CHECK(of_bob.rings == 0);
    CHECK(waiters.take(alice) == Fault::none);
    CHECK(waiters.take(bob) == std::nullopt);
}

TEST_CASE("to expect a word twice does not lose the one that came in between") {
    WelcomeWaiters waiters;
    waiters.expect(alice);
    waiters.arrived(alice, Fault::none);
    waiters.expect(alice);
    CHECK(waiters.take(alice) == Fault::none);
}

TEST_CASE("a word that nobody expects any more is dropped") {
    WelcomeWaiters waiters;
    Bell bell;
    waiters.expect(alice);
    waiters.forget(alice);
    waiters.arrived(alice, Fault::none);
    CHECK(waiters.sleep(alice, bell.rope()));
    CHECK(waiters.take(alice) == std::nullopt);
    waiters.arrived(alice, Fault::none);
    CHECK(bell.rings == 0);
}

}  // namespace pgweir
