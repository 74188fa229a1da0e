// SHOW CLIENTS, SERVERS, SOCKETS, ACTIVE_SOCKETS.

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <string_view>

#include "admin/show_rows.hpp"

namespace pgweir::rows {

namespace {

// How one state is called in the lists of one kind and in the lists of sockets.
struct StateWords {
    std::string_view alone;
    std::string_view among_sockets;
};

// In the order of ClientState. A client that logs in is shown among sockets only.
constexpr auto client_words = std::to_array<StateWords>({
    {"login", "cl_login"},
    {"idle", "cl_active"},
    {"active", "cl_active"},
    {"waiting", "cl_waiting"},
    {"active_cancel_req", "cl_active_cancel_req"},
    {"waiting_cancel_req", "cl_waiting_cancel_req"},
});

// In the order of ShownServerState.
constexpr auto server_words = std::to_array<StateWords>({
    {"new", "sv_login"},
    {"idle", "sv_idle"},
    {"used", "sv_used"},
    {"active", "sv_active"},
    {"tested", "sv_tested"},
    {"active_cancel", "sv_active_cancel"},
    {"being_canceled", "sv_being_canceled"},
});

constexpr auto replication_words = std::to_array<std::string_view>({"none", "logical", "physical"});

StateWords words_of(const ClientRow& client) { return client_words[static_cast<std::size_t>(client.state)]; }

StateWords words_of(const ServerRow& server) {
    auto words = server_words[static_cast<std::size_t>(server.state)];
    // PgBouncer lists a server whose client has just left as idle, though it is still among the active ones.
    if (server.state == ShownServerState::active && server.link == 0) words.alone = "idle";
    return words;
}

std::string or_unknown(const std::string& name, std::string_view unknown) { return name.empty() ? std::string(unknown) : name; }

std::string time_text(std::chrono::sys_seconds at) {
    const std::time_t seconds = at.time_since_epoch().count();
    std::tm local{};
    localtime_r(&seconds, &local);
    std::array<char, 64> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %Z", &local)};
}

std::string pointer_text(std::uint64_t pointer) { return pointer == 0 ? std::string() : fmt::format("0x{:x}", pointer); }

Row connection(const ConnectionRow& row, const char* type, std::string_view state) {
    return {
        type, or_unknown(row.user, "(nouser)"), or_unknown(row.database, "(nodb)"),
        replication_words[static_cast<std::size_t>(row.replication)], state, row.addr, row.port, row.local_addr, row.local_port,
        time_text(row.connect_time), time_text(row.request_time), row.wait.count() / 1'000'000, row.wait.count() % 1'000'000,
        static_cast<int>(row.close_needed), pointer_text(row.ptr), pointer_text(row.link), row.remote_pid, row.tls,
        row.application_name, row.prepared_statements, row.id,
    };
}

Row socket(const ConnectionRow& row, const char* type, std::string_view state) {
    Row cells = connection(row, type, state);
    const auto& at = row.buffers;
    for (const int position : {at.recv_pos, at.pkt_pos, at.pkt_remain, at.send_pos, at.send_remain, at.pkt_avail, at.send_avail})
        cells.emplace_back(position);
    return cells;
}

template <class Wanted>
std::vector<Row> sockets_that(const Inventory& inventory, Wanted is_wanted) {
    std::vector<Row> rows;
    for (const auto& client : inventory.clients)
        if (is_wanted(client)) rows.push_back(socket(client, "C", words_of(client).among_sockets));
    for (const auto& server : inventory.servers)
        if (is_wanted(server)) rows.push_back(socket(server, "S", words_of(server).among_sockets));
    return rows;
}

}  // namespace

std::vector<Row> clients(const Inventory& inventory) {
    std::vector<Row> rows;
    for (const auto& client : inventory.clients)
        if (client.state != ClientState::login) rows.push_back(connection(client, "C", words_of(client).alone));
    return rows;
}

std::vector<Row> servers(const Inventory& inventory) {
    std::vector<Row> rows;
    for (const auto& server : inventory.servers) rows.push_back(connection(server, "S", words_of(server).alone));
    return rows;
}

std::vector<Row> sockets(const Inventory& inventory) {
    return sockets_that(inventory, [](const ConnectionRow&) { return true; });
}

std::vector<Row> active_sockets(const Inventory& inventory) {
    return sockets_that(inventory, [](const ConnectionRow& row) { return row.buffers.hold_data(); });
}

}  // namespace pgweir::rows
