#include "proxy/inventory_task.hpp"

#include <sys/resource.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "proxy/clock.hpp"
#include "proxy/console_task.hpp"
#include "proxy/fd_inventory.hpp"
#include "routing/effective_settings.hpp"

namespace pgweir {
namespace {

std::chrono::sys_seconds at_second(std::int64_t seconds) { return std::chrono::sys_seconds{std::chrono::seconds{seconds}}; }
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
    row.addr = client.details->peer.is_unix ? "unix" : client.details->peer.host;
    row.port = client.details->peer.port;
    row.local_addr = client.details->local.is_unix ? "unix" : client.details->local.host;
    row.local_port = client.details->peer.is_unix ? client.details->peer.port : client.details->local.port;
    row.connect_time = at_second(client.details->connected_unix);
    const auto since = now() - std::max(client.session.last_request_at(), client.details->connected_at);
    row.request_time = at_second(std::time(nullptr) - since.count() / 1'000'000);
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
    row.addr = server.remote.is_unix ? "unix" : server.remote.host;
    row.port = server.remote.port;
    row.local_addr = server.local.is_unix ? "unix" : server.local.host;
    row.local_port = server.remote.is_unix ? server.remote.port : server.local.port;
    row.connect_time = row.request_time = at_second(server.connected_unix);
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
asio::awaitable<std::vector<Gathered>> gather_connections(Control& control) {
    auto parts = std::make_shared<std::vector<Gathered>>(control.workers().size());
    asio::steady_timer done(control.first().io(), asio::steady_timer::time_point::max());
    const TrackedParameters& tracked = control.shared().book.tracked();
    control.on_every_worker(
        [parts, &tracked](Worker& worker) {
            Gathered& part = (*parts)[worker.id()];
            worker.relay().each_client([&](const ClientConnection& client) {
                if (!client.closing) part.clients.push_back(row_of(client, tracked));
            });
            worker.relay().each_server([&](const ServerConnection& server) { part.servers.emplace_back(server.id, row_of(server)); });
        },
        [&done] { done.cancel(); });
    boost::system::error_code ignored;
    co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return std::move(*parts);
}

PoolRow row_of(const Pool& pool, const Sessions& sessions) {
    PoolRow row;
    row.database = pool.database;
    row.user = pool.user;
    row.cl_active = pool.sessions - pool.waiting - pool.awaiting_welcome;
    row.cl_waiting = pool.waiting + pool.awaiting_welcome;
    row.cl_active_cancel_req = pool.cancel_connections;
    row.sv_active = pool.in_state(ServerState::checked_out);
    row.sv_active_cancel = pool.cancel_connections;
    row.sv_being_canceled = pool.in_state(ServerState::held_for_cancel);
    row.sv_idle = pool.in_state(ServerState::idle) + pool.in_state(ServerState::in_transit);
    row.sv_tested = pool.in_state(ServerState::checking) + pool.in_state(ServerState::resetting);
    row.sv_login = pool.in_state(ServerState::connecting);
    if (pool.demand() > 0) row.maxwait = now() - pool.oldest_wait_since(sessions);
    row.pool_mode = pool.policy->mode;
    return row;
}

void add_pools(Inventory& inventory, Book& book, const RunningConfig& config, int consoles) {
    const auto& pools = book.pools();
    for (std::uint32_t i = 0; i < pools.index_end(); ++i) {
        if (!pools.holds(i)) continue;
        PoolRow row = row_of(pools.at(i), book.sessions());
        if (const auto entry = config.entry(row.database); entry && entry->hosts.size() > 1) row.load_balance_hosts = entry->load_balance_hosts;
        inventory.pools.push_back(std::move(row));
    }
    PoolRow console;
    console.database = console.user = console_database;
    console.cl_active = consoles;
    console.pool_mode = PoolMode::statement;
    inventory.pools.push_back(std::move(console));
}

DatabaseRow row_of(const DatabaseEntry& entry, const Settings& settings, Limits& limits) {
    const PoolPolicy policy = pool_policy(settings, entry, entry.user);
    DatabaseRow row;
    row.name = entry.name;
    if (!entry.hosts.empty()) {
        row.host = entry.hosts.front();
        for (std::size_t i = 1; i < entry.hosts.size(); ++i) *row.host += "," + entry.hosts[i];
    }
    row.port = entry.port;
    row.database = entry.dbname;
    if (entry.has_forced_user()) row.force_user = entry.user;
    row.pool_size = entry.pool_size.value_or(settings.default_pool_size);
    row.min_pool_size = policy.min_pool_size;
    row.reserve_pool_size = entry.reserve_pool_size.value_or(settings.reserve_pool_size);
    row.server_lifetime = policy.server_lifetime;
    row.pool_mode = entry.pool_mode;
    if (entry.hosts.size() > 1) row.load_balance_hosts = entry.load_balance_hosts;
    row.max_connections = max_db_connections(settings, entry);
    row.max_client_connections = max_db_client_connections(settings, entry);
    for (const SharedBound& bound : limits.databases()) {
        if (bound.name != entry.name) continue;
        row.current_connections = bound.servers;
        row.current_client_connections = bound.clients;
        row.paused = bound.paused;
        row.disabled = bound.disabled;
    }
    return row;
}

void add_databases(Inventory& inventory, Book& book, const RunningConfig& config) {
    const Settings& settings = *config.settings;
    for (const DatabaseEntry& entry : settings.databases)
        if (entry.name != "*") inventory.databases.push_back(row_of(entry, settings, book.limits()));
    if (const DatabaseEntry* fallback = settings.fallback())
        for (const SharedBound& bound : book.limits().databases())
            if (bound.name != console_database && settings.find_database(bound.name) == nullptr && !bound.pools.empty())
                inventory.databases.push_back(row_of(auto_database(*fallback, bound.name), settings, book.limits()));
    DatabaseRow console = console_database_row(settings.listen_port);
    for (const SharedBound& bound : book.limits().databases())
        if (bound.name == console_database) console.current_client_connections = bound.clients;
    console.max_client_connections = settings.max_db_client_connections;
    inventory.databases.push_back(std::move(console));
}

void add_users(Inventory& inventory, Book& book, const RunningConfig& config) {
    const Settings& settings = *config.settings;
    std::set<std::string, std::less<>> names{std::string(console_database)};
    for (const auto& [name, secret] : config.users) names.insert(name);
    for (const UserEntry& entry : settings.users) names.insert(entry.name);
    for (const DatabaseEntry& entry : settings.databases)
        if (entry.has_forced_user()) names.insert(entry.user);
    for (const std::string& name : names) {
        UserRow row;
        row.name = name;
        if (const UserEntry* entry = settings.find_user(name)) {
            row.pool_size = entry->pool_size;
            row.reserve_pool_size = entry->reserve_pool_size;
            row.pool_mode = entry->pool_mode;
        }
        row.max_user_connections = max_user_connections(settings, name);
        row.max_user_client_connections = max_user_client_connections(settings, name);
        for (const SharedBound& bound : book.limits().users()) {
            if (bound.name != name) continue;
            row.current_connections = bound.servers;
            row.current_client_connections = bound.clients;
        }
        inventory.users.push_back(std::move(row));
    }
}

void add_counts(Inventory& inventory, Book& book, const RunningConfig& config, Control& control) {
    ListCounts& counts = inventory.counts;
    counts.databases = static_cast<int>(config.settings->databases.size()) + 1;
    counts.users = static_cast<int>(config.users.size()) + 1;
    counts.pools = static_cast<int>(book.pools().live()) + 1;
    counts.used_clients = static_cast<int>(book.sessions().live()) + control.shared().consoles.load();
    int connected = 0;
    for (const Worker* worker : control.workers()) connected += worker->clients.load();
    counts.login_clients = std::max(0, connected - static_cast<int>(book.sessions().live()));
    const auto& pools = book.pools();
    for (std::uint32_t i = 0; i < pools.index_end(); ++i) {
        if (!pools.holds(i)) continue;
        const Pool& pool = pools.at(i);
        counts.free_servers += pool.in_state(ServerState::idle) + pool.in_state(ServerState::in_transit);
        counts.used_servers += pool.open() - pool.in_state(ServerState::idle) - pool.in_state(ServerState::in_transit);
    }
}

void add_memory(Inventory& inventory, Book& book) {
    const auto add = [&](const char* name, std::size_t size, std::uint32_t used, std::uint32_t places) {
        const auto bytes = static_cast<std::int64_t>(size);
        inventory.memory.push_back({.name = name, .size = bytes, .used = used, .free = places - used, .memtotal = bytes * places});
    };
    add("session_entry", sizeof(SessionEntry), book.sessions().live(), book.sessions().index_end());
    add("server_entry", sizeof(ServerEntry), book.servers().live(), book.servers().index_end());
    add("pool", sizeof(Pool), book.pools().live(), book.pools().index_end());
    add("client_connection", sizeof(ClientConnection) + sizeof(ClientDetails), book.sessions().live(), book.sessions().index_end());
    add("server_connection", sizeof(ServerConnection), book.servers().live(), book.servers().index_end());
}

}  // namespace

asio::awaitable<Inventory> gather(Control& control, Needs needs) {
    Inventory inventory;
    Shared& shared = control.shared();
    const auto config = shared.config.get();
    const int consoles = shared.consoles.load();
    inventory.settings = config->settings;
    if (asks_for(needs, Needs::clients) || asks_for(needs, Needs::servers)) {
        auto parts = co_await gather_connections(control);
        shared.book.look([&](Book& book) {
            for (auto& part : parts) {
                for (auto& row : part.clients) inventory.clients.push_back(std::move(row));
                for (auto& [id, row] : part.servers) {
                    if (const ServerEntry* entry = book.servers().find(id)) {
                        row.state = shown(entry->state);
                        const Pool* pool = book.pool(entry->pool);
                        row.close_needed = entry->close_when_returned || (pool != nullptr && pool->epoch != entry->epoch);
                    }
                    inventory.servers.push_back(std::move(row));
                }
            }
        });
        for (const auto& row : console_rows(control)) inventory.clients.push_back(row);
    }
    shared.book.look([&](Book& book) {
        if (asks_for(needs, Needs::pools)) add_pools(inventory, book, *config, consoles);
        if (asks_for(needs, Needs::databases)) add_databases(inventory, book, *config);
        if (asks_for(needs, Needs::users)) add_users(inventory, book, *config);
        if (asks_for(needs, Needs::counts)) add_counts(inventory, book, *config, control);
        if (asks_for(needs, Needs::memory)) add_memory(inventory, book);
        if (asks_for(needs, Needs::state)) {
            inventory.state = control.is_suspended() ? ProcessState::suspended : book.all_paused() ? ProcessState::paused : ProcessState::active;
        }
    });
    if (asks_for(needs, Needs::fds)) inventory.fds = co_await gather_fds(control, asks_for(needs, Needs::fd_handles));
    if (asks_for(needs, Needs::statistics)) inventory.statistics = control.statistics();
    co_return inventory;
}

}  // namespace pgweir
