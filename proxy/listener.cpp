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

#include <boost/asio/post.hpp>

#include "proxy/clock.hpp"
#include "proxy/log.hpp"
#include "proxy/names.hpp"
#include "proxy/socket_options.hpp"
#include "routing/servers_allowed.hpp"

namespace pgweir {
namespace {

constexpr int descriptors_spare = 32;
constexpr std::chrono::milliseconds accept_pause{100};
constexpr int at_once_max = 16;
constexpr Microseconds accept_time{300};               // of one event: a client that begins with TLS has its first step here
constexpr Microseconds limit_holds{1'000'000};    // the process's limit of descriptors, once read

void set(int fd, int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); }

bool answers(const sockaddr_un& address, socklen_t size) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0;
    ::close(fd);
    return connected;
}

}  // namespace

Listener::Listener(Worker& first, std::vector<Worker*> workers) : first_(first), workers_(std::move(workers)), pause_timer_(first.io()) {}

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
        if (settings.tcp_defer_accept) set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);    // seconds: client_login_timeout counts from the accept
        if (::bind(fd, item->ai_addr, item->ai_addrlen) != 0 || ::listen(fd, settings.listen_backlog) != 0) {
            log(LogLevel::warning, "cannot listen on {}:{}: {}", address, port, std::strerror(errno));
            ::close(fd);
            continue;
        }
        set_socket_options(fd, settings);
        log(LogLevel::log, "listening on {}", local_of(fd).text());
        ports_.push_back({.fd = fd, .is_unix = false});
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
    log(LogLevel::log, "listening on unix:{}", path);
    ports_.push_back({.fd = fd, .is_unix = true, .path = is_abstract ? std::string() : path});
}

void Listener::start() {
    first_.on_listener_ready = [this](std::uint32_t port) { on_ready(port); };
    for (std::uint32_t port = 0; port < ports_.size(); ++port) poll(port);
}

// Linux hands these on to each accepted connection.
void Listener::apply(const Settings& settings) {
    for (const Port& port : ports_)
        if (port.fd >= 0 && !port.is_unix) set_socket_options(port.fd, settings);
}

void Listener::poll(std::uint32_t port) {
    if (ports_[port].fd < 0 || ports_[port].is_polled) return;
    first_.relay().poller().add_level(ports_[port].fd, {PollKind::listener, port, 0});
    ports_[port].is_polled = true;
}

// Connections wait in the kernel's queue meanwhile.
void Listener::pause() {
    for (Port& port : ports_)
        if (std::exchange(port.is_polled, false)) first_.relay().poller().remove(port.fd);
    pause_timer_.expires_after(accept_pause);
    pause_timer_.async_wait([this](const boost::system::error_code& error) {
        if (error || suspended_) return;
        for (std::uint32_t port = 0; port < ports_.size(); ++port) poll(port);
    });
}

void Listener::on_ready(std::uint32_t index) {
    Port& port = ports_[index];
    const TimePoint until = now() + accept_time;
    for (int i = 0; i < port.at_once && (i == 0 || now() < until); ++i) {
        if (suspended_ || port.fd < 0) return;
        if (!has_descriptors_left()) return pause();
        if (accept_one(port)) continue;
        port.at_once = 1;
        return;
    }
    port.at_once = std::min(2 * port.at_once, at_once_max);
}

// False: there is none.
bool Listener::accept_one(Port& port) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const int fd = ::accept4(port.fd, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ECONNABORTED && errno != EINTR) pause();
        return false;
    }
    Worker& worker = worker_for_next();
    worker.clients.fetch_add(1, std::memory_order_relaxed);
    Accepted accepted{.fd = fd, .is_unix = port.is_unix, .peer = port.is_unix ? peer_of(fd) : address_of(from)};
    if (&worker == &first_) {
        worker.begin_login(accepted);
    } else {
        worker.post([&worker, given = std::move(accepted)] { worker.begin_login(given); });
    }
    return true;
}

// DESIGN, "Correctness" 11: servers must still be openable, so accepting pauses before descriptors run out.
bool Listener::has_descriptors_left() {
    Shared& shared = first_.shared();
    int clients = shared.consoles.load();
    for (const Worker* worker : workers_) clients += worker->clients.load(std::memory_order_relaxed);
    const int servers = shared.book.look([](Book& book) { return static_cast<int>(book.servers().live()); });
    const int used = descriptors_spare + 4 * static_cast<int>(workers_.size()) + clients + servers;
    const int expected = servers_to_expect(shared.servers_allowed.load(), clients + 1);
    if (static_cast<std::uint64_t>(used) + static_cast<std::uint64_t>(expected) < descriptors_max()) return true;
    if (now() - complained_at_ >= Microseconds{1'000'000}) {
        complained_at_ = now();
        log(LogLevel::warning, "no file descriptors left for new clients: accepting pauses (limit {})", limit_);
    }
    return false;
}

std::uint64_t Listener::descriptors_max() {
    if (now() - limit_read_at_ < limit_holds) return limit_;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit_read_at_ = now();
    return limit_ = limit.rlim_cur;
}

Worker& Listener::worker_for_next() {
    return **std::min_element(workers_.begin(), workers_.end(), [](const Worker* a, const Worker* b) {
        return a->clients.load(std::memory_order_relaxed) < b->clients.load(std::memory_order_relaxed);
    });
}

void Listener::suspend(bool suspended) {
    suspended_ = suspended;
    if (suspended) return pause();
    for (std::uint32_t port = 0; port < ports_.size(); ++port) poll(port);
}

void Listener::close_tcp() {
    for (Port& port : ports_)
        if (!port.is_unix) close(port);
}

std::vector<int> Listener::descriptors() const {
    std::vector<int> all;
    for (const Port& port : ports_)
        if (port.fd >= 0) all.push_back(port.fd);
    return all;
}

void Listener::close(Port& port) {
    if (port.fd < 0) return;
    if (std::exchange(port.is_polled, false)) first_.relay().poller().remove(port.fd);
    ::close(std::exchange(port.fd, -1));
    if (!port.path.empty()) ::unlink(port.path.c_str());
}

void Listener::close() {
    for (Port& port : ports_) close(port);
}

}  // namespace pgweir
