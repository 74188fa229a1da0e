#include "routing/setting_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "routing/setting_value.hpp"
#include "routing/setting_words.hpp"

namespace pgweir {

namespace {

using enum SettingType;
using S = Settings;
using Flags = SettingFlags;

constexpr auto reload = Flags::none;
constexpr auto restart = Flags::restart;
constexpr auto later = Flags::later;
constexpr auto partly = Flags::partly;
constexpr auto ours = Flags::ours;

constexpr SettingRange natural{0, INT_MAX};
constexpr SettingRange positive{1, INT_MAX};
// PgBouncer takes a negative bound for none.
constexpr SettingRange bound{INT_MIN, INT_MAX};

constexpr const char* none = nullptr;
constexpr const char* default_auth_query =
    "SELECT rolname, CASE WHEN rolvaliduntil < now() THEN NULL ELSE rolpassword END FROM pg_authid "
    "WHERE rolname=$1 AND rolcanlogin";

// clang-format off
constexpr auto table = std::to_array<SettingRow>({
    // name                         type           place                           default        range           flags              help
    {"admin_users",                 list,          &S::admin_users,                "",            {},             reload,            "users who may give every console command"},
    {"application_name_add_host",   boolean,       &S::application_name_add_host,  "0",           {},             reload,            "append the client's host and port to its application_name at login"},
    {"auth_dbname",                 text,          &S::auth_dbname,                none,          {},             later,             "database entry on which auth_query runs"},
    {"auth_file",                   file,          &S::auth_file,                  none,          {},             reload,            "user names and passwords"},
    {"auth_hba_file",               file,          &S::auth_hba_file,              "",            {},             later,             "HBA rules for auth_type=hba"},
    {"auth_ident_file",             file,          &S::auth_ident_file,            none,          {},             later,             "ident maps of those rules"},
    {"auth_ldap_options",           text,          &S::auth_ldap_options,          none,          {},             later | Flags::secret, "LDAP options for auth_type=ldap"},
    {"auth_query",                  text,          &S::auth_query,                 default_auth_query, {},        later,             "query that finds a user's password"},
    {"auth_type",                   choice,        &S::auth_type,                  "md5",         {},             partly,            "how clients prove who they are"},
    {"auth_user",                   text,          &S::auth_user,                  none,          {},             later,             "user that runs auth_query"},
    {"autodb_idle_timeout",         seconds,       &S::autodb_idle_timeout,        "3600",        natural,        reload,            "forget an auto-database unused for this long; 0: never"},
    {"cancel_wait_timeout",         seconds,       &S::cancel_wait_timeout,        "10",          natural,        reload,            "give up on a cancel request that got no server connection; 0: never"},
    {"client_idle_timeout",         seconds,       &S::client_idle_timeout,        "0",           natural,        reload,            "close a client idle for longer; 0: off"},
    {"client_login_timeout",        seconds,       &S::client_login_timeout,       "60",          natural,        reload,            "close a client that has not finished its login; 0: off"},
    {"client_tls13_ciphers",        text,          &S::client_tls13_ciphers,       none,          {},             reload,            "TLS 1.3 cipher suites towards clients; none: the library's, the one with AES-128 first"},
    {"client_tls_ca_file",          file,          &S::client_tls_ca_file,         "",            {},             reload,            "CA for client certificates; without one none is asked for below verify-ca"},
    {"client_tls_cert_file",        file,          &S::client_tls_cert_file,       "",            {},             reload,            "certificate shown to clients, those of its chain behind it"},
    {"client_tls_ciphers",          text,          &S::client_tls_ciphers,         "default",     {},             reload,            "ciphers up to TLS 1.2 towards clients"},
    {"client_tls_dheparams",        text,          &S::client_tls_dheparams,       "auto",        {},             reload,            "none or auto"},
    {"client_tls_ecdhcurve",        text,          &S::client_tls_ecdhcurve,       "auto",        {},             reload,            "none, auto or the name of a curve"},
    {"client_tls_key_file",         file,          &S::client_tls_key_file,        "",            {},             reload,            "key of that certificate; P-256 costs the least"},
    {"client_tls_protocols",        text,          &S::client_tls_protocols,       "secure",      {},             reload,            "TLS versions towards clients"},
    {"client_tls_sslmode",          choice,        &S::client_tls_sslmode,         "disable",     {},             reload,            "TLS towards clients"},
    {"conffile",                    file,          &S::conffile,                   none,          {},             reload,            "file that the next reload reads; the command line's at first"},
    {"default_pool_size",           integer,       &S::default_pool_size,          "20",          natural,        reload,            "server connections of a pool; 0: no bound"},
    {"disable_pqexec",              boolean,       &S::disable_pqexec,             "0",           {},             restart,           "refuse the simple query protocol"},
    {"dns_max_ttl",                 seconds,       &S::dns_max_ttl,                "15",          natural,        later,             "how long an answer of the DNS is kept"},
    {"dns_nxdomain_ttl",            seconds,       &S::dns_nxdomain_ttl,           "15",          natural,        later,             "how long a failure of the DNS is kept"},
    {"dns_zone_check_period",       seconds,       &S::dns_zone_check_period,      "0",           natural,        later,             "how often zone serials are looked at; 0: never"},
    {"idle_transaction_timeout",    seconds,       &S::idle_transaction_timeout,   "0",           natural,        reload,            "close a client idle inside a transaction for longer; 0: off"},
    {"ignore_startup_parameters",   list,          &S::ignore_startup_parameters,  "",            {},             reload,            "start-up parameters of clients to pass over"},
    {"job_name",                    text,          &S::job_name,                   "pgbouncer",   {},             restart,           "name of the Windows service; no effect elsewhere"},
    {"listen_addr",                 list,          &S::listen_addr,                "",            {},             restart,           "TCP addresses or names to listen on; *: all; empty: no TCP"},
    {"listen_backlog",              integer,       &S::listen_backlog,             "128",         natural,        restart,           "connections the system queues before they are accepted"},
    {"listen_port",                 integer,       &S::listen_port,                "6432",        {0, 65535},     restart,           "TCP port, and the number in the Unix socket's name"},
    {"log_connections",             boolean,       &S::log_connections,            "1",           {},             reload,            "log logins and new server connections"},
    {"log_disconnections",          boolean,       &S::log_disconnections,         "1",           {},             reload,            "log closings with their reason"},
    {"log_pooler_errors",           boolean,       &S::log_pooler_errors,          "1",           {},             reload,            "log the errors that are sent to clients"},
    {"log_stats",                   boolean,       &S::log_stats,                  "1",           {},             reload,            "log a line of statistics every stats_period"},
    {"logfile",                     file,          &S::logfile,                    "",            {},             reload,            "log file; empty: standard error only"},
    {"login_notify_message",        text,          &S::login_notify_message,       "",            {},             reload,            "NOTICE sent to each client at the end of its login"},
    {"max_client_conn",             integer,       &S::max_client_conn,            "100",         natural,        reload,            "clients altogether"},
    {"max_db_client_connections",   integer,       &S::max_db_client_connections,  "0",           bound,          reload,            "clients of a database; 0: no bound"},
    {"max_db_connections",          integer,       &S::max_db_connections,         "0",           bound,          reload,            "server connections of a database over all its pools; 0: no bound"},
    {"max_packet_size",             bytes,         &S::max_packet_size,            "2147483647",  positive,       reload,            "longest protocol message that is taken"},
    {"max_prepared_statements",     integer,       &S::max_prepared_statements,    "200",         natural,        reload,            "named prepared statements kept on one server connection; 0: names are passed on as they are"},
    {"max_user_client_connections", integer,       &S::max_user_client_connections,"0",           bound,          reload,            "clients of a user; 0: no bound"},
    {"max_user_connections",        integer,       &S::max_user_connections,       "0",           bound,          reload,            "server connections of a user over all pools; 0: no bound"},
    {"min_pool_size",               integer,       &S::min_pool_size,              "0",           bound,          reload,            "server connections that a pool keeps open"},
    {"peer_id",                     integer,       &S::peer_id,                    "0",           {0, 16383},     later,             "number of this process among its peers; 0: no peering"},
    {"pidfile",                     file,          &S::pidfile,                    "",            {},             restart,           "file for the process id; empty: none"},
    {"pkt_buf",                     bytes,         &S::pkt_buf,                    "4096",        positive,       restart,           "size of PgBouncer's I/O buffer; taken, without effect"},
    {"pool_mode",                   choice,        &S::pool_mode,                  "session",     {},             reload,            "when a server connection goes back to its pool"},
    {"pool_idle_timeout",           seconds,       &S::pool_idle_timeout,          "0",           natural,        reload,            "forget a pool without clients and server connections after this; 0: off"},
    {"query_timeout",               seconds,       &S::query_timeout,              "0",           natural,        reload,            "longest that a query may take, waiting included; 0: off"},
    {"query_wait_notify",           whole_seconds, &S::query_wait_notify,          "5",           natural,        reload,            "NOTICE to a client that has waited longer for a server connection; 0: off"},
    {"query_wait_timeout",          seconds,       &S::query_wait_timeout,         "120",         natural,        reload,            "longest wait for a server connection; 0: for ever"},
    {"reserve_pool_size",           integer,       &S::reserve_pool_size,          "0",           bound,          reload,            "further server connections of a pool, for long waiters"},
    {"reserve_pool_timeout",        seconds,       &S::reserve_pool_timeout,       "5",           natural,        reload,            "wait after which they may be used; 0: off"},
    {"resolv_conf",                 file,          &S::resolv_conf,                "",            {},             restart | later,   "resolv.conf of its own for the resolver"},
    {"sbuf_loopcnt",                integer,       &S::sbuf_loopcnt,               "5",           natural,        reload,            "PgBouncer's turns on one socket; taken, without effect: a batch ends after 1 ms"},
    {"scram_iterations",            integer,       &S::scram_iterations,           "4096",        positive,       reload,            "rounds when a plain password is hashed for SCRAM"},
    {"server_check_delay",          seconds,       &S::server_check_delay,         "30",          natural,        reload,            "idle time after which a server connection is checked before use; 0: always"},
    {"server_check_query",          text,          &S::server_check_query,         "<empty>",     {},             reload,            "the check; empty: none; the word <empty>: an empty query"},
    {"server_connect_timeout",      seconds,       &S::server_connect_timeout,     "15",          natural,        reload,            "longest for connecting and logging in to a server; 0: off"},
    {"server_fast_close",           boolean,       &S::server_fast_close,          "0",           {},             reload,            "session pooling: close a server connection that is to be closed at the end of the transaction"},
    {"server_idle_timeout",         seconds,       &S::server_idle_timeout,        "600",         natural,        reload,            "close a server connection idle for longer; 0: off"},
    {"server_lifetime",             seconds,       &S::server_lifetime,            "3600",        natural,        reload,            "close an unused server connection older than this; 0: it serves once"},
    {"server_login_retry",          seconds,       &S::server_login_retry,         "15",          natural,        reload,            "longest pause after a failed connect or login; it starts at 250 ms and doubles"},
    {"server_reset_query",          text,          &S::server_reset_query,         "DISCARD ALL", {},             reload,            "run at release in session pooling; empty: none"},
    {"server_reset_query_always",   boolean,       &S::server_reset_query_always,  "0",           {},             reload,            "run it in all pool modes"},
    {"server_round_robin",          boolean,       &S::server_round_robin,         "0",           {},             reload,            "take the server connection idle for longest instead of the last used; with several worker_threads of those that the client's worker has, if any"},
    {"server_tls13_ciphers",        text,          &S::server_tls13_ciphers,       none,          {},             reload,            "TLS 1.3 cipher suites towards servers"},
    {"server_tls_ca_file",          file,          &S::server_tls_ca_file,         "",            {},             reload,            "CA for server certificates; the word system, or empty with verify-full: those that the system trusts"},
    {"server_tls_cert_file",        file,          &S::server_tls_cert_file,       "",            {},             reload,            "certificate shown to servers"},
    {"server_tls_ciphers",          text,          &S::server_tls_ciphers,         "default",     {},             reload,            "ciphers up to TLS 1.2 towards servers"},
    {"server_tls_key_file",         file,          &S::server_tls_key_file,        "",            {},             reload,            "key of that certificate"},
    {"server_tls_protocols",        text,          &S::server_tls_protocols,       "secure",      {},             reload,            "TLS versions towards servers"},
    {"server_tls_sslmode",          choice,        &S::server_tls_sslmode,         "prefer",      {},             reload,            "TLS towards servers"},
    {"so_reuseport",                boolean,       &S::so_reuseport,               "0",           {},             restart,           "let several processes listen on the same port"},
    {"stats_period",                whole_seconds, &S::stats_period,               "60",          positive,       reload,            "averaging period of the statistics"},
    {"stats_users",                 list,          &S::stats_users,                "",            {},             reload,            "users who may give SHOW commands on the console"},
    {"suspend_timeout",             seconds,       &S::suspend_timeout,            "10",          natural,        reload,            "longest flush in SUSPEND before a connection is dropped; 0: no bound"},
    {"syslog",                      boolean,       &S::syslog,                     "0",           {},             later,             "log to syslog"},
    {"syslog_facility",             text,          &S::syslog_facility,            "daemon",      {},             later,             "auth, authpriv, daemon, user, local0 to local7"},
    {"syslog_ident",                text,          &S::syslog_ident,               "pgbouncer",   {},             later,             "name in syslog"},
    {"tcp_defer_accept",            boolean,       &S::tcp_defer_accept,           "1",           {},             reload,            "TCP_DEFER_ACCEPT on listening sockets"},
    {"tcp_keepalive",               boolean,       &S::tcp_keepalive,              "1",           {},             reload,            "SO_KEEPALIVE"},
    {"tcp_keepcnt",                 integer,       &S::tcp_keepcnt,                "0",           natural,        reload,            "keepalive probes; 0: the system's"},
    {"tcp_keepidle",                whole_seconds, &S::tcp_keepidle,               "0",           natural,        reload,            "idle time before keepalive; 0: the system's"},
    {"tcp_keepintvl",               whole_seconds, &S::tcp_keepintvl,              "0",           natural,        reload,            "interval of keepalive probes; 0: the system's"},
    {"tcp_socket_buffer",           bytes,         &S::tcp_socket_buffer,          "0",           natural,        reload,            "SO_SNDBUF and SO_RCVBUF; 0: the system's"},
    {"tcp_user_timeout",            milliseconds,  &S::tcp_user_timeout,           "0",           natural,        reload,            "TCP_USER_TIMEOUT; 0: the system's"},
    {"track_extra_parameters",      list,          &S::track_extra_parameters,     "IntervalStyle", {},           restart,           "reported parameters kept for each client besides the fixed five"},
    {"transaction_timeout",         seconds,       &S::transaction_timeout,        "0",           natural,        reload,            "longest transaction; 0: off"},
    {"unix_socket_dir",             file,          &S::unix_socket_dir,            "/tmp",        {},             restart,           "directory of Unix sockets, listening and outgoing; empty: none; @NAME: abstract"},
    {"unix_socket_group",           text,          &S::unix_socket_group,          "",            {},             restart,           "group of the socket file"},
    {"unix_socket_mode",            octal,         &S::unix_socket_mode,           "0777",        {0, 07777},     restart,           "mode of the socket file, octal"},
    {"user",                        text,          &S::user,                       none,          {},             restart,           "Unix user to become"},
    {"verbose",                     integer,       &S::verbose,                    none,          natural,        reload,            "1 logs more, 2 and 3 still more"},
    {"worker_threads",              integer,       &S::worker_threads,             "0",           {0, 64},        restart | ours,    "threads that serve clients; 0: the cores this process may use, at most 4"},
    {"client_lost_query",           choice,        &S::client_lost_query,          "finish",      {},             ours,              "a statement whose client is gone: let it finish, or cancel it"},
    {"client_lost_drain",           duration,      &S::client_lost_drain,          "5s",          natural,        ours,              "how long its result is read before the server connection is closed"},
    {"compat_error_codes",          boolean,       &S::compat_error_codes,         "0",           {},             ours,              "send SQLSTATE 08P01 with every error, as PgBouncer does"},
    {"log_format",                  choice,        &S::log_format,                 "text",        {},             ours,              "form of the log"},
    {"admin_http_addr",             text,          &S::admin_http_addr,            "127.0.0.1:9127", {},          restart | later | ours, "address and port of metrics and health; empty: none"},
    {"leak_warn_after",             duration,      &S::leak_warn_after,            "30s",         natural,        later | ours,      "report a session that holds a server connection idle in a transaction for longer; 0: never"},
    {"leak_action",                 choice,        &S::leak_action,                "warn",        {},             later | ours,      "what is done about it"},
});
// clang-format on

// Gives `visitor` the field of one row.
template <class Any, class Visitor>
decltype(auto) with_field(Any& settings, const SettingRow& row, Visitor visitor) {
    return std::visit([&](auto place) -> decltype(auto) { return visitor(settings.*place); }, row.place);
}

bool is_within(double value, const SettingRange& range) { return value >= range.least && value <= range.most; }

struct Assign {
    const SettingRow& row;
    std::string_view input;

    template <class Value>
    bool take(Value& field, const std::optional<Value>& value) const {
        if (!value) return false;
        field = *value;
        return true;
    }

    bool operator()(bool& field) const {
        const auto number = parse_integer(input);
        if (number) field = *number != 0;
        return number.has_value();
    }
    bool operator()(int& field) const {
        const auto number = row.type == octal ? parse_octal(input) : parse_integer(input);
        return number && is_within(*number, row.range) && take(field, number);
    }
    bool operator()(Microseconds& field) const {
        const Microseconds step = row.type == milliseconds    ? std::chrono::milliseconds{1}
                                  : row.type == whole_seconds ? std::chrono::seconds{1}
                                                              : Microseconds{1};
        const auto bare_unit = row.type == milliseconds ? step : std::chrono::seconds{1};
        const auto span = parse_duration(input, bare_unit);
        if (!span || *span % step != Microseconds{0}) return false;
        return is_within(static_cast<double>(span->count()) / 1e6, row.range) && take(field, span);
    }
    bool operator()(std::string& field) const {
        field = input;
        return true;
    }
    bool operator()(std::vector<std::string>& field) const {
        field = parse_list(input);
        return true;
    }
    template <class Choice>
        requires std::is_enum_v<Choice>
    bool operator()(Choice& field) const {
        return take(field, choice_of<Choice>(input));
    }
};

struct Print {
    const SettingRow& row;

    std::string operator()(bool field) const { return field ? "1" : "0"; }
    std::string operator()(int field) const { return std::to_string(field); }
    std::string operator()(Microseconds field) const {
        if (row.type == duration) return duration_text(field);
        if (row.type == milliseconds) return std::to_string(field.count() / 1'000);
        return seconds_text(field);
    }
    std::string operator()(const std::string& field) const { return field; }
    std::string operator()(const std::vector<std::string>& field) const { return list_text(field); }
    template <class Choice>
        requires std::is_enum_v<Choice>
    std::string operator()(Choice field) const {
        return std::string{word_of(field)};
    }
};

struct PrintChoices {
    template <class Field>
    std::string operator()(const Field&) const {
        if constexpr (std::is_enum_v<Field>)
            return fmt::format("{}", fmt::join(choice_words<Field>, ", "));
        else
            return {};
    }
};

std::string range_text(const SettingRange& range, std::string_view unit) {
    if (range.least == INT_MIN) return fmt::format("a whole number{}", unit);
    if (range.most == INT_MAX) return fmt::format("{} or more{}", range.least, unit);
    return fmt::format("{}…{}{}", range.least, range.most, unit);
}

}  // namespace

Settings::Settings() {
    for (const auto& row : table) assign_default(*this, row);
}

std::span<const SettingRow> setting_table() { return table; }

const SettingRow* find_setting(std::string_view name) {
    const auto row = std::ranges::find(table, name, &SettingRow::name);
    return row == table.end() ? nullptr : &*row;
}

bool assign(Settings& settings, const SettingRow& row, std::string_view text) {
    return with_field(settings, row, Assign{row, text});
}

void assign_default(Settings& settings, const SettingRow& row) {
    if (!row.default_text) return;
    [[maybe_unused]] const bool taken = assign(settings, row, row.default_text);
    assert(taken);
}

void copy_setting(Settings& to, const Settings& from, const SettingRow& row) {
    std::visit([&](auto place) { to.*place = from.*place; }, row.place);
}

std::optional<std::string> setting_text(const Settings& settings, const SettingRow& row) {
    auto text = with_field(settings, row, Print{row});
    if (!row.default_text && text.empty()) return std::nullopt;
    return text;
}

std::string allowed_values(const SettingRow& row) {
    switch (row.type) {
        case boolean: return "0 or 1";
        case integer: return range_text(row.range, "");
        case bytes: return range_text(row.range, " bytes");
        case octal: return "an octal number";
        case seconds:
        case whole_seconds: return range_text(row.range, row.type == seconds ? " seconds" : " whole seconds");
        case milliseconds: return range_text(row.range, " milliseconds");
        case duration: return "a time such as 250ms, 5s, 2min";
        case text: return "text";
        case file: return "a path";
        case list: return "a list";
        case choice: return with_field(static_cast<const Settings&>(Settings{}), row, PrintChoices{});
    }
    return {};
}

std::string stays_until_restart(const SettingRow& row) { return fmt::format("\"{}\" changes with a restart only and stays as it is", row.name); }

}  // namespace pgweir
