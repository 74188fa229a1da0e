// Eight workers, three servers, many clients, and stalls wherever orders cross from thread to thread: each client gets
// its own replies, and at the end the book and the servers agree. Meant for ThreadSanitizer, true in every build.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <random>
#include <thread>

#include <boost/asio/post.hpp>

#include "proxy/clock.hpp"
#include "proxy/tls/tls_setup.hpp"
#include "proxy/worker.hpp"
#include "routing/settings_loader.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/memory_files.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/support/short_messages.hpp"

namespace pgweir::test {
namespace {

constexpr int worker_count = 8;
constexpr int server_count = 3;
constexpr int clients_of_a_worker = 5;
constexpr std::chrono::seconds duration{10};
constexpr std::chrono::seconds patience{30};  // for one reply: much more than any queue of stalls

void stall_up_to_100_ms() {
    thread_local std::minstd_rand chance(
        static_cast<unsigned>(std::hash<std::thread::id>{}(std::this_thread::get_id())));
    std::this_thread::sleep_for(std::chrono::microseconds(chance() % 100'000));
}

// False: the peer has closed.
bool receive(int fd, std::string& into) {
    char buffer[16384];
    const auto count = ::recv(fd, buffer, sizeof buffer, 0);
    if (count > 0) into.assign(buffer, static_cast<std::size_t>(count));
    return count > 0;
}

// A listener whose connections are scripted servers, on a thread of its own.
class ServerFarm {
public:
    ServerFarm() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::listen(listener_, 16) == 0);
        REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    ~ServerFarm() {
        stop();
        ::close(listener_);
        for (const auto& server : servers) ::close(server->fd);
    }

    void stop() {
        stopping_ = true;
        if (thread_.joinable()) thread_.join();
    }
    int port() const { return port_; }

    struct Server {
        int fd;
        ScriptedServer script{ScriptedServer::Begin::start_up_packet};
        bool closed = false;
    };
    std::vector<std::unique_ptr<Server>> servers;  // after stop()

private:
    void run() {
        while (!stopping_) {
            std::vector<pollfd> wanted{{.fd = listener_, .events = POLLIN, .revents = 0}};
            for (const auto& server : servers)
                wanted.push_back({.fd = server->closed ? -1 : server->fd, .events = POLLIN, .revents = 0});
            if (::poll(wanted.data(), wanted.size(), 20) <= 0) continue;
            for (std::size_t i = 1; i < wanted.size(); ++i)
                if (wanted[i].revents != 0) serve(*servers[i - 1]);
            if (wanted[0].revents != 0)
                servers.push_back(std::make_unique<Server>(Server{.fd = ::accept(listener_, nullptr, nullptr)}));
        }
    }

    static void serve(Server& server) {
        std::string bytes;
        server.closed = !receive(server.fd, bytes);
        server.script.take(bytes);
        ::send(server.fd, server.script.output.data(), server.script.output.size(), MSG_NOSIGNAL);
        server.script.output.clear();
    }

    int listener_;
    int port_ = 0;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

// The proxy without listeners, signals and janitor: workers over one book.
class Proxy {
public:
    explicit Proxy(int server_port)
        : settings_(load(server_port)),
          tracked_(settings_->track_extra_parameters),
          shared_(worker_count, tracked_) {
        MemoryFiles files;
        shared_.config.set(make_running_config(settings_, make_tls_setup(*settings_, files), {}, files, std::string(32, 's')));
        for (int i = 0; i < worker_count; ++i)
            workers_.push_back(std::make_unique<Worker>(static_cast<WorkerId>(i), shared_, helpers_));
        for (const auto& worker : workers_) worker->start();
    }
    ~Proxy() { stop(); }

    void stop() {
        for (const auto& worker : workers_) worker->stop();
        for (const auto& worker : workers_) worker->join();
        helpers_.join();
    }

    // The client's end of a new connection to this worker.
    int connect(int worker) {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        Worker& to = *workers_[static_cast<std::size_t>(worker)];
        to.clients.fetch_add(1);
        asio::post(to.io(), [&to, fd = ends[0]] {
            to.begin_login({.fd = fd, .is_unix = true, .peer = {}});
        });
        return ends[1];
    }

    BookHost& book() { return shared_.book; }

private:
    static std::shared_ptr<const Settings> load(int server_port) {
        MemoryFiles files;
        files.files["test.ini"] = "[databases]\napp = user=alice host=127.0.0.1 port=" + std::to_string(server_port) +
                                  "\n[pgbouncer]\npool_mode = transaction\nauth_type = any\ndefault_pool_size = " +
                                  std::to_string(server_count) + "\nlisten_addr = 127.0.0.1\nworker_threads = 8\nserver_tls_sslmode = disable\n";
        LoadRequest request;
        request.path = "test.ini";
        const LoadResult result = load_settings(request, files);
        for (const auto& line : result.errors) UNSCOPED_INFO(line);
        REQUIRE(result.settings);
        return result.settings;
    }

    std::shared_ptr<const Settings> settings_;
    TrackedParameters tracked_;
    Shared shared_;
    asio::thread_pool helpers_{1};
    std::vector<std::unique_ptr<Worker>> workers_;
};

// Asks, and compares each reply with what a server of its own would say.
class Client {
public:
    Client(int fd, std::string name, unsigned seed) : fd_(fd), name_(std::move(name)), chance_(seed) {
        std::string packet("\0\0\0\0\0\3\0\0user\0alice\0database\0app\0", 33);
        patch_length(packet, 0);
        send(packet);
    }
    ~Client() { ::close(fd_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    int fd() const { return fd_; }
    bool is_waiting() const { return !trouble.empty() ? false : !welcomed_ || received_.size() < expected_.size(); }
    std::chrono::steady_clock::time_point asked_at() const { return asked_at_; }

    void on_readable() {
        std::string bytes;
        if (!receive(fd_, bytes)) {
            trouble = name_ + ": closed";
            return;
        }
        received_ += bytes;
        if (!welcomed_) {
            welcomed_ = received_.ends_with(ready);
            if (welcomed_) received_.clear();
        } else if (!Bytes(expected_).starts_with(received_)) {
            trouble = name_ + " got another's reply: " + received_;
        } else if (received_.size() == expected_.size()) {
            ++replies;
        }
    }
    void ask() {
        const std::string own = "select '" + name_ + " " + std::to_string(++number_) + "'";
        std::string request;
        switch (chance_() % 4) {
            case 0: request = query(own); break;
            case 1: request = query("begin") + query(own) + query("commit"); break;
            case 2: request = to_message(frontend::Parse{{}, own, {}}) + bind() + execute() + sync; break;
            default: request = query("rows 3") + query(own);
        }
        received_.clear();
        expected_ = direct_reply(request);
        send(request);
    }
    void leave() { send(terminate_request); }

    int replies = 0;
    std::string trouble;

private:
    void send(Bytes bytes) {
        asked_at_ = std::chrono::steady_clock::now();
        ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }

    int fd_;
    std::string name_;
    std::minstd_rand chance_;
    bool welcomed_ = false;
    int number_ = 0;
    std::string received_;
    std::string expected_;
    std::chrono::steady_clock::time_point asked_at_;
};

using Clients = std::vector<std::unique_ptr<Client>>;

// One round: whoever has an answer reads it, and asks again while `asking`. False: nobody waits any more.
bool serve(Clients& clients, bool asking) {
    std::vector<pollfd> wanted;
    for (const auto& client : clients)
        wanted.push_back({.fd = client->is_waiting() ? client->fd() : -1, .events = POLLIN, .revents = 0});
    ::poll(wanted.data(), wanted.size(), 20);
    bool waiting = false;
    for (std::size_t i = 0; i < clients.size(); ++i) {
        Client& client = *clients[i];
        if (wanted[i].revents != 0) client.on_readable();
        if (asking && client.trouble.empty() && !client.is_waiting()) client.ask();
        waiting |= client.is_waiting();
        if (client.is_waiting() && std::chrono::steady_clock::now() - client.asked_at() > patience)
            client.trouble = "a reply is overdue";
    }
    return waiting;
}

struct Counts {
    int sessions, waiting, linked, open, idle;
    std::uint64_t broken;
};

Counts counts_of(BookHost& host) {
    return host.look([](Book& book) {
        const Pool& pool = book.pools().at(0);
        return Counts{pool.sessions,         pool.waiting, pool.linked, pool.open(), pool.in_state(ServerState::idle),
                      book.broken_pairings()};
    });
}

}  // namespace

TEST_CASE(
    "eight stalling workers over three servers: every reply is its client's own, and every server is at rest at the "
    "end") {
    Relay::stall = stall_up_to_100_ms;
    ServerFarm farm;
    Proxy proxy(farm.port());
    Clients clients;
    for (int i = 0; i < worker_count * clients_of_a_worker; ++i)
        clients.push_back(std::make_unique<Client>(proxy.connect(i % worker_count), "client " + std::to_string(i),
                                                   static_cast<unsigned>(i + 1)));

    const auto end = std::chrono::steady_clock::now() + duration;
    while (std::chrono::steady_clock::now() < end) serve(clients, true);
    while (serve(clients, false)) {
    }
    for (const auto& client : clients) {
        CHECK(client->trouble == "");
        CHECK(client->replies > 0);
        client->leave();
    }
    REQUIRE(!proxy.book().pools().empty());
    const auto settled = [&] {
        const Counts counts = counts_of(proxy.book());
        return counts.sessions == 0 && counts.idle == counts.open;
    };
    for (int i = 0; i < 200 && !settled(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    proxy.stop();
    farm.stop();

    const Counts counts = counts_of(proxy.book());
    CHECK(counts.sessions == 0);
    CHECK(counts.waiting == 0);
    CHECK(counts.linked == 0);
    CHECK(counts.open == server_count);
    CHECK(counts.idle == server_count);
    CHECK(counts.broken == 0);
    CHECK(farm.servers.size() == server_count);
    for (const auto& server : farm.servers) {
        CHECK(!server->closed);
        CHECK(server->script.is_at_rest());
        CHECK(server->script.trouble() == "");
    }
    Relay::stall = nullptr;
}

}  // namespace pgweir::test
