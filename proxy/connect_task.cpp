#include "proxy/connect_task.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace pgweir {
namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

constexpr std::chrono::milliseconds over_poll{100};

// Shared with the resolver's handler: the system may answer when nobody waits any more.
struct Lookup {
    explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), answered(executor) {}
    asio::ip::tcp::resolver resolver;
    asio::steady_timer answered;
    boost::system::error_code error = asio::error::operation_aborted;
    asio::ip::tcp::resolver::results_type found;
    bool is_done = false;
};

asio::awaitable<std::shared_ptr<const Lookup>> look_up(const asio::any_io_executor& executor, const ServerAddress& address,
                                                       const std::function<bool()>& is_over) {
    auto lookup = std::make_shared<Lookup>(executor);
    lookup->resolver.async_resolve(address.host, std::to_string(address.port),
                                   [lookup](const boost::system::error_code& error, const auto& found) {
                                       lookup->error = error;
                                       lookup->found = found;
                                       lookup->is_done = true;
                                       lookup->answered.cancel();
                                   });
    while (!lookup->is_done && !is_over()) {
        lookup->answered.expires_after(over_poll);
        co_await lookup->answered.async_wait(as_result);
    }
    co_return lookup;
}

bool is_unix_directory(const std::string& host) { return host.starts_with('/') || host.starts_with('@'); }

}  // namespace

ServerAddress next_address(const PoolTarget& target, PoolContext& context) {
    const auto& hosts = target.entry.hosts;
    if (hosts.empty()) return {.host = target.unix_socket_dir.empty() ? "/tmp" : target.unix_socket_dir, .port = target.server_port};
    const bool rotates = target.entry.load_balance_hosts == LoadBalanceHosts::round_robin;
    const unsigned turn = rotates ? context.next_host.fetch_add(1) : context.next_host.load();
    return {.host = hosts[turn % hosts.size()], .port = target.server_port};
}

asio::awaitable<ConnectResult> connect_socket(Socket& socket, ServerAddress address, const std::function<bool()>& is_over) {
    if (is_unix_directory(address.host)) {
        std::string path = address.host + "/.s.PGSQL." + std::to_string(address.port);
        if (path.front() == '@') path.front() = '\0';
        const asio::local::stream_protocol::endpoint endpoint(path);
        const auto [error] = co_await socket.async_connect(endpoint, as_result);
        co_return ConnectResult{.error = error};
    }
    boost::system::error_code error;
    const auto numeric = asio::ip::make_address(address.host, error);
    if (!error) {
        const asio::ip::tcp::endpoint endpoint(numeric, static_cast<unsigned short>(address.port));
        const auto [failed] = co_await socket.async_connect(endpoint, as_result);
        co_return ConnectResult{.error = failed};
    }
    const asio::any_io_executor executor = socket.get_executor();
    const auto lookup = co_await look_up(executor, address, is_over);
    if (lookup->error) co_return ConnectResult{.error = lookup->error, .resolving = true};
    boost::system::error_code last = asio::error::host_not_found;
    for (const auto& item : lookup->found) {
        if (is_over()) co_return ConnectResult{.error = asio::error::operation_aborted};
        boost::system::error_code ignored;
        if (socket.is_open()) socket.close(ignored);
        const auto [failed] = co_await socket.async_connect(item.endpoint(), as_result);
        last = failed;
        if (!failed || failed == asio::error::operation_aborted) break;
    }
    co_return ConnectResult{.error = last};
}

}  // namespace pgweir
