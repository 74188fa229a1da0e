// The settings of the process: one snapshot of all of [pgbouncer], [databases], [users] and [peers].
//
// A new Settings has every default; a loaded one is shared as `std::shared_ptr<const Settings>` and never changes. A
// reload or a console SET makes another. Fields bear the names of the file.
// Promises: `databases`, `users` and `peers` are sorted (by name, byte order; by id) and hold no name twice.
// Not here: names, units, ranges and help of the settings (setting_table.hpp), reading a file (settings_loader.hpp),
// what wins for one pool or session (effective_settings.hpp), SHOW CONFIG and SET (settings_console.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "routing/auth_type.hpp"
#include "routing/entries.hpp"
#include "routing/pool_policy.hpp"
#include "routing/time.hpp"

namespace pgweir {

enum class TlsMode : std::uint8_t { disable, allow, prefer, require, verify_ca, verify_full };
enum class LogFormat : std::uint8_t { text, json };
enum class LeakAction : std::uint8_t { off, warn };

// The console's database; no entry may bear its name.
inline constexpr std::string_view console_database = "pgbouncer";

struct Settings {
    Settings();

    // who may log in
    std::vector<std::string> admin_users;
    std::vector<std::string> stats_users;
    AuthType auth_type{};
    std::string auth_file;
    std::string auth_hba_file;
    std::string auth_ident_file;
    std::string auth_ldap_options;
    std::string auth_dbname;
    std::string auth_query;
    std::string auth_user;
    int scram_iterations = 0;

    // where to listen, as whom to run
    std::vector<std::string> listen_addr;      // "*": all addresses; none: no TCP
    int listen_port = 0;
    int listen_backlog = 0;
    bool so_reuseport = false;
    std::string unix_socket_dir;               // empty: none; "@…": abstract
    std::string unix_socket_group;
    int unix_socket_mode = 0;
    std::string user;                          // Unix user to become
    std::string pidfile;
    std::string conffile;                      // what the next reload reads
    std::string job_name;
    int worker_threads = 0;                    // 0: the cores this process may use, at most 4
    int peer_id = 0;

    // pools and bounds; 0: no bound
    PoolMode pool_mode{};
    int default_pool_size = 0;
    int min_pool_size = 0;
    int reserve_pool_size = 0;
    Microseconds reserve_pool_timeout{};
    int max_client_conn = 0;                   // 0 is no exception here: nobody gets in
    int max_db_connections = 0;
    int max_db_client_connections = 0;
    int max_user_connections = 0;
    int max_user_client_connections = 0;
    bool server_round_robin = false;
    Microseconds pool_idle_timeout{};
    Microseconds autodb_idle_timeout{};

    // clients; durations of 0 are off
    Microseconds client_login_timeout{};
    Microseconds client_idle_timeout{};
    Microseconds idle_transaction_timeout{};
    Microseconds transaction_timeout{};
    Microseconds query_timeout{};
    Microseconds query_wait_timeout{};
    Microseconds query_wait_notify{};
    Microseconds cancel_wait_timeout{};
    ClientLostQuery client_lost_query{};
    Microseconds client_lost_drain{};
    std::vector<std::string> ignore_startup_parameters;
    std::vector<std::string> track_extra_parameters;
    bool application_name_add_host = false;
    std::string login_notify_message;
    int max_prepared_statements = 200;
    bool disable_pqexec = false;
    bool compat_error_codes = false;
    Microseconds leak_warn_after{};
    LeakAction leak_action{};

    // servers
    Microseconds server_connect_timeout{};
    Microseconds server_login_retry{};
    Microseconds server_lifetime{};            // 0: a server serves once
    Microseconds server_idle_timeout{};
    Microseconds server_check_delay{};
    std::string server_check_query;            // as in the file: "<empty>" is the empty query
    std::string server_reset_query;
    bool server_reset_query_always = false;
    bool server_fast_close = false;
    Microseconds suspend_timeout{};

    // sockets, names, buffers; 0: the system's own value
    int max_packet_size = 0;
    int pkt_buf = 0;
    int sbuf_loopcnt = 0;
    bool tcp_defer_accept = false;
    bool tcp_keepalive = false;
    int tcp_keepcnt = 0;
    Microseconds tcp_keepidle{};
    Microseconds tcp_keepintvl{};
    int tcp_socket_buffer = 0;
    Microseconds tcp_user_timeout{};
    Microseconds dns_max_ttl{};
    Microseconds dns_nxdomain_ttl{};
    Microseconds dns_zone_check_period{};
    std::string resolv_conf;

    // TLS
    TlsMode client_tls_sslmode{};
    std::string client_tls_ca_file;
    std::string client_tls_cert_file;
    std::string client_tls_key_file;
    std::string client_tls_ciphers;
    std::string client_tls13_ciphers;
    std::string client_tls_protocols;
    std::string client_tls_dheparams;
    std::string client_tls_ecdhcurve;
    TlsMode server_tls_sslmode{};
    std::string server_tls_ca_file;
    std::string server_tls_cert_file;
    std::string server_tls_key_file;
    std::string server_tls_ciphers;
    std::string server_tls13_ciphers;
    std::string server_tls_protocols;

    // what operators see
    std::string logfile;
    LogFormat log_format{};
    int verbose = 0;
    bool log_connections = false;
    bool log_disconnections = false;
    bool log_pooler_errors = false;
    bool log_stats = false;
    Microseconds stats_period{};
    bool syslog = false;
    std::string syslog_facility;
    std::string syslog_ident;
    std::string admin_http_addr;               // ADDRESS:PORT; empty: no HTTP

    std::vector<DatabaseEntry> databases;      // the fallback "*" too
    std::vector<UserEntry> users;
    std::vector<PeerEntry> peers;

    // The entry of exactly this name, or null.
    const DatabaseEntry* find_database(std::string_view name) const;
    // The line "*", or null.
    const DatabaseEntry* fallback() const { return find_database("*"); }
    const UserEntry* find_user(std::string_view name) const;

    bool operator==(const Settings&) const = default;
};

// The auto-database that the fallback line gives for a name that is not listed.
DatabaseEntry auto_database(const DatabaseEntry& fallback, std::string_view name);

}  // namespace pgweir
