// A coroutine's socket whose deadline passes between two of its steps.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <optional>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "proxy/async_transport.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {
namespace {

constexpr std::chrono::milliseconds patience{200};

struct Line {
    Line() : transport(io) {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        transport.socket.assign(asio::generic::stream_protocol(AF_UNIX, 0), ends[0]);
        peer = ends[1];
    }
    ~Line() { ::close(peer); }

    // What a read comes to; none: it is still waiting.
    std::optional<std::size_t> read() {
        std::optional<std::size_t> count;
        asio::co_spawn(io, read_into(count), asio::detached);
        io.run_for(patience);
        return count;
    }

    asio::io_context io;
    AsyncTransport transport;
    int peer = -1;

private:
    asio::awaitable<void> read_into(std::optional<std::size_t>& count) {
        char buffer[16];
        count = co_await transport.read(buffer, sizeof buffer);
    }
};

}  // namespace

TEST_CASE("a read waits for bytes") {
    Line line;
    CHECK_FALSE(line.read());
}

TEST_CASE("a read that begins after the deadline has passed does not wait for a silent peer") {
    Line line;
    line.transport.cancel();
    CHECK(line.read() == 0);
}

TEST_CASE("after the deadline a last word can be written") {
    Line line;
    line.transport.cancel();
    asio::co_spawn(line.io, line.transport.write("bye"), asio::detached);
    line.io.run_for(patience);
    char buffer[16];
    const auto count = ::recv(line.peer, buffer, sizeof buffer, MSG_DONTWAIT);
    REQUIRE(count > 0);
    CHECK(std::string_view(buffer, static_cast<std::size_t>(count)) == "bye");
}

}  // namespace pgweir::test
