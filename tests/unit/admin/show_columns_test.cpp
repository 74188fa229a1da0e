// Names, order and types of all columns, as programs that read PgBouncer's console expect them.

#include <memory>
#include <sstream>

#include "admin/show_table.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/admin/console_reply.hpp"

namespace pgweir::test {

namespace {

struct Expected {
    std::string command;
    std::size_t count;
    std::string columns;    // a letter for the type, a colon, the name
};

const std::string connection_columns =
    "t:type t:user t:database t:replication t:state t:addr i:port t:local_addr i:local_port t:connect_time t:request_time "
    "i:wait i:wait_us i:close_needed t:ptr t:link i:remote_pid t:tls t:application_name i:prepared_statements i:id";
const std::string socket_columns =
    connection_columns + " i:recv_pos i:pkt_pos i:pkt_remain i:send_pos i:send_remain i:pkt_avail i:send_avail";

const std::vector<Expected> expected{
    {"clients", 21, connection_columns},
    {"servers", 21, connection_columns},
    {"sockets", 28, socket_columns},
    {"active_sockets", 28, socket_columns},
    {"pools", 17,
     "t:database t:user i:cl_active i:cl_waiting i:cl_active_cancel_req i:cl_waiting_cancel_req i:sv_active i:sv_active_cancel "
     "i:sv_being_canceled i:sv_idle i:sv_used i:sv_tested i:sv_login i:maxwait i:maxwait_us t:pool_mode t:load_balance_hosts"},
    {"peer_pools", 5, "i:peer_id i:cl_active_cancel_req i:cl_waiting_cancel_req i:sv_active_cancel i:sv_login"},
    {"databases", 17,
     "t:name t:host i:port t:database t:force_user i:pool_size i:min_pool_size i:reserve_pool_size i:server_lifetime t:pool_mode "
     "t:load_balance_hosts i:max_connections i:current_connections i:max_client_connections i:current_client_connections "
     "i:paused i:disabled"},
    {"fds", 15,
     "i:fd t:task t:user t:database t:addr i:port q:cancel i:link t:client_encoding t:std_strings t:datestyle t:timezone t:password "
     "b:scram_client_key b:scram_server_key"},
    {"peers", 4, "i:peer_id t:host i:port i:pool_size"},
    {"users", 8,
     "t:name t:pool_size t:reserve_pool_size t:pool_mode i:max_user_connections i:current_connections "
     "i:max_user_client_connections i:current_client_connections"},
    {"lists", 2, "t:list i:items"},
    {"stats", 25,
     "t:database n:total_server_assignment_count n:total_xact_count n:total_query_count n:total_received n:total_sent "
     "n:total_xact_time n:total_query_time n:total_wait_time n:total_client_parse_count n:total_server_parse_count "
     "n:total_bind_count n:total_client_login_count n:avg_server_assignment_count n:avg_xact_count n:avg_query_count "
     "n:avg_recv n:avg_sent n:avg_xact_time n:avg_query_time n:avg_wait_time n:avg_client_parse_count "
     "n:avg_server_parse_count n:avg_bind_count n:avg_client_login_count"},
    {"stats_totals", 13,
     "t:database n:server_assignment_count n:xact_count n:query_count n:bytes_received n:bytes_sent n:xact_time n:query_time "
     "n:wait_time n:client_parse_count n:server_parse_count n:bind_count n:client_login_count"},
    {"stats_averages", 13,
     "t:database n:server_assignment_count n:xact_count n:query_count n:bytes_received n:bytes_sent n:xact_time n:query_time "
     "n:wait_time n:avg_client_parse_count n:avg_server_parse_count n:avg_bind_count n:avg_client_login_count"},
    {"totals", 2, "t:name n:value"},
    {"config", 4, "t:key t:value t:default t:changeable"},
    {"mem", 5, "t:name i:size i:used i:free i:memtotal"},
    {"state", 2, "t:key t:value"},
    {"version", 1, "t:version"},
    {"dns_hosts", 3, "t:hostname q:ttl t:addrs"},
    {"dns_zones", 3, "t:zonename q:serial i:count"},
};

ReplyColumn column(const std::string& text) {
    const auto name = text.substr(2);
    switch (text.front()) {
        case 'i': return {name, 23, 4, 0};
        case 'q': return {name, 20, 8, 0};
        case 'n': return {name, 1700, -1, 0};
        case 'b': return {name, 17, -1, 0};
        default: return {name, 25, -1, 0};
    }
}

// A value of each kind, so that each command has a row wherever it can have one.
Inventory one_of_each() {
    Inventory inventory;
    inventory.clients.emplace_back().buffers.pkt_avail = 1;
    inventory.servers.emplace_back().buffers.send_avail = 1;
    inventory.pools.emplace_back();
    inventory.databases.emplace_back();
    inventory.users.emplace_back();
    inventory.statistics.databases.emplace_back();
    inventory.memory.emplace_back();
    inventory.settings = std::make_shared<Settings>();
    inventory.peers.emplace_back();
    inventory.peer_pools.emplace_back();
    inventory.dns_hosts.emplace_back();
    inventory.fds.emplace_back();
    return inventory;
}

}  // namespace

TEST_CASE("every SHOW has PgBouncer's columns, in its order and with its types") {
    for (const auto& [command, count, texts] : expected) {
        INFO(command);
        std::vector<ReplyColumn> columns;
        std::istringstream words(texts);
        for (std::string word; words >> word;) columns.push_back(column(word));
        REQUIRE(columns.size() == count);
        CHECK(show("show " + command, {}).columns == columns);
    }
}

TEST_CASE("every row has as many values as there are columns") {
    const auto inventory = one_of_each();
    for (const auto& [command, count, texts] : expected) {
        INFO(command);
        const auto rows = show_table_row(*show_kind_of(command)).rows(inventory);
        CHECK(rows.empty() == (command == "dns_zones"));
        for (const auto& row : rows) CHECK(row.size() == count);
    }
}

}  // namespace pgweir::test
