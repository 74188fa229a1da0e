#!/usr/bin/env python3
"""What the console's SHOW commands say of a load that is known, and its answers to odd texts (console_show.sh).

usage: console_show.py PROXY_PORT BENCH
BENCH: 'PROTOCOL CLIENTS TRANSACTIONS STATEMENTS' of a pgbench run that has gone through database `bench`
"""
import socket
import sys
import time

from checks import check, finish
from proxy_file import named_rows, outcome
from raw_client import RawClient, columns, message, start_up

PORT = int(sys.argv[1])
ADMIN = RawClient(("127.0.0.1", PORT), "postgres", "pgbouncer")
TEXT, INT4, NUMERIC = 25, 23, 1700

# What the exporter of the Prometheus community asks for: its labels as text or number, its values as numbers.
EXPORTED = {
    "DATABASES": {"name": TEXT, "host": TEXT, "port": INT4, "database": TEXT, "force_user": TEXT, "pool_size": INT4, "reserve_pool_size": INT4,
                  "pool_mode": TEXT, "max_connections": INT4, "current_connections": INT4, "paused": INT4, "disabled": INT4},
    "STATS_TOTALS": {"database": TEXT, "query_count": NUMERIC, "query_time": NUMERIC, "bytes_received": NUMERIC, "bytes_sent": NUMERIC, "wait_time": NUMERIC,
                     "xact_count": NUMERIC, "xact_time": NUMERIC, "client_parse_count": NUMERIC, "server_parse_count": NUMERIC, "bind_count": NUMERIC},
    "POOLS": {"database": TEXT, "user": TEXT, "cl_active": INT4, "cl_active_cancel_req": INT4, "cl_waiting": INT4, "cl_waiting_cancel_req": INT4,
              "sv_active": INT4, "sv_active_cancel": INT4, "sv_being_canceled": INT4, "sv_idle": INT4, "sv_used": INT4, "sv_tested": INT4, "sv_login": INT4,
              "maxwait": INT4},
    "LISTS": {"list": TEXT, "items": INT4}, "CONFIG": {"key": TEXT, "value": TEXT, "default": TEXT, "changeable": TEXT}, "VERSION": {"version": TEXT},
}
LISTED = ("databases", "users", "pools", "free_clients", "used_clients", "login_clients", "free_servers", "used_servers", "dns_names", "dns_zones", "dns_queries")


def client(database="postgres", user="postgres", **more):
    return RawClient(("127.0.0.1", PORT), user, database, **more)


def show(what, **wanted):
    rows = [row for row in named_rows(ADMIN, f"SHOW {what}") if all(row[name] == value for name, value in wanted.items())]
    return rows[0] if rows else {}


def described(sql):
    """Names and types of the columns, and the rows."""
    ADMIN.send(sql)
    listed, rows = {}, 0
    for kind, body in ADMIN.messages():
        if kind == b"T":
            listed = dict(columns(body))
        rows += kind == b"D"
    return listed, rows


def exporter():
    for what, wanted in EXPORTED.items():
        listed, rows = described(f"SHOW {what};")
        missing = {name: listed.get(name) for name in wanted if listed.get(name) != wanted[name]}
        check(f"SHOW {what} has what pgbouncer_exporter reads", rows > 0 and not missing, missing)
    lists = {row[0]: row[1] for row in ADMIN.query("SHOW LISTS")}
    check("SHOW LISTS has its lists", all(name in lists for name in LISTED), lists)
    for name, what in (("databases", "DATABASES"), ("users", "USERS"), ("pools", "POOLS"), ("used_servers", "SERVERS"), ("used_clients", "CLIENTS")):
        rows = len(ADMIN.query(f"SHOW {what}"))
        check(f"SHOW LISTS counts the rows of SHOW {what}", int(lists[name]) == rows, (lists[name], rows))


def after_the_bench(protocol, clients, transactions, statements):
    counted = show("STATS", database="bench")
    number = {name: int(value) for name, value in counted.items() if name != "database"}
    # pgbench asks for pg_class and the like on a connection of its own before it begins: a few more of each.
    # A Parse before the first BEGIN is a transaction of its own.
    few = range(0, clients + 20)
    check("total_xact_count is what pgbench did", number["total_xact_count"] - transactions in few, number["total_xact_count"])
    queries = transactions * statements + (clients * statements if protocol == "prepared" else 0)
    check("total_query_count too", number["total_query_count"] - queries in few, (number["total_query_count"], queries))
    check("total_server_assignment_count: one a transaction", number["total_server_assignment_count"] - transactions in range(0, clients * statements + 20), number)
    check("total_client_login_count", number["total_client_login_count"] in (clients, clients + 1), number["total_client_login_count"])
    check("bytes both ways", number["total_received"] > transactions * 20 and number["total_sent"] > transactions * 20)
    check("times add up", 0 < number["total_query_time"] <= number["total_xact_time"], (number["total_query_time"], number["total_xact_time"]))
    waited = number["total_wait_time"] > 0
    check("more clients than servers waited", waited, number["total_wait_time"])
    parses = (clients * statements, clients * statements) if protocol == "prepared" else (0, 0)
    check("named Parse and Bind are counted, the unnamed are not", number["total_client_parse_count"] == parses[0]
          and (number["total_bind_count"] == transactions * statements if protocol == "prepared" else number["total_bind_count"] == 0), number)
    check("fewer Parse reach the server", number["total_server_parse_count"] <= parses[1] and (protocol != "prepared" or number["total_server_parse_count"] > 0))
    totals, averages = show("STATS_TOTALS", database="bench"), show("STATS_AVERAGES", database="bench")
    check("STATS_TOTALS has the same totals", list(totals.values())[1:] == [value for name, value in counted.items() if name.startswith("total_")], totals)
    means = {name: averages[name] for name in ("xact_time", "query_time", "wait_time")}
    check("STATS_AVERAGES has the same means", means == {name: counted["avg_" + name] for name in means}, (averages, counted))
    mean = number["total_query_time"] // max(1, number["total_query_count"])
    check("avg_query_time is a query's mean", abs(number["avg_query_time"] - mean) <= mean * 0.02 + 2, (number["avg_query_time"], mean))
    all_of = {row[0]: int(row[1]) for row in ADMIN.query("SHOW TOTALS")}
    summed = sum(int(row["query_count"]) for row in named_rows(ADMIN, "SHOW STATS_TOTALS"))
    check("SHOW TOTALS sums all databases", 0 <= summed - all_of["total_query_count"] <= 2, (summed, all_of["total_query_count"]))


def averages_over_a_period():
    ADMIN.query("SET stats_period = 2")
    one = client("averaged")
    time.sleep(2.1)                       # a period that ends before the load begins
    until, done = time.monotonic() + 3, 0
    while time.monotonic() < until:
        one.query("select 1")
        done += 1
        time.sleep(0.01)
    average = int(show("STATS", database="averaged")["avg_query_count"])
    ADMIN.query("SET stats_period = 60")
    # Over the last complete period and the one in progress: from 2 to 4 seconds, of which up to 2 were without load.
    check("avg_query_count is per second of the last period and this one", done / 3 * 0.3 <= average <= done / 3 * 1.3, (average, done / 3))


def waiting_clients():
    holder, waiter = client("one", application_name="holder"), client("one", application_name="waiter")
    holder.query("begin")
    waiter.send("select 1")
    time.sleep(1.2)
    pool = show("POOLS", database="one")
    seen = [int(pool[name]) for name in ("cl_active", "cl_waiting", "sv_active", "sv_idle", "maxwait")]
    check("SHOW POOLS: one active, one waits, for a second", seen == [1, 1, 1, 0, 1] and int(pool["maxwait_us"]) < 1_000_000, pool)
    active, waits = (show("CLIENTS", application_name=name) for name in ("holder", "waiter"))
    server = show("SERVERS", database="one")
    check("SHOW CLIENTS: states and waits", (active["state"], waits["state"], waits["wait"]) == ("active", "waiting", "1"), (active, waits))
    check("SHOW CLIENTS and SERVERS are linked by ptr", active["link"] == server["ptr"] and server["link"] == active["ptr"] and waits["link"] == "", server)
    check("SHOW SERVERS: state, pid and application_name", server["state"] == "active" and server["application_name"] == "holder"
          and server["remote_pid"] == holder.query("select pg_backend_pid()")[0][0], server)
    ADMIN.query("RECONNECT one")
    check("close_needed after RECONNECT", show("SERVERS", database="one")["close_needed"] == "1")
    holder.query("commit")
    check("… and it is replaced at its release", waiter.rows() == [["1"]] and show("SERVERS", database="one")["close_needed"] == "0")
    for name in (b"first", b"second"):
        waiter.socket.sendall(message(b"P", name + b"\0select 1\0\0\0"))
    waiter.socket.sendall(message(b"S", b""))
    waiter.rows()
    prepared = show("CLIENTS", application_name="waiter")["prepared_statements"], show("SERVERS", database="one")["prepared_statements"]
    check("prepared_statements: two names of the client, one text on the server", prepared == ("2", "1"), prepared)
    memory = {row["name"]: row for row in named_rows(ADMIN, "SHOW MEM")}
    clients = len([row for row in ADMIN.query("SHOW CLIENTS") if row[2] != "pgbouncer"])
    check("SHOW MEM counts what there is", int(memory["client_connection"]["used"]) == clients and all(
        int(row["size"]) > 0 and int(row["memtotal"]) == int(row["size"]) * (int(row["used"]) + int(row["free"])) for row in memory.values()), memory)


def logins_that_wait():
    ADMIN.query("PAUSE unpooled")
    with socket.create_connection(("127.0.0.1", PORT)) as first, socket.create_connection(("127.0.0.1", PORT)) as silent:
        first.sendall(start_up("postgres", "unpooled"))
        silent.sendall(b"\0\0")
        time.sleep(1.1)
        waits, pool = show("CLIENTS", database="unpooled"), show("POOLS", database="unpooled")
        check("a client that waits for its welcome is shown as waiting", waits.get("state") == "waiting" and int(waits["wait"]) >= 1, waits)
        check("… and counted in SHOW POOLS", (pool["cl_waiting"], int(pool["maxwait"]) >= 1) == ("1", True), pool)
        states = [row["state"] for row in named_rows(ADMIN, "SHOW SOCKETS")]
        check("one that has not begun is among the sockets alone", states.count("cl_login") == 1 and len(ADMIN.query("SHOW CLIENTS")) == states.count("cl_active")
              + states.count("cl_waiting"), states)
        ADMIN.query(f"KILL_CLIENT {waits['id']}")
        first.settimeout(10)
        check("KILL_CLIENT ends it", b"admin forced disconnect" in first.recv(1000))
    ADMIN.query("RESUME unpooled")


# Text, and what it is answered: an error, or empty.
ODD = [("", "invalid command '', use SHOW HELP;"), (";", "invalid command ';', use SHOW HELP;"), ("show \"version", "invalid command 'show \"version', use SHOW HELP;"),
       ("set verbose = '1", "invalid command 'set verbose = '1', use SHOW HELP;"), ("show version; show version", "invalid command 'show version; show version', use SHOW HELP;"),
       ("show version;;", "invalid command 'show version;;', use SHOW HELP;"), ("x" * 16, "bad arguments"), ("x" * 2000, "bad arguments"), ("show " + "y" * 64, "bad arguments"),
       ("set k=" + "z" * 256, "bad arguments"), ("set k=" + "z" * 255, "SET failed"), ("begin", "invalid command 'begin', use SHOW HELP;"), ("sElEcT\tversion\n;", ""),
       ("show \"version\" ;", ""), ("set verbose to 0", ""), ("reload now", "invalid command 'reload now', use SHOW HELP;"), ("disable", "a database is required"),
       ("kill pgbouncer", "cannot kill admin db: pgbouncer"), ("resume", "pooler is not paused/suspended"), ("shutdown maybe", "invalid command 'shutdown maybe', use SHOW HELP;")]
ORDERS = ["set verbose = 0", "reload", "pause", "resume", "suspend", "disable one", "enable one", "reconnect", "wait_close", "kill one", "kill_client 1", "shutdown", "show fds"]


def odd_texts():
    for text, wanted in ODD:
        error = outcome(ADMIN, text)
        check(f"{text[:30]!r} of {len(text)} bytes: {wanted[:30] or 'is taken'}", error == (wanted and "08P01 " + wanted), error)
    watcher = client("pgbouncer", "watcher")
    allowed = [text for text in ORDERS if outcome(watcher, text) != "08P01 admin access needed"]
    check("a stats user can order nothing", not allowed and show("STATE", key="active")["value"] == "yes", allowed)
    check("… but SHOW", watcher.query("SHOW VERSION") == ADMIN.query("SHOW VERSION"))


protocol, *numbers = sys.argv[2].split()
after_the_bench(protocol, *map(int, numbers))
if protocol == "prepared":
    exporter()
    averages_over_a_period()
    waiting_clients()
    logins_that_wait()
    odd_texts()
finish()
