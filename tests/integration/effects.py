#!/usr/bin/env python3
"""What global settings do, changed by SET on a running proxy; run as its own OS user (settings.sh).

usage: effects.py UNIX_SOCKET PROXY_PORT PROXY_LOG FOLDER
"""
import os
import socket
import stat
import struct
import sys
import time

from checks import check, eventually, finish
from proxy_file import ProxyFile, named_rows, outcome
from raw_client import RawClient, message

UNIX, PORT, LOG, FOLDER = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
ADMIN = RawClient(("127.0.0.1", PORT), "postgres", "pgbouncer")


def client(**more):
    return RawClient(("127.0.0.1", PORT), "postgres", more.pop("database", "postgres"), **more)


def put(**settings):
    for name, value in settings.items():
        ADMIN.query(f"SET {name} = '{value}'")


def log_text(path=LOG):
    with open(path, encoding="utf-8") as log:
        return log.read()


def new_text(do):
    """What the log gets while `do` runs, and a moment later."""
    before = len(log_text())
    do()
    time.sleep(0.3)
    return log_text()[before:]


def ended(connection, seconds=10):
    connection.socket.settimeout(seconds)
    try:
        connection.rows()
        return "no error"
    except (RuntimeError, EOFError, OSError) as error:
        return str(error)


def at_login():
    put(application_name_add_host="1", login_notify_message="Good morning")
    one = client(application_name="tester")
    name = one.query("show application_name")[0][0]
    check("application_name_add_host appends the client's address", name == f"tester - 127.0.0.1:{one.socket.getsockname()[1]}", name)
    check("… to `app` where there was no name", client().query("show application_name")[0][0].startswith("app - 127.0.0.1:"))
    check("login_notify_message is a NOTICE of the login", one.notices == ["Good morning"], one.notices)
    put(application_name_add_host="0", login_notify_message="")
    check("… until it is empty again", client().notices == [])
    refused = outcome_of_login(search_path="x")
    put(ignore_startup_parameters="search_path, other")
    check("ignore_startup_parameters drops what was refused", refused == "42704 unsupported startup parameter: search_path" and not outcome_of_login(search_path="x"), refused)
    put(compat_error_codes="1")
    check("compat_error_codes sends PgBouncer's code", outcome_of_login(nonsense="x") == "08P01 unsupported startup parameter: nonsense")
    put(compat_error_codes="0", client_login_timeout="1")
    with socket.create_connection(("127.0.0.1", PORT), timeout=10) as silent:
        silent.sendall(b"\0\0\0")
        check("client_login_timeout ends a login that does not go on", b"client_login_timeout" in silent.recv(1000))
    one.close()
    eventually(lambda: len(ADMIN.query("SHOW CLIENTS")) == 1)
    put(client_login_timeout="60", max_client_conn="2")    # the administrator counts too
    only = client()
    refused = outcome_of_login()
    check("max_client_conn refuses one more", refused == "53300 no more connections allowed (max_client_conn)", refused)
    check("… but no console", RawClient(("127.0.0.1", PORT), "postgres", "pgbouncer").query("SHOW VERSION") != [])
    put(max_client_conn="100")
    only.close()


def outcome_of_login(**more):
    try:
        client(**more).close()
        return ""
    except (RuntimeError, EOFError) as error:
        return str(error)


def what_is_logged():
    def come_and_go():
        client().close()
        outcome_of_login(database="postgres", nonsense="x")
    for name, text in (("log_connections", "login attempt: "), ("log_disconnections", " closing because: "), ("log_pooler_errors", " pooler error: ")):
        with_it = new_text(come_and_go)
        put(**{name: "0"})
        without = new_text(come_and_go)
        put(**{name: "1"})
        check(f"{name} decides about its lines", text in with_it and text not in without, (text in with_it, text in without))
    put(log_pooler_errors="0")
    check("log_pooler_errors counts for the console too", "pooler error" not in new_text(lambda: outcome(ADMIN, "nonsense")))
    put(log_pooler_errors="1", stats_period="1")
    said = new_text(lambda: time.sleep(2.2)).count(" LOG stats: ")
    put(log_stats="0")
    time.sleep(0.2)
    silent = new_text(lambda: time.sleep(1.2)).count(" LOG stats: ")
    put(log_stats="1", stats_period="60")
    check("log_stats prints a line every stats_period", said >= 2 and silent == 0, (said, silent))
    put(verbose="2")
    verbose = new_text(lambda: client(application_name="x").query("select 1"))
    put(verbose="0")
    check("verbose adds lines", " DEBUG " in verbose or " NOISE " in verbose, verbose[-300:])


def files():
    file = ProxyFile(f"{FOLDER}/effects.ini", PORT)
    for place in ("one.log", "two.log"):
        error = file.load([f"logfile = {FOLDER}/{place}"])
        check(f"logfile: {place} is written to after a RELOAD", not error and eventually(lambda: os.path.exists(f"{FOLDER}/{place}")), error)
    os.rename(f"{FOLDER}/two.log", f"{FOLDER}/two.log.1")
    outcome(file.admin, "RELOAD")
    client().close()
    check("a log file moved away is begun anew by RELOAD", eventually(lambda: "login attempt" in log_text(f"{FOLDER}/two.log")))
    with open(f"{FOLDER}/other.ini", "w", encoding="utf-8") as other:
        other.write(file.first + "default_pool_size = 11\n")
    file.load()
    put(conffile=f"{FOLDER}/other.ini")
    check("conffile names what the next RELOAD reads", not outcome(file.admin, "RELOAD") and file.config()["default_pool_size"][0] == "11")
    put(conffile=f"{FOLDER}/effects.ini")
    check("… and back", not outcome(file.admin, "RELOAD") and file.config()["default_pool_size"][0] == "20")
    check("unix_socket_mode is the socket's", stat.S_IMODE(os.stat(UNIX).st_mode) == 0o750, oct(os.stat(UNIX).st_mode))


def sockets():
    put(tcp_keepidle="77", tcp_keepintvl="7", tcp_keepcnt="3", tcp_user_timeout="12345")
    ADMIN.query("RECONNECT")
    one = client()
    one.query("begin")
    owner = RawClient(UNIX, "pgbouncer", "pgbouncer")
    rows = named_rows(owner, "SHOW FDS")
    for task in ("client", "server"):
        handles = [socket.socket(fileno=fd) for fd, row in zip(owner.descriptors, rows) if row["task"] == task and row["addr"] == "127.0.0.1"]
        seen = {tuple(s.getsockopt(socket.IPPROTO_TCP, o) for o in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT,
                                                                    socket.TCP_NODELAY)) + (s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),) for s in handles}
        check(f"tcp_keep… and tcp_user_timeout are those of {task} sockets", (77, 7, 3, 12345, 1, 1) in seen, seen)
        for handle in handles:
            handle.close()
    put(tcp_socket_buffer="4096")
    ADMIN.query("RECONNECT")
    small = client()
    check("tcp_socket_buffer at its least: a result far larger comes whole", len(small.query("select repeat('x', 50000)")[0][0]) == 50000)
    put(tcp_keepidle="0", tcp_keepintvl="0", tcp_keepcnt="0", tcp_user_timeout="0", tcp_socket_buffer="0")
    put(max_packet_size="1000")
    large = client()
    large.send("select '" + "x" * 2000 + "'")
    error = ended(large)
    put(max_packet_size="2147483647")
    check("max_packet_size bounds a message", error == "08P01 bad packet header: '51000007de73656c'", error)


def servers():
    one = client()
    one.query("set search_path = left_behind")
    check("without server_reset_query_always a value of the session stays on the server", one.query("show search_path") == [["left_behind"]])
    put(server_reset_query_always="1", server_reset_query="set search_path = made_clean")
    client().query("select 1")
    time.sleep(0.1)
    check("server_reset_query_always runs server_reset_query", one.query("show search_path") == [["made_clean"]])
    put(server_reset_query_always="0", server_reset_query="DISCARD ALL")
    put(server_check_delay="0", server_check_query="select pg_sleep(0.3)")
    one.query("select 1")
    began = time.monotonic()
    one.query("select 1")
    check("server_check_query runs before a server that server_check_delay calls used", time.monotonic() - began > 0.25)
    states = {row["state"] for row in named_rows(ADMIN, "SHOW SERVERS")}
    check("… which SHOW SERVERS calls used", states == {"used"}, states)
    used = [row["sv_used"] for row in named_rows(ADMIN, "SHOW POOLS") if row["database"] == "postgres"]
    check("… and SHOW POOLS too", used != ["0"], used)
    put(server_check_delay="30", server_check_query="<empty>")
    put(server_idle_timeout="1")
    check("server_idle_timeout closes idle servers", eventually(lambda: not ADMIN.query("SHOW SERVERS")))
    put(server_idle_timeout="600", pool_idle_timeout="1")
    one.close()
    gone = eventually(lambda: all(row["database"] != "postgres" for row in named_rows(ADMIN, "SHOW POOLS") if row["cl_active"] == "0"))
    check("pool_idle_timeout forgets a pool", gone and eventually(lambda: "cleaning up idle pool for user postgres on db postgres because: pool idle timeout" in log_text()))
    put(pool_idle_timeout="0")


def waiting():
    put(default_pool_size="1", query_wait_notify="1")
    holder, waiter = client(), client()
    holder.query("begin")
    waiter.send("select 1")
    check("query_wait_notify tells a waiting client", waiter.answers_within(5))
    holder.query("commit")
    rows = waiter.rows()
    check("… and it is served all the same", rows == [["1"]] and waiter.notices == ["No server connection available in postgres backend, client being queued"],
          waiter.notices)
    put(query_wait_notify="5", server_round_robin="1", default_pool_size="2")
    both = [client(), client()]
    for one in both:
        one.query("begin")
    for one in both:
        one.query("commit")
    pids = [holder.query("select pg_backend_pid()")[0][0] for _ in range(4)]
    put(server_round_robin="0")
    same = {holder.query("select pg_backend_pid()")[0][0] for _ in range(4)}
    check("server_round_robin takes servers in turn, else the last used comes first", pids[0] != pids[1] and pids[:2] == pids[2:] and len(same) == 1, (pids, same))
    put(client_lost_query="cancel")
    lost = client()
    lost.send("select pg_sleep(30) /* lost */")
    time.sleep(0.3)
    lost.close()
    check("client_lost_query = cancel ends a statement that nobody waits for",
          eventually(lambda: holder.query("select count(*) from pg_stat_activity where query like '%lost */' and state = 'active'") == [["0"]], 5))
    put(client_lost_query="finish", default_pool_size="20")


def consoles():
    put(stats_users="watcher", admin_users="postgres, other")
    for user, wanted in (("watcher", "08P01 admin access needed"), ("other", "")):
        console = RawClient(("127.0.0.1", PORT), user, "pgbouncer")
        check(f"{user} gets from the console what a SET of stats_users and admin_users says", outcome(console, "SET verbose = 0") == wanted)
    put(stats_users="", admin_users="postgres")
    try:
        RawClient(("127.0.0.1", PORT), "watcher", "pgbouncer")
        error = ""
    except RuntimeError as failure:
        error = str(failure)
    check("… and nothing when it no longer does", error == "42501 not allowed", error)


at_login()
what_is_logged()
servers()
waiting()
sockets()
consoles()
files()
finish()
