#include "admin/show_table.hpp"

#include <algorithm>
#include <array>

#include "admin/show_rows.hpp"
#include "routing/setting_words.hpp"

namespace pgweir {

namespace {

using Columns = std::span<const ShowColumn>;

constexpr auto t = ColumnType::text;
constexpr auto i = ColumnType::int4;
constexpr auto q = ColumnType::int8;
constexpr auto n = ColumnType::numeric;
constexpr auto b = ColumnType::bytea;

constexpr auto connection_columns = std::to_array<ShowColumn>({
    {"type", t}, {"user", t}, {"database", t}, {"replication", t}, {"state", t}, {"addr", t}, {"port", i},
    {"local_addr", t}, {"local_port", i}, {"connect_time", t}, {"request_time", t}, {"wait", i}, {"wait_us", i},
    {"close_needed", i}, {"ptr", t}, {"link", t}, {"remote_pid", i}, {"tls", t}, {"application_name", t},
    {"prepared_statements", i}, {"id", i},
});
constexpr auto socket_columns = std::to_array<ShowColumn>({
    {"type", t}, {"user", t}, {"database", t}, {"replication", t}, {"state", t}, {"addr", t}, {"port", i},
    {"local_addr", t}, {"local_port", i}, {"connect_time", t}, {"request_time", t}, {"wait", i}, {"wait_us", i},
    {"close_needed", i}, {"ptr", t}, {"link", t}, {"remote_pid", i}, {"tls", t}, {"application_name", t},
    {"prepared_statements", i}, {"id", i}, {"recv_pos", i}, {"pkt_pos", i}, {"pkt_remain", i}, {"send_pos", i},
    {"send_remain", i}, {"pkt_avail", i}, {"send_avail", i},
});
constexpr auto pool_columns = std::to_array<ShowColumn>({
    {"database", t}, {"user", t}, {"cl_active", i}, {"cl_waiting", i}, {"cl_active_cancel_req", i},
    {"cl_waiting_cancel_req", i}, {"sv_active", i}, {"sv_active_cancel", i}, {"sv_being_canceled", i},
    {"sv_idle", i}, {"sv_used", i}, {"sv_tested", i}, {"sv_login", i}, {"maxwait", i}, {"maxwait_us", i},
    {"pool_mode", t}, {"load_balance_hosts", t},
});
constexpr auto peer_pool_columns = std::to_array<ShowColumn>({
    {"peer_id", i}, {"cl_active_cancel_req", i}, {"cl_waiting_cancel_req", i}, {"sv_active_cancel", i},
    {"sv_login", i},
});
constexpr auto database_columns = std::to_array<ShowColumn>({
    {"name", t}, {"host", t}, {"port", i}, {"database", t}, {"force_user", t}, {"pool_size", i},
    {"min_pool_size", i}, {"reserve_pool_size", i}, {"server_lifetime", i}, {"pool_mode", t},
    {"load_balance_hosts", t}, {"max_connections", i}, {"current_connections", i}, {"max_client_connections", i},
    {"current_client_connections", i}, {"paused", i}, {"disabled", i},
});
constexpr auto peer_columns = std::to_array<ShowColumn>({{"peer_id", i}, {"host", t}, {"port", i}, {"pool_size", i}});
constexpr auto user_columns = std::to_array<ShowColumn>({
    {"name", t}, {"pool_size", t}, {"reserve_pool_size", t}, {"pool_mode", t}, {"max_user_connections", i},
    {"current_connections", i}, {"max_user_client_connections", i}, {"current_client_connections", i},
});
constexpr auto list_columns = std::to_array<ShowColumn>({{"list", t}, {"items", i}});
constexpr auto stats_columns = std::to_array<ShowColumn>({
    {"database", t}, {"total_server_assignment_count", n}, {"total_xact_count", n}, {"total_query_count", n},
    {"total_received", n}, {"total_sent", n}, {"total_xact_time", n}, {"total_query_time", n},
    {"total_wait_time", n}, {"total_client_parse_count", n}, {"total_server_parse_count", n},
    {"total_bind_count", n}, {"total_client_login_count", n}, {"avg_server_assignment_count", n},
    {"avg_xact_count", n}, {"avg_query_count", n}, {"avg_recv", n}, {"avg_sent", n}, {"avg_xact_time", n},
    {"avg_query_time", n}, {"avg_wait_time", n}, {"avg_client_parse_count", n}, {"avg_server_parse_count", n},
    {"avg_bind_count", n}, {"avg_client_login_count", n},
});
constexpr auto stats_totals_columns = std::to_array<ShowColumn>({
    {"database", t}, {"server_assignment_count", n}, {"xact_count", n}, {"query_count", n}, {"bytes_received", n},
    {"bytes_sent", n}, {"xact_time", n}, {"query_time", n}, {"wait_time", n}, {"client_parse_count", n},
    {"server_parse_count", n}, {"bind_count", n}, {"client_login_count", n},
});
constexpr auto stats_averages_columns = std::to_array<ShowColumn>({
    {"database", t}, {"server_assignment_count", n}, {"xact_count", n}, {"query_count", n}, {"bytes_received", n},
    {"bytes_sent", n}, {"xact_time", n}, {"query_time", n}, {"wait_time", n}, {"avg_client_parse_count", n},
    {"avg_server_parse_count", n}, {"avg_bind_count", n}, {"avg_client_login_count", n},
});
constexpr auto totals_columns = std::to_array<ShowColumn>({{"name", t}, {"value", n}});
constexpr auto config_columns = std::to_array<ShowColumn>({{"key", t}, {"value", t}, {"default", t}, {"changeable", t}});
constexpr auto mem_columns = std::to_array<ShowColumn>({
    {"name", t}, {"size", i}, {"used", i}, {"free", i}, {"memtotal", i},
});
constexpr auto state_columns = std::to_array<ShowColumn>({{"key", t}, {"value", t}});
constexpr auto version_columns = std::to_array<ShowColumn>({{"version", t}});
constexpr auto dns_host_columns = std::to_array<ShowColumn>({{"hostname", t}, {"ttl", q}, {"addrs", t}});
constexpr auto dns_zone_columns = std::to_array<ShowColumn>({{"zonename", t}, {"serial", q}, {"count", i}});
constexpr auto fd_columns = std::to_array<ShowColumn>({
    {"fd", i}, {"task", t}, {"user", t}, {"database", t}, {"addr", t}, {"port", i}, {"cancel", q}, {"link", i},
    {"client_encoding", t}, {"std_strings", t}, {"datestyle", t}, {"timezone", t}, {"password", t},
    {"scram_client_key", b}, {"scram_server_key", b},
});
constexpr auto client_encoding_columns = std::to_array<ShowColumn>({{"client_encoding", t}});
constexpr auto default_transaction_isolation_columns = std::to_array<ShowColumn>({{"default_transaction_isolation", t}});
constexpr auto standard_conforming_strings_columns = std::to_array<ShowColumn>({{"standard_conforming_strings", t}});
constexpr auto datestyle_columns = std::to_array<ShowColumn>({{"datestyle", t}});
constexpr auto timezone_columns = std::to_array<ShowColumn>({{"timezone", t}});

// In the order of ShowKind.
constexpr auto table = std::to_array<ShowTableRow>({
    {ShowKind::clients, "clients", Needs::clients, connection_columns, rows::clients},
    {ShowKind::servers, "servers", Needs::servers, connection_columns, rows::servers},
    {ShowKind::sockets, "sockets", Needs::clients | Needs::servers, socket_columns, rows::sockets},
    {ShowKind::active_sockets, "active_sockets", Needs::clients | Needs::servers, socket_columns, rows::active_sockets},
    {ShowKind::pools, "pools", Needs::pools, pool_columns, rows::pools},
    {ShowKind::peer_pools, "peer_pools", Needs::peers, peer_pool_columns, rows::peer_pools},
    {ShowKind::databases, "databases", Needs::databases, database_columns, rows::databases},
    {ShowKind::peers, "peers", Needs::peers, peer_columns, rows::peers},
    {ShowKind::users, "users", Needs::users, user_columns, rows::users},
    {ShowKind::lists, "lists", Needs::counts, list_columns, rows::lists},
    {ShowKind::stats, "stats", Needs::statistics, stats_columns, rows::stats},
    {ShowKind::stats_totals, "stats_totals", Needs::statistics, stats_totals_columns, rows::stats_totals},
    {ShowKind::stats_averages, "stats_averages", Needs::statistics, stats_averages_columns, rows::stats_averages},
    {ShowKind::totals, "totals", Needs::statistics, totals_columns, rows::totals},
    {ShowKind::config, "config", Needs::settings, config_columns, rows::config},
    {ShowKind::mem, "mem", Needs::memory, mem_columns, rows::mem},
    {ShowKind::state, "state", Needs::state, state_columns, rows::state},
    {ShowKind::version, "version", Needs::none, version_columns, rows::version},
    {ShowKind::dns_hosts, "dns_hosts", Needs::dns, dns_host_columns, rows::dns_hosts},
    {ShowKind::dns_zones, "dns_zones", Needs::none, dns_zone_columns, rows::dns_zones},
    {ShowKind::client_encoding, "client_encoding", Needs::none, client_encoding_columns, rows::client_encoding},
    {ShowKind::default_transaction_isolation, "default_transaction_isolation", Needs::none,
     default_transaction_isolation_columns, rows::default_transaction_isolation},
    {ShowKind::standard_conforming_strings, "standard_conforming_strings", Needs::none,
     standard_conforming_strings_columns, rows::standard_conforming_strings},
    {ShowKind::datestyle, "datestyle", Needs::none, datestyle_columns, rows::datestyle},
    {ShowKind::timezone, "timezone", Needs::none, timezone_columns, rows::timezone},
    {ShowKind::fds, "fds", Needs::fds, fd_columns, rows::fds},
    {ShowKind::help, "help", Needs::none, Columns(), nullptr},
});
static_assert(table.size() == static_cast<std::size_t>(ShowKind::count_));
static_assert(std::ranges::is_sorted(table, {}, &ShowTableRow::kind));

}  // namespace

const ShowTableRow& show_table_row(ShowKind kind) { return table[static_cast<std::size_t>(kind)]; }

std::optional<ShowKind> show_kind_of(std::string_view word) {
    for (const auto& row : table)
        if (equals_ignoring_case(row.word, word)) return row.kind;
    return std::nullopt;
}

std::string_view help_text() {
    return "\n"
           "\tSHOW HELP|CONFIG|DATABASES|POOLS|CLIENTS|SERVERS|USERS|VERSION\n"
           "\tSHOW STATS|STATS_TOTALS|STATS_AVERAGES|TOTALS\n"
           "\tSHOW SOCKETS|ACTIVE_SOCKETS|LISTS|MEM|STATE\n"
           "\tSHOW PEERS|PEER_POOLS|DNS_HOSTS|DNS_ZONES|FDS\n"
           "\tSET key = value\n"
           "\tRELOAD\n"
           "\tPAUSE [database]\n"
           "\tRESUME [database]\n"
           "\tDISABLE database\n"
           "\tENABLE database\n"
           "\tRECONNECT [database]\n"
           "\tWAIT_CLOSE [database]\n"
           "\tKILL [database]\n"
           "\tKILL_CLIENT client_id\n"
           "\tSUSPEND\n"
           "\tSHUTDOWN [WAIT_FOR_SERVERS|WAIT_FOR_CLIENTS]";
}

}  // namespace pgweir
