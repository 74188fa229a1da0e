// Long answers: the mark on the server's socket (SO_RCVLOWAT) is there while it helps, keeps nothing back, and goes.
#include <chrono>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/short_messages.hpp"
#include "tests/unit/proxy/plain_line.hpp"
#include "tests/unit/proxy/relay_world.hpp"
#include "tests/unit/proxy/tcp_line.hpp"

namespace pgweir::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t long_answer = 20'000 * 64;    // bytes, or a few more
const std::string ask_long = query("rows 20000");
constexpr std::size_t half = long_answer / 2;
constexpr std::size_t marks = 272 * 1024;    // bytes of an answer after which there is a mark …
const std::string ask_more = query("rows 6500");    // … and what follows, if it comes at once, is more than that
constexpr milliseconds patience{10'000};

// Clients on socket pairs, servers on TCP; notices each mark that is set.
class StreamWorld {
public:
    explicit StreamWorld(int pool_size, int workers = 1)
        : world(pool_size, [this](bool is_client) { return is_client ? make_client() : make_server(); }, workers) {
        world.after_batch = [this] {
            for (const TcpLine* server : servers)
                if (server->mark() > 1) marked = true;
        };
    }

    // Until `done`, or for so long that nobody can wait for it; how long it took.
    template <class Done>
    milliseconds run_until(Done done) {
        const auto begin = Clock::now();
        for (world.run(); !done() && Clock::now() - begin < patience; world.run())
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        CHECK(done());
        return std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
    }
    void run_to_the_end() {
        run_until([this] { return world.is_done(); });
    }
    // A long answer under way, its first half with the client, and its socket marked.
    void begin_long_answer(const Requests& requests) {
        first_allowed = half;
        world.add_client(requests);
        run_until([this] { return marked; });
    }
    TcpLine& server() { return *servers.at(0); }
    void send_the_rest() {    // at once
        server().piece = 1 << 20;
        server().allowed = ~std::size_t{0};
    }

    bool marked = false;    // at any time
    std::size_t first_allowed = ~std::size_t{0};
    std::vector<TcpLine*> servers;
    std::vector<PlainLine*> clients;
    RelayWorld world;

private:
    std::unique_ptr<TestLine> make_client() {
        auto line = std::make_unique<PlainLine>();
        clients.push_back(line.get());
        return line;
    }
    std::unique_ptr<TestLine> make_server() {
        auto line = std::make_unique<TcpLine>();
        line->allowed = first_allowed;
        servers.push_back(line.get());
        return line;
    }
};

}  // namespace

TEST_CASE("a long answer marks its server's socket, and at its end the mark is gone") {
    StreamWorld stream(1);
    stream.world.add_client({ask_long});
    stream.run_to_the_end();
    CHECK(stream.marked);
    CHECK(stream.server().mark() == 1);
    CHECK(stream.world.verdict(false) == "");
}

TEST_CASE("a server whose answer ends while it is marked goes back to the pool without its mark") {
    StreamWorld stream(1);
    stream.first_allowed = marks;
    stream.world.add_client({ask_more});
    stream.run_until([&] { return stream.marked; });
    stream.world.after_batch = [&] {
        if (stream.world.servers_at_rest() == 1) CHECK(stream.server().mark() == 1);    // before a timer can have mended it
    };
    stream.send_the_rest();
    stream.run_to_the_end();
    CHECK(stream.world.servers_at_rest() == 1);
    CHECK(stream.world.verdict(false) == "");
}

TEST_CASE("a server whose answer ends while it is marked moves to another worker without its mark") {
    StreamWorld stream(1, 2);
    stream.first_allowed = 96 * 1024;
    stream.world.add_client({ask_more});
    stream.run_until([&] { return stream.world.received(0) >= stream.first_allowed; });
    stream.world.add_client({query("select 'there'")}, 1);
    stream.world.run();
    std::this_thread::sleep_for(milliseconds(3));    // it has waited so long that it comes first
    stream.server().allowed = marks;
    stream.run_until([&] { return stream.marked; });
    bool moved = false;
    stream.world.after_batch = [&] {
        if (moved || stream.world.servers_of(0) > 0) return;
        moved = true;
        CHECK(stream.server().mark() == 1);
    };
    stream.send_the_rest();
    stream.run_to_the_end();
    CHECK(moved);
    CHECK(stream.world.servers_opened() == 1);
    CHECK(stream.world.verdict(false) == "");
}

TEST_CASE("answers of 192 kB mark nothing, though many come after one another") {
    StreamWorld stream(1);
    Requests requests(20, query("rows 3000"));
    requests.insert(requests.begin(), query("begin"));
    requests.push_back(query("commit"));
    stream.world.add_client(requests);
    stream.world.add_client(Requests(20, query("copy out 1000")));
    stream.run_to_the_end();
    CHECK(!stream.marked);
    CHECK(stream.world.verdict(false) == "");
}

TEST_CASE("what is there of a long answer reaches its client within milliseconds, though it is less than the mark") {
    constexpr int pauses = 10;
    constexpr std::size_t between = 350'000;    // bytes: enough for a mark, and not enough behind it to be woken for
    StreamWorld stream(1);
    stream.first_allowed = between;
    stream.world.add_client({query("rows 100000")});
    milliseconds least = patience;
    for (int pause = 1; pause <= pauses; ++pause) {
        stream.marked = false;
        stream.run_until([&] { return stream.servers.size() == 1 && stream.server().sent() == stream.server().allowed; });
        CHECK(stream.marked);
        least = std::min(least, stream.run_until([&] { return stream.world.received(0) >= stream.server().sent(); }));
        stream.server().allowed += between;
    }
    CHECK(least < milliseconds(20));    // the others may have met a busy machine
    stream.server().allowed = ~std::size_t{0};
    stream.run_to_the_end();
    CHECK(stream.world.verdict(false) == "");
}

TEST_CASE("a server that falls silent in a long answer loses its mark") {
    StreamWorld stream(1);
    stream.begin_long_answer({ask_long});
    stream.run_until([&] { return stream.server().mark() == 1; });
    CHECK(!stream.world.is_done());
}

TEST_CASE("the short answers behind a long one in a transaction find no mark") {
    StreamWorld stream(1);
    stream.first_allowed = marks;
    stream.world.add_client({query("begin"), ask_more, query("select 'short'"), query("commit")});
    stream.run_until([&] { return stream.marked; });
    stream.send_the_rest();
    stream.world.after_batch = [&] {
        if (stream.world.sent_requests(0) > 2) CHECK(stream.server().mark() == 1);
    };
    stream.run_to_the_end();
    CHECK(stream.world.sent_requests(0) == 4);
    CHECK(stream.world.verdict(false) == "");
}

TEST_CASE("a server that a lost client leaves in a long answer goes to the next client without its mark") {
    StreamWorld stream(1);
    stream.begin_long_answer({ask_long});
    stream.world.add_client({query("select 'next'"), query("select 'and again'")});
    stream.clients[0]->end();
    stream.server().allowed = ~std::size_t{0};
    stream.run_to_the_end();
    CHECK(stream.server().mark() == 1);
    CHECK(stream.world.servers_opened() == 1);
    CHECK(stream.world.verdict(true) == "");
}

TEST_CASE("a server that dies in a long answer takes its mark with it: the next one is served") {
    StreamWorld stream(1);
    stream.begin_long_answer({ask_long});
    stream.first_allowed = ~std::size_t{0};
    stream.world.add_client({ask_long, query("select 'next'")});
    stream.server().end();
    stream.run_to_the_end();
    REQUIRE(stream.servers.size() == 2);
    CHECK(stream.server().mark() == 0);
    CHECK(stream.servers[1]->mark() == 1);
    CHECK(stream.world.verdict(true) == "");
}

TEST_CASE("several long answers at once each reach their client") {
    StreamWorld stream(3);
    for (int i = 0; i < 3; ++i) stream.world.add_client({ask_long, query("select 'short'"), ask_long});
    stream.run_to_the_end();
    REQUIRE(stream.servers.size() == 3);
    for (const TcpLine* server : stream.servers) CHECK(server->mark() == 1);
    CHECK(stream.marked);
    CHECK(stream.world.verdict(false) == "");
}

}  // namespace pgweir::test
