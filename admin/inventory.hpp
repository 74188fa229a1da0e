// What there is to see of a running pgweir, as values: one struct for each kind of row that SHOW prints.
//
// proxy/ fills the parts that a command needs (`Needs`); the console, the metrics and the web page read them.
// Lists may come in any order: who shows them sorts them. Fields bear the names of SHOW's columns.
// Not here: columns, their types and their texts (show_table.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admin/statistics.hpp"
#include "routing/pool_policy.hpp"
#include "routing/settings.hpp"
#include "routing/start_up_parameters.hpp"
#include "routing/time.hpp"

namespace pgweir {

// Which parts of an Inventory somebody wants. The rest may stay empty.
enum class Needs : std::uint16_t {
    none = 0,
    clients = 1 << 0,
    servers = 1 << 1,
    pools = 1 << 2,
    databases = 1 << 3,
    users = 1 << 4,
    statistics = 1 << 5,
    counts = 1 << 6,
    memory = 1 << 7,
    state = 1 << 8,
    settings = 1 << 9,
    peers = 1 << 10,
    dns = 1 << 11,
    fds = 1 << 12,
    fd_handles = 1 << 13,   // with `fds`: the descriptors themselves and the secrets that go with them
};

constexpr Needs operator|(Needs a, Needs b) {
    return static_cast<Needs>(static_cast<std::uint16_t>(a) | static_cast<std::uint16_t>(b));
}
// Whether `needs` asks for `part`.
constexpr bool asks_for(Needs needs, Needs part) {
    return (static_cast<std::uint16_t>(needs) & static_cast<std::uint16_t>(part)) != 0;
}

enum class ClientState : std::uint8_t { login, idle, active, waiting, active_cancel_req, waiting_cancel_req };
// The words of SHOW, not ServerState: in_transit is idle, checking and resetting are tested.
enum class ShownServerState : std::uint8_t { login, idle, used, active, tested, active_cancel, being_canceled };
using ReplicationMode = ReplicationKind;

// Positions in a connection's buffer; for SHOW SOCKETS.
struct BufferPositions {
    int recv_pos = 0;
    int pkt_pos = 0;
    int pkt_remain = 0;
    int send_pos = 0;
    int send_remain = 0;
    int pkt_avail = 0;      // received, not yet looked at
    int send_avail = 0;     // looked at, not yet sent

    bool hold_data() const { return pkt_avail > 0 || send_avail > 0; }
};

// What clients and servers have in common.
struct ConnectionRow {
    std::string user;                        // empty: not known
    std::string database;                    // empty: not known
    ReplicationMode replication = ReplicationMode::none;
    std::string addr;                        // "unix" for Unix sockets
    int port = 0;
    std::string local_addr;
    int local_port = 0;
    std::chrono::sys_seconds connect_time;
    std::chrono::sys_seconds request_time;   // of the last request; connect_time when there was none
    Microseconds wait{};                     // age of the query in progress
    bool close_needed = false;
    std::uint64_t ptr = 0;                   // names the connection, in the log too
    std::uint64_t link = 0;                  // the partner's ptr; 0: none
    int remote_pid = 0;                      // peer's pid of a Unix socket, else a server's backend pid, else 0
    std::string tls;                         // "TLSv1.3/TLS_AES_256_GCM_SHA384/ECDH=…"; empty: none
    std::string application_name;
    int prepared_statements = 0;
    std::uint64_t id = 0;                    // from one counter for both kinds; never used twice
    BufferPositions buffers;
};

struct ClientRow : ConnectionRow {
    ClientState state = ClientState::idle;
};

struct ServerRow : ConnectionRow {
    ShownServerState state = ShownServerState::idle;
};

struct PoolRow {
    std::string database;
    std::string user;
    int cl_active = 0;
    int cl_waiting = 0;
    int cl_active_cancel_req = 0;
    int cl_waiting_cancel_req = 0;
    int sv_active = 0;
    int sv_active_cancel = 0;
    int sv_being_canceled = 0;
    int sv_idle = 0;
    int sv_used = 0;
    int sv_tested = 0;
    int sv_login = 0;
    Microseconds maxwait{};                  // of the client that has waited longest; 0: none waits
    PoolMode pool_mode{};
    std::optional<LoadBalanceHosts> load_balance_hosts{};   // none: `host` is no list
};

// Values in force, globals filled in.
struct DatabaseRow {
    std::string name;
    std::optional<std::string> host{};       // as in the file; none: Unix socket, or the console's own entry
    int port = 0;
    std::string database;
    std::optional<std::string> force_user{};
    int pool_size = 0;
    int min_pool_size = 0;
    int reserve_pool_size = 0;
    Microseconds server_lifetime{};
    std::optional<PoolMode> pool_mode{};     // none: the default
    std::optional<LoadBalanceHosts> load_balance_hosts{};
    int max_connections = 0;
    int current_connections = 0;
    int max_client_connections = 0;
    int current_client_connections = 0;
    bool paused = false;
    bool disabled = false;
};

struct UserRow {
    std::string name;
    std::optional<int> pool_size{};          // none: not set for this user
    std::optional<int> reserve_pool_size{};
    std::optional<PoolMode> pool_mode{};
    int max_user_connections = 0;
    int current_connections = 0;
    int max_user_client_connections = 0;
    int current_client_connections = 0;
};

struct PeerRow {
    int peer_id = 0;
    std::string host;
    int port = 0;
    int pool_size = 0;
};

struct PeerPoolRow {
    int peer_id = 0;
    int cl_active_cancel_req = 0;
    int cl_waiting_cancel_req = 0;
    int sv_active_cancel = 0;
    int sv_login = 0;
};

// SHOW LISTS.
struct ListCounts {
    int databases = 0;
    int users = 0;
    int peers = 0;
    int pools = 0;
    int peer_pools = 0;
    int free_clients = 0;
    int used_clients = 0;
    int login_clients = 0;
    int free_servers = 0;
    int used_servers = 0;
    int dns_names = 0;
    int dns_zones = 0;
    int dns_queries = 0;
    int dns_pending = 0;
};

// A kind of object that memory is set aside for.
struct MemRow {
    std::string name;
    std::int64_t size = 0;                   // of one, in bytes
    std::int64_t used = 0;                   // how many
    std::int64_t free = 0;
    std::int64_t memtotal = 0;
};

enum class ProcessState : std::uint8_t { active, paused, suspended };

struct DnsHostRow {
    std::string hostname;
    std::int64_t ttl = 0;                    // seconds left
    std::string addrs;
};

// A socket of the process, as an online restart would take it over.
struct FdRow {
    int fd = -1;
    std::string task;                        // "pooler", "client", "server"
    std::optional<std::string> user{};
    std::optional<std::string> database{};
    std::string addr;
    int port = 0;
    std::uint64_t cancel = 0;                // process id and secret of its cancel key
    int link = 0;                            // the partner's fd; 0: none
    std::optional<std::string> client_encoding{};
    std::optional<std::string> std_strings{};
    std::optional<std::string> datestyle{};
    std::optional<std::string> timezone{};
    std::optional<std::string> password{};
    std::optional<std::string> scram_client_key{};    // bytes
    std::optional<std::string> scram_server_key{};
    std::shared_ptr<const int> handle{};     // a descriptor of the same socket; closed with its last owner
};

struct Inventory {
    std::vector<ClientRow> clients;
    std::vector<ServerRow> servers;
    std::vector<PoolRow> pools;
    std::vector<DatabaseRow> databases;
    std::vector<UserRow> users;
    StatsView statistics;
    ListCounts counts;
    std::vector<MemRow> memory;
    ProcessState state = ProcessState::active;
    std::shared_ptr<const Settings> settings;
    std::vector<PeerRow> peers;
    std::vector<PeerPoolRow> peer_pools;     // come with `peers`
    std::vector<DnsHostRow> dns_hosts;
    std::vector<FdRow> fds;
};

// The console's own line in SHOW DATABASES, but for what the proxy counts.
DatabaseRow console_database_row(int listen_port);

}  // namespace pgweir
