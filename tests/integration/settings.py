#!/usr/bin/env python3
"""Every setting of [pgbouncer]: the file, RELOAD, SHOW CONFIG and SET (settings.sh).

usage: settings.py CONFIGURATION PROXY_PORT PROXY_LOG pgweir|other
"""
import sys

from checks import check, finish
from proxy_file import ProxyFile, outcome

CONFIGURATION, PORT, LOG, IS_PGWEIR = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4] == "pgweir"

# What the file gets, and what SHOW CONFIG then prints. A pair of texts where the two differ.
RELOADED = {
    "admin_users": "postgres, root_of_all", "application_name_add_host": "1", "auth_dbname": "postgres",
    "auth_file": None, "auth_ident_file": "/none", "auth_ldap_options": "ldapserver=none", "auth_query": "select 1, $1", "auth_type": ("PLAIN", "plain"),
    "auth_user": "somebody", "autodb_idle_timeout": "77", "cancel_wait_timeout": "1.5", "client_idle_timeout": "500",
    "client_login_timeout": ("61.50", "61.5"), "client_tls13_ciphers": "TLS_AES_256_GCM_SHA384", "client_tls_ca_file": "/none.ca",
    "client_tls_cert_file": "/none.crt", "client_tls_ciphers": "secure", "client_tls_dheparams": "none", "client_tls_ecdhcurve": "none",
    "client_tls_key_file": "/none.key", "client_tls_protocols": "tlsv1.3", "default_pool_size": ("0x15", "21"), "dns_max_ttl": "16",
    "dns_nxdomain_ttl": "17", "dns_zone_check_period": "18", "idle_transaction_timeout": "600",
    "ignore_startup_parameters": "extra_float_digits, search_path", "log_connections": "0", "log_disconnections": "0",
    "log_pooler_errors": "0", "log_stats": "0", "login_notify_message": "Hello; this is # a text", "max_client_conn": ("0100", "64"),
    "max_db_client_connections": "50", "max_db_connections": "51", "max_packet_size": "1000000", "max_prepared_statements": "7",
    "max_user_client_connections": "52", "max_user_connections": "53", "min_pool_size": "1", "pool_mode": ("STATEMENT", "statement"),
    "pool_idle_timeout": "80", "query_timeout": "0.25", "query_wait_notify": "6", "query_wait_timeout": "99.75", "reserve_pool_size": "2",
    "reserve_pool_timeout": "3", "sbuf_loopcnt": "4", "scram_iterations": "5000", "server_check_delay": "31", "server_check_query": "select 1",
    "server_connect_timeout": "14", "server_fast_close": "1", "server_idle_timeout": "601", "server_lifetime": "3601", "server_login_retry": "13",
    "server_reset_query": "discard temp", "server_reset_query_always": "1", "server_round_robin": "1", "server_tls13_ciphers":
    "TLS_AES_256_GCM_SHA384", "server_tls_ca_file": None, "server_tls_cert_file": None, "server_tls_ciphers": "fast", "server_tls_key_file": None,
    "server_tls_protocols": "all", "server_tls_sslmode": "disable", "stats_period": "59", "stats_users": "watcher", "suspend_timeout": "9",
    "syslog": None, "syslog_facility": "local0", "syslog_ident": "weir", "tcp_defer_accept": "0", "tcp_keepalive": "0", "tcp_keepcnt": "3",
    "tcp_keepidle": "60", "tcp_keepintvl": "10", "tcp_socket_buffer": "65536", "tcp_user_timeout": "9000", "transaction_timeout": "3600", "verbose": "0",
    "client_lost_query": "cancel", "client_lost_drain": ("2min", "2min"), "compat_error_codes": "1", "log_format": None, "leak_warn_after": "1h",
    "leak_action": "off",
    # Tried by tests of their own: they want files, or change where the rest of this run reads from and writes to.
    "auth_hba_file": None, "client_tls_sslmode": None, "conffile": None, "logfile": None, "peer_id": None,
}
RESTART_ONLY = {
    "disable_pqexec": "1", "job_name": "weir", "listen_addr": "127.0.0.2", "listen_backlog": "64", "listen_port": "1", "pidfile": "/none.pid",
    "pkt_buf": "8192", "resolv_conf": "/none", "so_reuseport": "1", "track_extra_parameters": "search_path", "unix_socket_dir": "/tmp",
    "unix_socket_group": "nogroup", "unix_socket_mode": "0700", "user": "nobody", "worker_threads": "3", "admin_http_addr": "127.0.0.1:1",
}
NOT_PGBOUNCERS = {"client_lost_query", "client_lost_drain", "compat_error_codes", "log_format", "leak_warn_after", "leak_action", "worker_threads",
                  "admin_http_addr", "suspend_timeout", "peer_id"}
# What no value may look like, by the kind of the setting.
WRONG = {"default_pool_size": "20x", "query_timeout": "-1", "query_wait_timeout": "soon", "log_connections": "yes", "pool_mode": "sometimes",
         "auth_type": "guess", "server_tls_sslmode": "maybe", "stats_period": "", "max_packet_size": "big"}


def shown_as(value):
    return value if isinstance(value, tuple) else (value, value)


def log_text():
    with open(LOG, encoding="utf-8") as log:
        return log.read()


def differing(before, after):
    return sorted(name for name in before if before[name] != after[name])


def reloaded(file, first):
    before = first
    for name, value in RELOADED.items():
        if value is None or name not in first:
            continue
        written, shown = shown_as(value)
        error = file.load([f"{name} = {written}"])
        now = file.config()
        others = [other for other in differing(before, now) if other != name]
        check(f"{name}: RELOAD puts it in force, and it alone", not error and now[name][0] == shown and not others, (error, now[name], others))
        check(f"{name} is changeable", now[name][2] == "yes", now[name])
        file.load()
        before = file.config()


def back_to_defaults(file, first):
    without_default = {name: shown_as(value)[1] for name, value in RELOADED.items() if value and name in first and first[name][1] is None}
    error = file.load()
    now = file.config()
    odd = {name for name in differing(first, now) if now[name][0] != without_default.get(name)}
    check("a setting that the file no longer mentions goes back to its default, one without a default stays", not error and not odd, (error, odd))


def set_on_the_console(file, first):
    for name, value in RELOADED.items():
        if value is None or name not in first:
            continue
        written, shown = shown_as(value)
        error = outcome(file.admin, f"SET {name} = '{written}'")
        check(f"{name}: SET puts it in force", not error and file.config()[name][0] == shown, (error, file.config()[name]))
        back = first[name][0]
        if back is not None:
            outcome(file.admin, f"SET {name} = '{back}'")
    outcome(file.admin, "SET default_pool_size = 5")
    file.load()
    check("RELOAD ends what SET has set", file.config()["default_pool_size"][0] == "20", file.config()["default_pool_size"])


def restart_only(file, first):
    check("a reload of what is in force says nothing of restarts", "with a restart only" not in log_text())
    for name, value in RESTART_ONLY.items():
        if name not in first:
            continue
        error = file.load([f"{name} = {value}"])
        now = file.config()
        check(f"{name} stays as it is until a restart", not error and now[name] == first[name] and now[name][2] == "no", (error, now[name]))
        said = log_text().count(f'"{name}" changes with a restart only')
        check(f"{name}: one log line says so", said == 1 or not IS_PGWEIR, said)
        error = outcome(file.admin, f"SET {name} = '{value}'")
        check(f"{name}: SET succeeds and changes nothing", not error and file.config()[name] == first[name], error)


def refused(file, first):
    for name, value in WRONG.items():
        written = f"{name} = {value}"
        error = file.load(["max_client_conn = 55", written])
        check(f"'{written}' fails the load", error == "F0000 RELOAD failed, see logs for additional details", error)
        check(f"'{written}': the log says where", f'invalid value "{value}" for parameter {name} in configuration ({CONFIGURATION}:' in log_text())
        if IS_PGWEIR:
            check(f"'{written}': nothing of that file is in force", file.config()["max_client_conn"] == first["max_client_conn"])
        error = outcome(file.admin, f"SET {name} = '{value}'")
        check(f"SET {written} is refused", error == "08P01 SET failed", error)
    file.load(["no_such_setting = 1"])
    check("an unknown setting is named", "unknown parameter: pgbouncer/no_such_setting" in log_text())
    check("a failed load is told", "WARNING config file loading failed" in log_text())
    file.load()


def main():
    file = ProxyFile(CONFIGURATION, PORT)
    first = file.config()
    known = RELOADED.keys() | RESTART_ONLY.keys()
    if not IS_PGWEIR:
        known -= NOT_PGBOUNCERS - first.keys()
    check("this run knows every setting that SHOW CONFIG has", known == first.keys(), known ^ first.keys())
    reloaded(file, first)
    back_to_defaults(file, first)
    first = file.config()
    set_on_the_console(file, first)
    first = file.config()
    restart_only(file, first)
    refused(file, first)


main()
finish()
