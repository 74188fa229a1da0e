#include "proxy/fd_inventory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "proxy/names.hpp"
#include "protocol/scram/digest.hpp"

namespace pgweir {
namespace {

// A descriptor of its own, made by the socket's owner: it stays what it is, whatever becomes of the row's `fd` meanwhile.
// Empty if there is none left.
std::shared_ptr<const int> duplicate(int fd) {
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) return nullptr;
    return std::shared_ptr<const int>(new int(copy), [](const int* held) {
        ::close(*held);
        delete held;
    });
}

std::uint64_t number_of_key(Bytes key) {
    std::uint64_t number = 0;
    for (const char byte : key.substr(0, 8)) number = number << 8 | static_cast<unsigned char>(byte);
    return number;
}

FdRow new_row(int fd, const char* task) {
    FdRow row;
    row.fd = fd;
    row.task = task;
    return row;
}

void set_address(FdRow& row, const PeerAddress& address) {
    row.addr = address.is_unix ? "unix" : address.host;
    row.port = address.port;
}

void set_parameters(FdRow& row, const SharedParameters& values, const TrackedParameters& tracked) {
    const auto value = [&](std::string_view name) -> std::optional<std::string> {
        const int place = tracked.find(name);
        if (!values || place < 0 || !values->has(place)) return std::nullopt;
        return values->values[static_cast<std::size_t>(place)];
    };
    row.client_encoding = value("client_encoding");
    row.std_strings = value("standard_conforming_strings");
    row.datestyle = value("DateStyle");
    row.timezone = value("TimeZone");
}

FdRow row_of(const ClientConnection& client, const TrackedParameters& tracked) {
    FdRow row = new_row(client.transport.fd(), "client");
    row.user = client.details->login_user;
    row.database = client.context->database;
    set_address(row, client.details->peer);
    row.cancel = number_of_key(client.details->cancel_key);
    if (client.server != nullptr) row.link = client.server->transport.fd();
    set_parameters(row, client.session.parameters(), tracked);
    return row;
}

FdRow row_of(const ServerConnection& server) {
    FdRow row = new_row(server.transport.fd(), "server");
    row.user = server.context->user;
    row.database = server.context->database;
    set_address(row, server.remote);
    row.cancel = number_of_key(server.cancel_key);
    if (server.client != nullptr) row.link = server.client->transport.fd();
    set_parameters(row, server.session.parameters, *server.session.tracked);
    return row;
}

FdRow row_of_listener(int fd) {
    FdRow row = new_row(fd, "pooler");
    set_address(row, local_of(fd));
    return row;
}

// The keys that a client of this user has proved: with them new servers can be opened for it.
void add_secrets(FdRow& row, Shared& shared, const RunningConfig& config) {
    if (row.task != "client" || !row.user) return;
    const auto keys = shared.keys.proved(*row.user, config.secret_of(*row.user).text());
    if (!keys) return;
    row.scram_client_key = std::string(as_bytes(keys->client_key));
    row.scram_server_key = std::string(as_bytes(keys->server_key));
}

}  // namespace

asio::awaitable<std::vector<FdRow>> gather_fds(Control& control, bool with_handles) {
    using Rows = std::vector<FdRow>;
    auto parts = std::make_shared<std::vector<Rows>>(control.workers().size() + 1);
    const auto add = [with_handles](Rows& rows, FdRow row) {
        if (with_handles) row.handle = duplicate(row.fd);
        rows.push_back(std::move(row));
    };
    for (const int fd : control.listener().descriptors()) add(parts->back(), row_of_listener(fd));
    asio::steady_timer done(control.first().io(), asio::steady_timer::time_point::max());
    const TrackedParameters& tracked = control.shared().book.tracked();
    control.on_every_worker(
        [parts, add, &tracked](Worker& worker) {
            Rows& rows = (*parts)[worker.id()];
            worker.relay().each_client([&](const ClientConnection& client) {
                if (!client.closing && client.transport.is_open() && client.transport.is_plain()) add(rows, row_of(client, tracked));
            });
            worker.relay().each_server([&](const ServerConnection& server) {
                if (!server.closed && server.transport.is_plain()) add(rows, row_of(server));
            });
        },
        [&done] { done.cancel(); });
    boost::system::error_code ignored;
    co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));

    Rows all = std::move(parts->back());
    parts->pop_back();
    for (Rows& rows : *parts) all.insert(all.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
    const auto config = control.shared().config.get();
    for (FdRow& row : all) {
        if (with_handles && !row.handle) throw std::system_error(EMFILE, std::generic_category(), "SHOW FDS");
        if (with_handles) add_secrets(row, control.shared(), *config);
    }
    co_return all;
}

}  // namespace pgweir
