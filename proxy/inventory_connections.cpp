#include "proxy/inventory_connections.hpp"

#include <algorithm>
#include <tuple>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "proxy/clock.hpp"
#include "proxy/console_task.hpp"
#include "proxy/names.hpp"

namespace pgweir {
namespace {

std::chrono::sys_seconds at_second(std::int64_t seconds) { return std::chrono::sys_seconds{std::chrono::seconds{seconds}}; }
std::chrono::sys_seconds at_moment(TimePoint when) { return at_second(std::time(nullptr) - (now() - when).count() / 1'000'000); }
std::uint64_t pointer_of(const void* where) { return reinterpret_cast<std::uintptr_t>(where); }

std::string application_name(const SharedParameters& values, const TrackedParameters& tracked) {
    const int place = tracked.find("application_name");
    return values && values->has(place) ? values->values[static_cast<std::size_t>(place)] : std::string();
}

ClientRow row_of(const ClientConnection& client, const TrackedParameters& tracked) {
    ClientRow row;
    const auto phase = client.session.phase();
    row.state = phase == ClientSession::Phase::waiting ? ClientState::waiting
                : client.session.is_linked()           ? ClientState::active
                                                       : ClientState::idle;
    row.user = client.details->login_user;
    row.database = client.context->database;
    row.replication = client.details->replication;
    row.addr = client.details->peer.is_unix ? "unix" : client.details->peer.host;
    row.port = client.details->peer.port;
    const PeerAddress local = local_of(client.transport.fd());
    row.local_addr = local.is_unix ? "unix" : local.host;
    row.local_port = client.details->peer.is_unix ? client.details->peer.port : local.port;
    row.connect_time = at_second(client.details->connected_unix);
    row.request_time = at_moment(std::max(client.session.last_request_at(), client.details->connected_at));
    if (row.state != ClientState::idle) row.wait = now() - client.session.last_request_at();
    row.ptr = pointer_of(&client);
    row.link = pointer_of(client.server);
    row.remote_pid = client.details->peer.pid;
    row.tls = client.transport.tls();
    row.application_name = application_name(client.session.parameters(), tracked);
    row.prepared_statements = static_cast<int>(client.session.statement_count());
    row.id = client.details->number;
    row.buffers.pkt_avail = static_cast<int>(client.input.size());
    row.buffers.send_avail = static_cast<int>(client.output.size());
    return row;
}

ShownServerState shown(ServerState state) {
    switch (state) {
        case ServerState::connecting: return ShownServerState::login;
        case ServerState::checked_out: return ShownServerState::active;
        case ServerState::checking:
        case ServerState::resetting: return ShownServerState::tested;
        case ServerState::held_for_cancel: return ShownServerState::being_canceled;
        default: return ShownServerState::idle;
    }
}

ServerRow row_of(const ServerConnection& server) {
    ServerRow row;
    row.user = server.context->user;
    row.database = server.context->database;
    row.replication = server.replication;
    row.addr = server.remote.is_unix ? "unix" : server.remote.host;
    row.port = server.remote.port;
    row.local_addr = server.local.is_unix ? "unix" : server.local.host;
    row.local_port = server.remote.is_unix ? server.remote.port : server.local.port;
    row.connect_time = row.request_time = at_second(server.connected_unix);
    if (server.client != nullptr) row.request_time = at_moment(server.client->session.last_request_at());
    row.ptr = pointer_of(&server);
    row.link = pointer_of(server.client);
    if (server.cancel_key.size() >= 4) row.remote_pid = BodyReader(server.cancel_key).int32();
    row.tls = server.transport.tls();
    row.application_name = application_name(server.session.parameters, *server.session.tracked);
    row.prepared_statements = static_cast<int>(server.session.statements.size());
    row.id = server.number;
    row.buffers.pkt_avail = static_cast<int>(server.input.size());
    row.buffers.send_avail = static_cast<int>(server.output.size());
    return row;
}

struct Gathered {
    std::vector<ClientRow> clients;
    std::vector<std::pair<ServerId, ServerRow>> servers;
};

// Every worker in turn of its own thread; resumes on worker 0.
asio::awaitable<std::vector<Gathered>> ask_workers(Control& control) {
    auto parts = std::make_shared<std::vector<Gathered>>(control.workers().size());
    asio::steady_timer done(control.first().io(), asio::steady_timer::time_point::max());
    const TrackedParameters& tracked = control.shared().book.tracked();
    control.on_every_worker(
        [parts, &tracked](Worker& worker) {
            Gathered& part = (*parts)[worker.id()];
            worker.relay().each_client([&](const ClientConnection& client) {
                if (!client.closing) part.clients.push_back(row_of(client, tracked));
            });
            worker.each_login([&](const LoginView& login) { part.clients.push_back(login.row()); });
            worker.relay().each_server([&](const ServerConnection& server) { part.servers.emplace_back(server.id, row_of(server)); });
        },
        [&done] { done.cancel(); });
    boost::system::error_code ignored;
    co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return std::move(*parts);
}

// As PgBouncer lists them: pool by pool, and those of one pool in the order in which they came.
template <class Row>
void sort_by_pool(std::vector<Row>& rows) {
    std::ranges::sort(rows, {}, [](const Row& row) { return std::tie(row.database, row.user, row.id); });
}

void complete(ServerRow& row, ServerId id, const Book& book) {
    const ServerEntry* entry = book.servers().find(id);
    const Pool* pool = entry ? book.pool(entry->pool) : nullptr;
    if (pool == nullptr) return;
    const bool is_unchecked = entry->state == ServerState::idle && book.needs_check(*entry, *pool, now());
    row.state = is_unchecked ? ShownServerState::used : shown(entry->state);
    row.close_needed = entry->close_when_returned || pool->epoch != entry->epoch;
    if (row.link == 0 && entry->used) row.request_time = at_moment(entry->last_used_at);
}

}  // namespace

asio::awaitable<void> gather_connections(Control& control, Inventory& inventory) {
    auto parts = co_await ask_workers(control);
    control.shared().book.look([&](Book& book) {
        for (auto& part : parts) {
            for (auto& row : part.clients) inventory.clients.push_back(std::move(row));
            for (auto& [id, row] : part.servers) {
                complete(row, id, book);
                inventory.servers.push_back(std::move(row));
            }
        }
    });
    for (const auto& row : console_rows(control)) inventory.clients.push_back(row);
    sort_by_pool(inventory.clients);
    sort_by_pool(inventory.servers);
}

}  // namespace pgweir
