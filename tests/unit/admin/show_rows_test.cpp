// What SHOW prints for given values.

#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <memory>

#include "routing/settings_console.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/admin/console_reply.hpp"

namespace pgweir::test {

using namespace std::chrono_literals;

namespace {

constexpr std::optional<std::string> null;

// Times are shown in the zone of the process; the tests' one is UTC.
struct InUtc {
    InUtc() {
        setenv("TZ", "UTC", 1);
        tzset();
    }
};

ClientRow a_client() {
    ClientRow client;
    client.user = "alice";
    client.database = "app";
    client.addr = "10.0.0.7";
    client.port = 40112;
    client.local_addr = "10.0.0.1";
    client.local_port = 6432;
    client.connect_time = std::chrono::sys_days{2026y / 11 / 21} + 15h + 36s;
    client.request_time = client.connect_time + 4s;
    client.wait = Microseconds{3'000'250};
    client.close_needed = true;
    client.ptr = 0x55d0;
    client.link = 0xabc;
    client.remote_pid = 17;
    client.tls = "TLSv1.3/TLS_AES_256_GCM_SHA384";
    client.application_name = "psql";
    client.prepared_statements = 2;
    client.id = 5;
    client.state = ClientState::active;
    return client;
}

std::vector<std::string> column_of(const Reply& reply, std::string_view name) {
    std::vector<std::string> values;
    for (std::size_t i = 0; i < reply.columns.size(); ++i) {
        if (reply.columns[i].name != name) continue;
        for (const auto& row : reply.rows) values.push_back(row[i].value_or("NULL"));
    }
    return values;
}

template <class Connection, class State>
std::vector<Connection> in_states(std::initializer_list<State> states, std::uint64_t link = 1) {
    std::vector<Connection> connections;
    for (const auto state : states) {
        auto& connection = connections.emplace_back();
        connection.state = state;
        connection.link = link;
    }
    return connections;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("SHOW CLIENTS prints a client with all it is known by") {
    const InUtc zone;
    Inventory inventory;
    inventory.clients.push_back(a_client());
    const std::vector<ReplyRow> rows{{"C", "alice", "app", "none", "active", "10.0.0.7", "40112", "10.0.0.1", "6432",
                                      "2026-11-21 15:00:36 UTC", "2026-11-21 15:00:40 UTC", "3", "250", "1", "0x55d0", "0xabc",
                                      "17", "TLSv1.3/TLS_AES_256_GCM_SHA384", "psql", "2", "5"}};
    CHECK(show("show clients", inventory).rows == rows);
}

TEST_CASE("what is not known of a connection is said so") {
    Inventory inventory;
    inventory.servers.emplace_back().replication = ReplicationMode::physical;
    const auto reply = show("show servers", inventory);
    CHECK(column_of(reply, "type") == Words{"S"});
    CHECK(column_of(reply, "user") == Words{"(nouser)"});
    CHECK(column_of(reply, "database") == Words{"(nodb)"});
    CHECK(column_of(reply, "replication") == Words{"physical"});
    CHECK(column_of(reply, "link") == Words{""});
    CHECK(column_of(reply, "tls") == Words{""});
}

TEST_CASE("client states have PgBouncer's words; a client that logs in is shown among sockets only") {
    using enum ClientState;
    Inventory inventory;
    inventory.clients = in_states<ClientRow>({login, idle, active, waiting, active_cancel_req, waiting_cancel_req});
    CHECK(column_of(show("show clients", inventory), "state") ==
          Words{"idle", "active", "waiting", "active_cancel_req", "waiting_cancel_req"});
    CHECK(column_of(show("show sockets", inventory), "state") ==
          Words{"cl_login", "cl_active", "cl_active", "cl_waiting", "cl_active_cancel_req", "cl_waiting_cancel_req"});
}

TEST_CASE("server states have PgBouncer's words") {
    using enum ShownServerState;
    Inventory inventory;
    inventory.servers = in_states<ServerRow>({login, idle, used, active, tested, active_cancel, being_canceled});
    CHECK(column_of(show("show servers", inventory), "state") ==
          Words{"new", "idle", "used", "active", "tested", "active_cancel", "being_canceled"});
    CHECK(column_of(show("show sockets", inventory), "state") ==
          Words{"sv_login", "sv_idle", "sv_used", "sv_active", "sv_tested", "sv_active_cancel", "sv_being_canceled"});
}

TEST_CASE("an active server without a client shows idle") {
    Inventory inventory;
    inventory.servers = in_states<ServerRow>({ShownServerState::active}, 0);
    CHECK(column_of(show("show servers", inventory), "state") == Words{"idle"});
}

TEST_CASE("SHOW SOCKETS adds the buffers, and ACTIVE_SOCKETS leaves out who has none in use") {
    Inventory inventory;
    inventory.clients.push_back(a_client());
    auto& server = inventory.servers.emplace_back();
    server.buffers = {.recv_pos = 1, .pkt_pos = 2, .pkt_remain = 3, .send_pos = 4, .send_remain = 5, .send_avail = 7};
    const auto all = show("show sockets", inventory);
    REQUIRE(all.rows.size() == 2);
    CHECK(ReplyRow(all.rows[1].begin() + 21, all.rows[1].end()) == ReplyRow{"1", "2", "3", "4", "5", "0", "7"});
    const auto active = show("show active_sockets", inventory);
    CHECK(column_of(active, "type") == Words{"S"});
    inventory.servers[0].buffers.send_avail = 0;
    CHECK(show("show active_sockets", inventory).rows.empty());
    inventory.servers[0].buffers.pkt_avail = 1;
    CHECK(show("show active_sockets", inventory).rows.size() == 1);
}

TEST_CASE("SHOW POOLS is sorted by database and user") {
    Inventory inventory;
    inventory.pools = {{.database = "b", .user = "x"},
                       {.database = "a", .user = "y"},
                       {.database = "a", .user = "Z"}};
    const auto reply = show("show pools", inventory);
    CHECK(column_of(reply, "database") == Words{"a", "a", "b"});
    CHECK(column_of(reply, "user") == Words{"Z", "y", "x"});
}

TEST_CASE("SHOW POOLS prints a pool's numbers in the order of its columns") {
    Inventory inventory;
    inventory.pools = {{.database = "app", .user = "alice", .cl_active = 1, .cl_waiting = 2, .cl_active_cancel_req = 3,
                        .cl_waiting_cancel_req = 4, .sv_active = 5, .sv_active_cancel = 6, .sv_being_canceled = 7, .sv_idle = 8,
                        .sv_used = 9, .sv_tested = 10, .sv_login = 11, .maxwait = Microseconds{12'000'013},
                        .pool_mode = PoolMode::transaction}};
    CHECK(show("show pools", inventory).rows ==
          std::vector<ReplyRow>{{"app", "alice", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13",
                                 "transaction", null}});
    inventory.pools[0].load_balance_hosts = LoadBalanceHosts::round_robin;
    CHECK(column_of(show("show pools", inventory), "load_balance_hosts") == Words{"round-robin"});
}

TEST_CASE("SHOW DATABASES prints the values in force, the console's own entry included") {
    Inventory inventory;
    inventory.databases = {console_database_row(6432),
                           {.name = "app", .host = "10.0.0.1,10.0.0.2", .port = 5433, .database = "main", .pool_size = 20,
                            .min_pool_size = 1, .reserve_pool_size = 2, .server_lifetime = Microseconds{3'600'000'000},
                            .load_balance_hosts = LoadBalanceHosts::disable, .max_connections = 3, .current_connections = 4,
                            .max_client_connections = 5, .current_client_connections = 6, .paused = true, .disabled = false}};
    CHECK(show("show databases", inventory).rows ==
          std::vector<ReplyRow>{{"app", "10.0.0.1,10.0.0.2", "5433", "main", null, "20", "1", "2", "3600", null, "disable",
                                 "3", "4", "5", "6", "1", "0"},
                                {"pgbouncer", null, "6432", "pgbouncer", "pgbouncer", "2", "0", "0", "0", "statement", null,
                                 "0", "0", "0", "0", "0", "0"}});
}

TEST_CASE("SHOW USERS prints sizes as text, right-aligned, and nothing where none is set") {
    Inventory inventory;
    inventory.users = {{.name = "bob", .pool_size = 5, .reserve_pool_size = 0, .pool_mode = PoolMode::session,
                        .max_user_connections = 1, .current_connections = 2, .max_user_client_connections = 3,
                        .current_client_connections = 4},
                       {.name = "alice"}};
    CHECK(show("show users", inventory).rows ==
          std::vector<ReplyRow>{{"alice", "", "", null, "0", "0", "0", "0"},
                                {"bob", "        5", "        0", "session", "1", "2", "3", "4"}});
}

TEST_CASE("SHOW PEERS and PEER_POOLS are sorted by id") {
    Inventory inventory;
    inventory.peers = {{.peer_id = 2, .host = "b", .port = 6432, .pool_size = 1},
                       {.peer_id = 1, .host = "a", .port = 6433, .pool_size = 4}};
    inventory.peer_pools = {{.peer_id = 2},
                            {.peer_id = 1, .cl_active_cancel_req = 2, .cl_waiting_cancel_req = 3, .sv_active_cancel = 4,
                             .sv_login = 5}};
    CHECK(show("show peers", inventory).rows == std::vector<ReplyRow>{{"1", "a", "6433", "4"}, {"2", "b", "6432", "1"}});
    CHECK(show("show peer_pools", inventory).rows == std::vector<ReplyRow>{{"1", "2", "3", "4", "5"}, {"2", "0", "0", "0", "0"}});
}

TEST_CASE("SHOW LISTS counts in PgBouncer's order") {
    Inventory inventory;
    inventory.counts = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    const auto reply = show("show lists", inventory);
    CHECK(column_of(reply, "list") == Words{"databases", "users", "peers", "pools", "peer_pools", "free_clients", "used_clients",
                                            "login_clients", "free_servers", "used_servers", "dns_names", "dns_zones",
                                            "dns_queries", "dns_pending"});
    CHECK(column_of(reply, "items") == Words{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14"});
}

TEST_CASE("the four statistics print totals and averages at their places") {
    const Statistics totals{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const Statistics averages{21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};
    Inventory inventory;
    inventory.statistics = {.databases = {{"app", totals, averages}}, .overall = {"", averages, totals}};

    const auto row = [&](std::string_view text) { return show(text, inventory).rows.at(0); };
    const ReplyRow first{"app", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"};
    const ReplyRow second{"app", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31", "32"};
    auto both = first;
    both.insert(both.end(), second.begin() + 1, second.end());
    CHECK(row("show stats") == both);
    CHECK(row("show stats_totals") == first);
    CHECK(row("show stats_averages") == second);

    const auto sums = show("show totals", inventory);
    REQUIRE(sums.rows.size() == 24);
    CHECK(sums.rows[3] == ReplyRow{"total_client_bytes", "24"});
    CHECK(sums.rows[8] == ReplyRow{"total_ps_client_parse_count", "29"});
    CHECK(sums.rows[12] == ReplyRow{"avg_server_assignment_count", "1"});
    CHECK(sums.rows[23] == ReplyRow{"avg_client_login_count", "12"});
}

TEST_CASE("SHOW CONFIG prints the settings in force") {
    Inventory inventory;
    auto settings = std::make_shared<Settings>();
    apply_set(*settings, "default_pool_size", "7");
    inventory.settings = settings;
    const auto reply = show("show config", inventory);
    CHECK(std::count(reply.rows.begin(), reply.rows.end(), ReplyRow{"default_pool_size", "7", "20", "yes"}) == 1);
    CHECK(reply.rows.size() == show_config(*settings).size());
}

TEST_CASE("SHOW STATE says yes to one of its states") {
    Inventory inventory;
    const auto values = [&] { return column_of(show("show state", inventory), "value"); };
    CHECK(column_of(show("show state", inventory), "key") == Words{"active", "paused", "suspended"});
    CHECK(values() == Words{"yes", "no", "no"});
    inventory.state = ProcessState::paused;
    CHECK(values() == Words{"no", "yes", "no"});
    inventory.state = ProcessState::suspended;
    CHECK(values() == Words{"no", "no", "yes"});
}

TEST_CASE("SHOW MEM and DNS_HOSTS print what they are given; there are no DNS zones") {
    Inventory inventory;
    inventory.memory = {{.name = "clients", .size = 640, .used = 3, .free = 47, .memtotal = 32'000}};
    inventory.dns_hosts = {{.hostname = "db", .ttl = 15, .addrs = "10.0.0.1"}};
    CHECK(show("show mem", inventory).rows == std::vector<ReplyRow>{{"clients", "640", "3", "47", "32000"}});
    CHECK(show("show dns_hosts", inventory).rows == std::vector<ReplyRow>{{"db", "15", "10.0.0.1"}});
    CHECK(show("show dns_zones", inventory).rows.empty());
}

}  // namespace pgweir::test
