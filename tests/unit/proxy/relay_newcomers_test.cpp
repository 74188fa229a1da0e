// Logins share the relay's poller with those who are served, who come first.
#include <array>
#include <chrono>
#include <thread>

#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/support/catch.hpp"
#include "tests/support/short_messages.hpp"
#include "tests/unit/proxy/plain_line.hpp"
#include "tests/unit/proxy/relay_world.hpp"

namespace pgweir::test {
namespace {

// As many logins that have something to say at once, each of which takes a millisecond.
class Newcomers {
public:
    explicit Newcomers(RelayWorld& world) {
        for (std::uint32_t i = 0; i < fds_.size(); ++i) {
            fds_[i] = ::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
            world.poller().add_level(fds_[i], {PollKind::login, i, 1});
        }
        world.on_newcomer = [this](const PollToken& token) {
            std::uint64_t ignored = 0;
            if (::read(fds_[token.index], &ignored, sizeof ignored) > 0) ++served;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            after_each();
        };
    }
    ~Newcomers() {
        for (const int fd : fds_) ::close(fd);
    }

    std::size_t count() const { return fds_.size(); }
    std::size_t served = 0;
    std::function<void()> after_each = [] {};

private:
    std::array<int, 20> fds_{};
};

RelayWorld idle_world() { return RelayWorld(1, [](bool) { return std::make_unique<PlainLine>(); }); }

}  // namespace

TEST_CASE("those who are served come before newcomers who were there first") {
    RelayWorld world = idle_world();
    world.add_client({query("select 1")});
    world.run();
    Newcomers newcomers(world);
    bool was_linked = false;
    newcomers.after_each = [&] { was_linked = was_linked || (newcomers.served == 1 && world.linked() == 1); };
    world.repeat();
    world.play_clients();
    world.run();
    CHECK(was_linked);
    CHECK(newcomers.served == newcomers.count());
    CHECK(world.verdict(false) == "");
}

TEST_CASE("who speaks while many newcomers are looked at waits for a few of them only") {
    RelayWorld world = idle_world();
    world.add_client({query("select 1")});
    world.run();
    Newcomers newcomers(world);
    std::size_t linked_after = 0;
    newcomers.after_each = [&] {
        if (newcomers.served == 2) {
            world.repeat();
            world.play_clients();
        } else if (linked_after == 0 && world.linked() == 1) {
            linked_after = newcomers.served;
        }
    };
    world.run();
    CHECK(linked_after > 0);
    CHECK(linked_after <= 6);
    CHECK(newcomers.served == newcomers.count());
    CHECK(world.verdict(false) == "");
}

TEST_CASE("accepting without end does not keep logins waiting") {
    RelayWorld world = idle_world();
    const int accepting = ::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
    world.poller().add_level(accepting, {PollKind::listener, 0, 0});
    Newcomers newcomers(world);
    const auto serve_login = world.on_newcomer;
    world.on_newcomer = [&](const PollToken& token) {
        if (token.kind == PollKind::login) return serve_login(token);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    };
    for (int i = 0; i < 10; ++i) world.relay().run_batch();
    CHECK(newcomers.served >= 4);
    ::close(accepting);
}

}  // namespace pgweir::test
