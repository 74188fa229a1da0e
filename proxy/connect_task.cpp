#include "proxy/connect_task.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace pgweir {
namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

bool is_unix_directory(const std::string& host) { return host.starts_with('/') || host.starts_with('@'); }

}  // namespace

ServerAddress next_address(const PoolTarget& target, PoolContext& context) {
    const auto& hosts = target.entry.hosts;
    if (hosts.empty()) return {.host = target.unix_socket_dir.empty() ? "/tmp" : target.unix_socket_dir, .port = target.server_port};
    const bool rotates = target.entry.load_balance_hosts == LoadBalanceHosts::round_robin;
    const unsigned turn = rotates ? context.next_host.fetch_add(1) : context.next_host.load();
    return {.host = hosts[turn % hosts.size()], .port = target.server_port};
}

asio::awaitable<ConnectResult> connect_socket(Socket& socket, ServerAddress address) {
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
    asio::ip::tcp::resolver resolver(socket.get_executor());
    const auto [lookup, found] = co_await resolver.async_resolve(address.host, std::to_string(address.port), as_result);
    if (lookup) co_return ConnectResult{.error = lookup, .resolving = true};
    boost::system::error_code last = asio::error::host_not_found;
    for (const auto& item : found) {
        boost::system::error_code ignored;
        if (socket.is_open()) socket.close(ignored);
        const auto [failed] = co_await socket.async_connect(item.endpoint(), as_result);
        last = failed;
        if (!failed || failed == asio::error::operation_aborted) break;
    }
    co_return ConnectResult{.error = last};
}

}  // namespace pgweir
