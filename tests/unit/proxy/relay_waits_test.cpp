// A batch that waits on the relay's own poller: how it ends.
#include <thread>

#include "proxy/clock.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/short_messages.hpp"
#include "tests/unit/proxy/plain_line.hpp"
#include "tests/unit/proxy/relay_world.hpp"

namespace pgweir::test {
namespace {

RelayWorld plain_world() { return RelayWorld(1, [](bool) { return std::make_unique<PlainLine>(); }); }

// Batches until there is nothing any more.
int wait_until_quiet(Relay& relay) {
    int batches = 1;
    while (relay.run_batch(true)) ++batches;
    return batches;
}

}  // namespace

TEST_CASE("a batch waits for one whole turn without an event, and leaves no clock running") {
    RelayWorld world = plain_world();
    const TimePoint began = now();
    CHECK(wait_until_quiet(world.relay()) == 2);
    CHECK(now() - began >= Relay::pause_short);
    std::this_thread::sleep_for(std::chrono::microseconds(2 * Relay::pause_short.count()));
    CHECK(world.poller().poll().empty());
    CHECK_FALSE(world.relay().run_batch());
    CHECK(wait_until_quiet(world.relay()) == 2);
}

TEST_CASE("a batch that waits ends for whoever asks from another thread") {
    RelayWorld world = plain_world();
    std::thread other([&] { world.relay().end_batch(); });
    CHECK(world.relay().run_batch(true));
    other.join();
    wait_until_quiet(world.relay());
}

TEST_CASE("a client that speaks during a wait is served within it") {
    RelayWorld world = plain_world();
    world.add_client({query("select 1")});
    world.run();
    world.repeat();
    std::thread other([&] { world.play_clients(); });
    other.join();
    CHECK(world.relay().run_batch(true));
    CHECK(world.linked() == 1);
    world.run();
    CHECK(world.verdict(false) == "");
}

}  // namespace pgweir::test
