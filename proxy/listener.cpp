#include "proxy/listener.hpp"

#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "proxy/clock.hpp"
#include "proxy/log.hpp"
#include "proxy/names.hpp"
#include "proxy/socket_options.hpp"
#include "routing/servers_allowed.hpp"

namespace pgweir {
namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr int descriptors_spare = 32;
constexpr std::chrono::milliseconds accept_pause{100};

void set(int fd, int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); }

bool answers(const sockaddr_un& address, socklen_t size) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0;
    ::close(fd);
    return connected;
}

}  // namespace

Listener::~Listener() { close(); }

void Listener::open(const Settings& settings) {
    for (const std::string& address : settings.listen_addr) open_tcp(address, settings);
    if (!settings.unix_socket_dir.empty()) open_unix(settings);
    if (ports_.empty()) throw std::runtime_error("nowhere to listen on");
}

void Listener::open_tcp(const std::string& address, const Settings& settings) {
    addrinfo hints{};
    hints.ai_flags = AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(settings.listen_port);
    if (const int error = ::getaddrinfo(address == "*" ? nullptr : address.c_str(), port.c_str(), &hints, &found); error != 0) {
        log(LogLevel::warning, "getaddrinfo('{}', '{}') = {}", address, port, ::gai_strerror(error));
        return;
    }
    for (const addrinfo* item = found; item != nullptr; item = item->ai_next) {
        const int fd = ::socket(item->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) continue;
        set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (settings.so_reuseport) set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
        if (item->ai_family == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        if (settings.tcp_defer_accept) set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 45);
        if (::bind(fd, item->ai_addr, item->ai_addrlen) != 0 || ::listen(fd, settings.listen_backlog) != 0) {
            log(LogLevel::warning, "cannot listen on {}:{}: {}", address, port, std::strerror(errno));
            ::close(fd);
            continue;
        }
        auto opened = std::make_shared<Port>(first_.io(), false);
        opened->acceptor.assign(asio::generic::stream_protocol(item->ai_family, IPPROTO_TCP), fd);
        log(LogLevel::log, "listening on {}", local_of(fd).text());
        ports_.push_back(std::move(opened));
    }
    ::freeaddrinfo(found);
}

void Listener::open_unix(const Settings& settings) {
    const std::string path = settings.unix_socket_dir + "/.s.PGSQL." + std::to_string(settings.listen_port);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("unix_socket_dir is too long: " + path);
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const bool is_abstract = path.front() == '@';
    if (is_abstract) address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (is_abstract ? 0 : 1));

    if (answers(address, size)) throw std::runtime_error("unix socket is in use, cannot continue");
    if (!is_abstract) {
        if (::access((path + ".lock").c_str(), F_OK) == 0) throw std::runtime_error("unix socket " + path + " is locked by another program");
        ::unlink(path.c_str());
    }
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(fd, settings.listen_backlog) != 0) {
        const std::string reason = std::strerror(errno);
        ::close(fd);
        throw std::runtime_error("cannot listen on unix:" + path + ": " + reason);
    }
    if (!is_abstract) {
        ::chmod(path.c_str(), static_cast<mode_t>(settings.unix_socket_mode));
        if (!settings.unix_socket_group.empty())
            if (const group* found = ::getgrnam(settings.unix_socket_group.c_str()))
                if (::chown(path.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0) log(LogLevel::warning, "cannot change the group of {}", path);
    }
    auto opened = std::make_shared<Port>(first_.io(), true);
    opened->acceptor.assign(asio::generic::stream_protocol(AF_UNIX, 0), fd);
    if (!is_abstract) opened->path = path;
    log(LogLevel::log, "listening on unix:{}", path);
    ports_.push_back(std::move(opened));
}

void Listener::start() {
    for (const auto& port : ports_) first_.spawn_vital(accept(port));
}

Task Listener::accept(std::shared_ptr<Port> port) {
    while (port->acceptor.is_open()) {
        if (suspended_ || !has_descriptors_left()) {
            asio::steady_timer timer(first_.io(), accept_pause);
            co_await timer.async_wait(as_result);
            continue;
        }
        Worker& worker = worker_for_next();
        auto [error, socket] = co_await port->acceptor.async_accept(worker.io(), as_result);
        if (error) {
            if (!port->acceptor.is_open()) co_return;
            asio::steady_timer timer(first_.io(), accept_pause);
            co_await timer.async_wait(as_result);
            continue;
        }
        if (!port->is_unix) set_socket_options(socket.native_handle(), *first_.shared().config.get()->settings);
        worker.clients.fetch_add(1, std::memory_order_relaxed);
        asio::post(worker.io(), [&worker, accepted = std::move(socket), is_unix = port->is_unix]() mutable {
            worker.begin_login(std::move(accepted), is_unix);
        });
    }
}

// DESIGN, "Correctness" 11: servers must still be openable, so accepting pauses before descriptors run out.
bool Listener::has_descriptors_left() {
    Shared& shared = first_.shared();
    int clients = shared.consoles.load();
    for (const Worker* worker : workers_) clients += worker->clients.load(std::memory_order_relaxed);
    const int servers = shared.book.look([](Book& book) { return static_cast<int>(book.servers().live()); });
    const int used = descriptors_spare + 4 * static_cast<int>(workers_.size()) + clients + servers;
    const int expected = servers_to_expect(shared.servers_allowed.load(), clients + 1);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (static_cast<rlim_t>(used) + static_cast<rlim_t>(expected) < limit.rlim_cur) return true;
    if (now() - complained_at_ >= Microseconds{1'000'000}) {
        complained_at_ = now();
        log(LogLevel::warning, "no file descriptors left for new clients: accepting pauses (limit {})", limit.rlim_cur);
    }
    return false;
}

Worker& Listener::worker_for_next() {
    return **std::min_element(workers_.begin(), workers_.end(), [](const Worker* a, const Worker* b) {
        return a->clients.load(std::memory_order_relaxed) < b->clients.load(std::memory_order_relaxed);
    });
}

void Listener::suspend(bool suspended) {
    suspended_ = suspended;
    boost::system::error_code ignored;
    for (const auto& port : ports_)
        if (suspended && port->acceptor.is_open()) port->acceptor.cancel(ignored);
}

void Listener::close_tcp() {
    for (const auto& port : ports_)
        if (!port->is_unix && port->acceptor.is_open()) port->acceptor.close();
}

std::vector<int> Listener::descriptors() const {
    std::vector<int> all;
    for (const auto& port : ports_)
        if (port->acceptor.is_open()) all.push_back(port->acceptor.native_handle());
    return all;
}

void Listener::close() {
    for (const auto& port : ports_) {
        if (port->acceptor.is_open()) port->acceptor.close();
        if (!port->path.empty()) ::unlink(port->path.c_str());
        port->path.clear();
    }
}

}  // namespace pgweir
