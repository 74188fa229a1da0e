#include "proxy/inventory_task.hpp"

#include <algorithm>
#include <set>

#include "proxy/clock.hpp"
#include "proxy/fd_inventory.hpp"
#include "proxy/inventory_connections.hpp"
#include "routing/effective_settings.hpp"

namespace pgweir {
namespace {

// Of its idle servers, those that must pass a check before anybody gets them.
int unchecked_servers(const Book& book, const Pool& pool) {
    int count = 0;
    for (const PoolShare& share : pool.shares)
        for (auto index = share.idle.head; index != no_link; index = book.servers().at(index).next)
            if (book.needs_check(book.servers().at(index), pool, now())) ++count;
    return count;
}

PoolRow row_of(const Pool& pool, const Book& book) {
    PoolRow row;
    row.database = pool.database;
    row.user = pool.user;
    row.cl_waiting = pool.waiting + pool.awaiting_welcome + pool.awaiting_own + pool.own_connecting;
    row.cl_active = pool.sessions - row.cl_waiting;
    row.cl_active_cancel_req = pool.cancel_connections;
    row.sv_active = pool.in_state(ServerState::checked_out);
    row.sv_active_cancel = pool.cancel_connections;
    row.sv_being_canceled = pool.in_state(ServerState::held_for_cancel);
    row.sv_used = unchecked_servers(book, pool);
    row.sv_idle = pool.in_state(ServerState::idle) + pool.in_state(ServerState::in_transit) - row.sv_used;
    row.sv_tested = pool.in_state(ServerState::checking) + pool.in_state(ServerState::resetting);
    row.sv_login = pool.in_state(ServerState::connecting);
    const TimePoint since = pool.oldest_wait_since(book.sessions());
    if (since != never) row.maxwait = now() - since;
    row.pool_mode = pool.policy->mode;
    return row;
}

void add_pools(Inventory& inventory, Book& book, const RunningConfig& config, int consoles) {
    const auto& pools = book.pools();
    for (std::uint32_t i = 0; i < pools.index_end(); ++i) {
        if (!pools.holds(i)) continue;
        PoolRow row = row_of(pools.at(i), book);
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
    console.server_lifetime = settings.server_lifetime;
    for (const SharedBound& bound : book.limits().databases())
        if (bound.name == console_database) console.current_client_connections = bound.clients;
    console.max_client_connections = settings.max_db_client_connections;
    inventory.databases.push_back(std::move(console));
}

std::set<std::string, std::less<>> known_users(const RunningConfig& config) {
    std::set<std::string, std::less<>> names{std::string(console_database)};
    for (const auto& [name, secret] : config.users) names.insert(name);
    for (const UserEntry& entry : config.settings->users) names.insert(entry.name);
    for (const DatabaseEntry& entry : config.settings->databases)
        if (entry.has_forced_user()) names.insert(entry.user);
    return names;
}

void add_users(Inventory& inventory, Book& book, const RunningConfig& config) {
    const Settings& settings = *config.settings;
    for (const std::string& name : known_users(config)) {
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
    Inventory listed;
    add_databases(listed, book, config);
    counts.databases = static_cast<int>(listed.databases.size());
    counts.users = static_cast<int>(known_users(config).size());
    counts.peers = static_cast<int>(config.settings->peers.size());
    counts.pools = static_cast<int>(book.pools().live()) + 1;
    counts.used_clients = static_cast<int>(book.sessions().live()) + control.shared().consoles.load();
    int connected = 0;
    for (const Worker* worker : control.workers()) connected += worker->clients.load();
    counts.login_clients = std::max(0, connected - static_cast<int>(book.sessions().live()));
    // Free: the places of those that have gone, kept for the next ones.
    counts.free_clients = static_cast<int>(book.sessions().index_end() - book.sessions().live());
    counts.free_servers = static_cast<int>(book.servers().index_end() - book.servers().live());
    counts.used_servers = static_cast<int>(book.servers().live());
}

void add_peers(Inventory& inventory, const Settings& settings) {
    for (const PeerEntry& peer : settings.peers)
        inventory.peers.push_back({.peer_id = peer.id, .host = peer.host, .port = peer.port, .pool_size = peer.pool_size.value_or(settings.default_pool_size)});
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
    if (asks_for(needs, Needs::clients) || asks_for(needs, Needs::servers)) co_await gather_connections(control, inventory);
    shared.book.look([&](Book& book) {
        if (asks_for(needs, Needs::pools)) add_pools(inventory, book, *config, consoles);
        if (asks_for(needs, Needs::databases)) add_databases(inventory, book, *config);
        if (asks_for(needs, Needs::users)) add_users(inventory, book, *config);
        if (asks_for(needs, Needs::counts)) add_counts(inventory, book, *config, control);
        if (asks_for(needs, Needs::peers)) add_peers(inventory, *config->settings);
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
