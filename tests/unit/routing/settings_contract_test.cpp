// PgBouncer's settings as its users know them: order, default (none: null), and whether a reload changes them.

#include "routing/settings_console.hpp"

#include <array>

#include "routing/setting_table.hpp"
#include "tests/support/catch.hpp"

using namespace pgweir;

namespace {

struct Known {
    const char* name;
    const char* default_text;
    bool is_reloadable;
};

// clang-format off
constexpr auto known_settings = std::to_array<Known>({
    {"admin_users", "", true},
    {"application_name_add_host", "0", true},
    {"auth_dbname", nullptr, true},
    {"auth_file", nullptr, true},
    {"auth_hba_file", "", true},
    {"auth_ident_file", nullptr, true},
    {"auth_ldap_options", nullptr, true},
    {"auth_query", "SELECT rolname, CASE WHEN rolvaliduntil < now() THEN NULL ELSE rolpassword END FROM pg_authid WHERE rolname=$1 AND rolcanlogin", true},
    {"auth_type", "md5", true},
    {"auth_user", nullptr, true},
    {"autodb_idle_timeout", "3600", true},
    {"cancel_wait_timeout", "10", true},
    {"client_idle_timeout", "0", true},
    {"client_login_timeout", "60", true},
    {"client_tls13_ciphers", nullptr, true},
    {"client_tls_ca_file", "", true},
    {"client_tls_cert_file", "", true},
    {"client_tls_ciphers", "default", true},
    {"client_tls_dheparams", "auto", true},
    {"client_tls_ecdhcurve", "auto", true},
    {"client_tls_key_file", "", true},
    {"client_tls_protocols", "secure", true},
    {"client_tls_sslmode", "disable", true},
    {"conffile", nullptr, true},
    {"default_pool_size", "20", true},
    {"disable_pqexec", "0", false},
    {"dns_max_ttl", "15", true},
    {"dns_nxdomain_ttl", "15", true},
    {"dns_zone_check_period", "0", true},
    {"idle_transaction_timeout", "0", true},
    {"ignore_startup_parameters", "", true},
    {"job_name", "pgbouncer", false},
    {"listen_addr", "", false},
    {"listen_backlog", "128", false},
    {"listen_port", "6432", false},
    {"log_connections", "1", true},
    {"log_disconnections", "1", true},
    {"log_pooler_errors", "1", true},
    {"log_stats", "1", true},
    {"logfile", "", true},
    {"login_notify_message", "", true},
    {"max_client_conn", "100", true},
    {"max_db_client_connections", "0", true},
    {"max_db_connections", "0", true},
    {"max_packet_size", "2147483647", true},
    {"max_prepared_statements", "200", true},
    {"max_user_client_connections", "0", true},
    {"max_user_connections", "0", true},
    {"min_pool_size", "0", true},
    {"peer_id", "0", true},
    {"pidfile", "", false},
    {"pkt_buf", "4096", false},
    {"pool_mode", "session", true},
    {"pool_idle_timeout", "0", true},
    {"query_timeout", "0", true},
    {"query_wait_notify", "5", true},
    {"query_wait_timeout", "120", true},
    {"reserve_pool_size", "0", true},
    {"reserve_pool_timeout", "5", true},
    {"resolv_conf", "", false},
    {"sbuf_loopcnt", "5", true},
    {"scram_iterations", "4096", true},
    {"server_check_delay", "30", true},
    {"server_check_query", "<empty>", true},
    {"server_connect_timeout", "15", true},
    {"server_fast_close", "0", true},
    {"server_idle_timeout", "600", true},
    {"server_lifetime", "3600", true},
    {"server_login_retry", "15", true},
    {"server_reset_query", "DISCARD ALL", true},
    {"server_reset_query_always", "0", true},
    {"server_round_robin", "0", true},
    {"server_tls13_ciphers", nullptr, true},
    {"server_tls_ca_file", "", true},
    {"server_tls_cert_file", "", true},
    {"server_tls_ciphers", "default", true},
    {"server_tls_key_file", "", true},
    {"server_tls_protocols", "secure", true},
    {"server_tls_sslmode", "prefer", true},
    {"so_reuseport", "0", false},
    {"stats_period", "60", true},
    {"stats_users", "", true},
    {"suspend_timeout", "10", true},
    {"syslog", "0", true},
    {"syslog_facility", "daemon", true},
    {"syslog_ident", "pgbouncer", true},
    {"tcp_defer_accept", "1", true},
    {"tcp_keepalive", "1", true},
    {"tcp_keepcnt", "0", true},
    {"tcp_keepidle", "0", true},
    {"tcp_keepintvl", "0", true},
    {"tcp_socket_buffer", "0", true},
    {"tcp_user_timeout", "0", true},
    {"track_extra_parameters", "IntervalStyle", false},
    {"transaction_timeout", "0", true},
    {"unix_socket_dir", "/tmp", false},
    {"unix_socket_group", "", false},
    {"unix_socket_mode", "0777", false},
    {"user", nullptr, false},
    {"verbose", nullptr, true},
});
// clang-format on

}  // namespace

TEST_CASE("SHOW CONFIG begins with PgBouncer's settings, with its defaults and what a reload changes") {
    const auto rows = show_config(Settings{});
    REQUIRE(rows.size() >= known_settings.size());
    for (std::size_t i = 0; i < known_settings.size(); ++i) {
        const auto& known = known_settings[i];
        CAPTURE(known.name);
        CHECK(rows[i].key == known.name);
        CHECK(rows[i].default_value == (known.default_text ? std::optional<std::string>(known.default_text) : std::nullopt));
        CHECK(rows[i].changeable == known.is_reloadable);
    }
}

TEST_CASE("what stands behind them in SHOW CONFIG is ours") {
    const auto table = setting_table();
    for (std::size_t i = 0; i < table.size(); ++i) {
        CAPTURE(table[i].name);
        CHECK(table[i].has(SettingFlags::ours) == (i >= known_settings.size()));
    }
}
