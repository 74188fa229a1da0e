#include "routing/pool_decisions.hpp"

#include "tests/support/catch.hpp"

namespace pgweir::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace

TEST_CASE("a server is opened for each waiting session that has none coming") {
    CHECK(servers_to_open({.open = 0, .coming = 0, .waiting = 3, .bound = 10}) == 3);
    CHECK(servers_to_open({.open = 2, .coming = 2, .waiting = 3, .bound = 10}) == 1);
    CHECK(servers_to_open({.open = 5, .coming = 5, .waiting = 3, .bound = 10}) == 0);
    CHECK(servers_to_open({.open = 0, .coming = 0, .waiting = 0, .bound = 10}) == 0);
}

TEST_CASE("no more are opened than the bound leaves room for") {
    CHECK(servers_to_open({.open = 8, .coming = 0, .waiting = 5, .bound = 10}) == 2);
    CHECK(servers_to_open({.open = 10, .coming = 0, .waiting = 5, .bound = 10}) == 0);
    CHECK(servers_to_open({.open = 12, .coming = 0, .waiting = 5, .bound = 10}) == 0);
    CHECK(servers_to_open({.open = 12, .coming = 0, .waiting = 5, .bound = 0}) == 5);
}

TEST_CASE("who wants a server of his own is served by none that is coming") {
    CHECK(servers_to_open({.open = 3, .coming = 3, .waiting = 1, .bound = 10, .own = 2}) == 2);
    CHECK(servers_to_open({.open = 3, .coming = 1, .waiting = 2, .bound = 10, .own = 2}) == 3);
    CHECK(servers_to_open({.open = 9, .coming = 1, .waiting = 2, .bound = 10, .own = 2}) == 1);
    CHECK(servers_to_open({.open = 9, .coming = 1, .waiting = 2, .bound = 0, .own = 2}) == 3);
}

TEST_CASE("whatever the load, opening keeps within the bound and the demand") {
    for (int open = 0; open <= 6; ++open)
        for (int coming = 0; coming <= open; ++coming)
            for (int waiting = 0; waiting <= 6; ++waiting)
                for (int bound = 0; bound <= 6; ++bound) {
                    const int opened = servers_to_open({open, coming, waiting, bound});
                    CHECK(opened >= 0);
                    CHECK(opened + coming <= std::max(waiting, coming));
                    if (bound > 0 && opened > 0) CHECK(open + opened <= bound);
                    const bool someone_waits_in_vain = waiting > coming + opened;
                    CHECK_FALSE((someone_waits_in_vain && (bound == 0 || open + opened < bound)));
                }
}

TEST_CASE("the reserve counts from the moment that the oldest wait reaches its time-out") {
    PoolPolicy policy;
    policy.pool_size = 10;
    policy.reserve_pool_size = 3;
    policy.reserve_pool_timeout = seconds{5};
    CHECK(opening_bound(policy, seconds{5} - Microseconds{1}) == 10);
    CHECK(opening_bound(policy, seconds{5}) == 13);
    CHECK(keeping_bound(policy) == 13);
    policy.reserve_pool_timeout = {};
    CHECK(opening_bound(policy, seconds{500}) == 10);
    policy.pool_size = 0;
    CHECK(opening_bound(policy, seconds{500}) == 0);
    CHECK(keeping_bound(policy) == 0);
}

TEST_CASE("the pause between attempts doubles from 250 ms up to its ceiling") {
    CHECK(retry_pause(1, seconds{15}, 0) == milliseconds{250});
    CHECK(retry_pause(2, seconds{15}, 0) == milliseconds{500});
    CHECK(retry_pause(3, seconds{15}, 0) == seconds{1});
    CHECK(retry_pause(6, seconds{15}, 0) == seconds{8});
    CHECK(retry_pause(7, seconds{15}, 0) == seconds{15});
    CHECK(retry_pause(1'000'000, seconds{15}, 0) == seconds{15});
    CHECK(retry_pause(1, milliseconds{100}, 0) == milliseconds{100});
    CHECK(retry_pause(5, Microseconds{0}, 0) == Microseconds{0});
}

TEST_CASE("chance takes up to a fifth off a pause and up to a tenth off a lifetime") {
    Microseconds shortest = seconds{15};
    Microseconds youngest = seconds{3600};
    for (std::uint64_t chance = 0; chance < 5000; ++chance) {
        const auto pause = retry_pause(20, seconds{15}, chance);
        CHECK(pause <= seconds{15});
        CHECK(pause >= seconds{12});
        shortest = std::min(shortest, pause);
        const auto lifetime = lifetime_with_jitter(seconds{3600}, chance);
        CHECK(lifetime <= seconds{3600});
        CHECK(lifetime >= seconds{3240});
        youngest = std::min(youngest, lifetime);
    }
    CHECK(shortest < milliseconds{12'100});
    CHECK(youngest < seconds{3250});
    CHECK(lifetime_with_jitter(Microseconds{0}, 999) == Microseconds{0});
}

}  // namespace pgweir::test
