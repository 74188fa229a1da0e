"""The admin console: every SHOW with its columns, every command with its answers and errors; and what orders do to clients."""
import time

import wire
from wire import SYNC, bind, describe_statement, execute, parse, query
from world import scenario

COLUMNS_ONLY = ("MEM", "DNS_HOSTS", "DNS_ZONES")
CHANGING = {"connect_time", "request_time", "ptr", "link", "remote_pid", "port", "local_port", "wait", "wait_us", "maxwait", "maxwait_us"}


def column_names(line):
    return [column.split(":")[0] for column in line[2:].split(" ")]


def rows_without(lines, hidden):
    names, shown = [], []
    for line in lines:
        if line.startswith("T "):
            names = column_names(line)
        if line.startswith("D "):
            line = "D " + "|".join("*" if name in hidden and value else value for name, value in zip(names, line[2:].split("|")))
        shown.append(line)
    return shown


def show(world, console, what, hidden=CHANGING, step=None, only=lambda line: True, in_any_order=False):
    console.send(query("SHOW " + what))
    lines = [line for line in rows_without(console.lines(), hidden) if not line.startswith("D ") or only(line)]
    rows = [line for line in lines if line.startswith("D ")]
    if in_any_order:
        rows.sort()
    world.note(step or "SHOW " + what, lines[:1] + rows + lines[1 + len(rows):] if rows else lines)


@scenario(databases={"listed": "{app} pool_size=7 reserve_pool=2 min_pool_size=1 max_db_connections=9 pool_mode=session max_db_client_connections=5 server_lifetime=77",
                     "hosts": "host=127.0.0.1,127.0.0.2 port=5000 dbname=x load_balance_hosts=disable"},
          users={"bob": "pool_mode=statement pool_size=3 reserve_pool_size=1 max_user_connections=8 max_user_client_connections=6", "dora": ""})
def what_shows_tell(world):
    client, busy, console = world.client(application_name="tool"), world.client(user="bob"), world.console()
    client.send(query("begin"))
    client.lines()
    busy.send(query("select 1"))
    busy.lines()
    for what in ("CLIENTS", "SERVERS", "POOLS", "DATABASES", "USERS", "PEERS", "PEER_POOLS", "LISTS", "STATE", "VERSION"):
        show(world, console, what)
    for what in ("SOCKETS", "ACTIVE_SOCKETS"):
        show(world, console, what, CHANGING | {"recv_pos", "pkt_pos", "pkt_remain", "send_pos", "send_remain", "pkt_avail", "send_avail"}, in_any_order=True)
    for what in COLUMNS_ONLY:
        show(world, console, what, only=lambda line: False)
    show(world, console, "FDS", only=lambda line: False)
    show(world, console, "HELP")
    watcher = world.console("watcher")
    for what in ("POOLS", "FDS", "VERSION"):
        show(world, watcher, what, step=f"a watcher: SHOW {what}", only=lambda line: False)


@scenario()
def statistics(world):
    client, console = world.client(), world.console()
    for message in (query("select 1"), query("begin"), query("select 2"), query("commit"), query("select 1; select 2"), query("select 1/0"), query("")):
        client.send(message)
        client.lines()
    for series in ((parse("s", "select 1"), bind("", "s"), execute(), SYNC), (bind("", "s"), execute(), bind("", "s"), execute(), SYNC),
                   (parse("", "select 1"), bind("", ""), execute(), SYNC), (SYNC,)):
        client.send(*series)
        client.lines()
    timed = {"total_xact_time", "total_query_time", "total_wait_time", "xact_time", "query_time", "wait_time"}
    for what in ("STATS", "STATS_TOTALS"):
        show(world, console, what, timed | {f"avg_{name}" for name in (
            "server_assignment_count", "xact_count", "query_count", "recv", "sent", "xact_time", "query_time", "wait_time",
            "client_parse_count", "server_parse_count", "bind_count", "client_login_count")})
    show(world, console, "STATS_AVERAGES", only=lambda line: False)
    show(world, console, "TOTALS", only=lambda line: not line.startswith("D avg_") and "_time" not in line)


@scenario()
def configuration(world):
    console = world.console()
    changing = ("D conffile", "D auth_file", "D job_name", "D syslog_ident")
    show(world, console, "CONFIG", only=lambda line: not line.startswith(changing), in_any_order=True)


COMMANDS = (
    "", ";", " ", "SHOW", "SHOW;", "show version", "SHOW VERSION;", "SHOW VERSION ;", "show nothing", "SHOW VERSION EXTRA", "show version; show version",
    "SELECT 1", "SELECT version", "select version()", "SHOW \"version\"", "-- a comment", "SHOW client_encoding", "SHOW default_transaction_isolation",
    "SHOW standard_conforming_strings", "SHOW datestyle", "SHOW timezone", "SHOW transaction_isolation", "SHOW server_version", "SET", "SET x", "SET x = ",
    "SET nothing = 1", "SET query_timeout = 5", "SET query_timeout TO 6", "SET query_timeout = '7'", "SET query_timeout = 7x", "SET QUERY_TIMEOUT=8",
    "SET query_timeout = -1", "SET pool_mode = nonsense", "SET pool_mode = session", "SET listen_port = 1", "SET client_encoding = 'x'", "SET datestyle TO iso",
    "SET extra_float_digits = 3", "SET application_name = 'x'", "SET verbose = 0", "SET admin_users = 'admin, other'", "SET server_tls_sslmode = nonsense",
    "SET default_pool_size = 0x10", "SET max_client_conn = 'a''b'", "SET stats_period = 0", "SET server_lifetime = 1.5", "RELOAD", "RELOAD x",
    "RESUME", "RESUME app", "RESUME nowhere", "RESUME pgbouncer", "PAUSE nowhere", "PAUSE pgbouncer", "DISABLE", "DISABLE nowhere", "DISABLE pgbouncer",
    "DISABLE app", "DISABLE app", "ENABLE app", "ENABLE app", "ENABLE", "ENABLE nowhere", "ENABLE pgbouncer", "RECONNECT", "RECONNECT app", "RECONNECT nowhere",
    "RECONNECT pgbouncer", "WAIT_CLOSE", "WAIT_CLOSE app", "WAIT_CLOSE nowhere", "WAIT_CLOSE pgbouncer", "KILL nowhere", "KILL pgbouncer", "KILL_CLIENT",
    "KILL_CLIENT x", "KILL_CLIENT 999999", "KILL_CLIENT 0", "KILL_CLIENT -1", "PAUSE app", "PAUSE app", "RESUME app", "PAUSE", "PAUSE", "PAUSE app", "SUSPEND", "KILL",
    "RESUME", "RESUME", "SUSPEND", "SUSPEND", "PAUSE", "RESUME", "PAUSE app", "SUSPEND", "RESUME", "RESUME app", "SHUTDOWN x", "SHUTDOWN app", "begin", "commit",
    "select 1 from x", "A" * 14, "A" * 15, "A" * 16, "SHOW " + "a" * 62, "SHOW " + "a" * 63, "SHOW " + "a" * 64, "SET verbose = '" + "0" * 254 + "'",
    "SET verbose = '" + "0" * 300 + "'", "PAUSE 'app'", "PAUSE \"app\"", "RESUME \"app\"", "RESUME app;", "PAUSE a-b", "show pools\n", "\tshow\tversion", "SHOW POOLS;;",
    "KILL app", "RESUME app", "show 'version'", "SHOW STATS_TOTALS x", "DISABLE app other",
)


@scenario()
def commands(world):
    console = world.console()
    world.client().send(wire.TERMINATE)
    for number, sql in enumerate(COMMANDS):
        console.send(query(sql))
        world.note(f"{number}: {sql[:70]}", [line for line in console.lines(timeout=5) if not line.startswith("D app|")])


@scenario()
def commands_of_a_watcher(world):
    console = world.console("watcher")
    for sql in ("SHOW POOLS", "SHOW FDS", "SHOW CONFIG", "RELOAD", "PAUSE", "RESUME", "SET verbose = 1", "KILL app", "SHUTDOWN", "DISABLE app", "KILL_CLIENT 1", "nonsense", "SET client_encoding = 'x'"):
        console.send(query(sql))
        world.note(sql, [line for line in console.lines() if not line.startswith("D ")])


@scenario()
def messages_to_the_console(world):
    for step, messages in {"a series": (parse("", "SHOW VERSION"), bind("", ""), execute(), SYNC), "a Describe": (describe_statement(""), SYNC),
                           "a Sync": (SYNC,), "a Flush": (wire.FLUSH, query("SHOW VERSION")), "data of a COPY": (wire.copy_data("x"), query("SHOW VERSION")),
                           "two queries": (query("SHOW VERSION"), query("SHOW STATE")), "a cancel's key": (query("SHOW VERSION"),)}.items():
        console = world.console()
        world.ask(console, step, *messages, ready=2 if step == "two queries" else 1, timeout=2)
    console = world.console()
    world.ask(console, "Terminate", wire.TERMINATE)


@scenario()
def a_console_s_welcome(world):
    world.client("an admin", user="admin", database="pgbouncer")
    world.client("with parameters", user="admin", database="pgbouncer", application_name="x", client_encoding="LATIN1", datestyle="German")
    world.client("with an unknown one", user="admin", database="pgbouncer", work_mem="1MB")
    world.client("nobody's", user="alice", database="pgbouncer")


@scenario(modes=("session", "transaction"), default_pool_size="3")
def pause_and_resume(world):
    console, client, busy = world.console(), world.client(), world.client()
    world.ask(client, "before", query("select 1"))
    world.ask(busy, "in a block", query("begin"))
    console.send(query("PAUSE"))
    world.quiet(console, "PAUSE waits for the block")
    client.send(query("select 2"))
    if world.scenario.settings["pool_mode"] == "transaction":
        world.quiet(client, "a query waits")
        world.ask(busy, "the block goes on", query("select 3"))
    world.ask(busy, "and ends", query("commit"))
    if world.scenario.settings["pool_mode"] == "session":
        for one in (busy, client):
            world.note("one in session mode", one.lines(timeout=0.3))
            one.send(wire.TERMINATE)
            one.close()
    world.note("PAUSE is done", console.lines())
    world.ask(world.console(), "the state", query("SHOW STATE"))
    newcomer = world.connect(wire.hello("alice", "app"))
    world.note("a login while paused", newcomer.lines(timeout=0.5))
    world.order(console, "RESUME")
    if world.scenario.settings["pool_mode"] == "transaction":
        world.note("the query's turn", client.lines())
    world.note("the login's", [line for line in newcomer.lines(timeout=3) if not line.startswith("S ")])


@scenario(default_pool_size="2")
def a_pause_that_is_given_up(world):
    console, busy = world.console(), world.client()
    world.ask(busy, "in a block", query("begin"))
    console.send(query("PAUSE"))
    time.sleep(0.2)
    world.connect(wire.cancel_request(console.key)).lines(timeout=2)
    world.note("PAUSE is cancelled", console.lines(timeout=2))
    world.ask(world.client(), "others go on", query("select 1"))
    console = world.console()
    console.send(query("PAUSE app"))
    time.sleep(0.2)
    console.close()
    time.sleep(0.2)
    world.ask(world.console(), "a console that left while it waited", query("SHOW STATE"))
    world.ask(world.client(), "others then", query("select 1"), timeout=1)


@scenario()
def kill(world):
    console, idle, busy, other = world.console(), world.client(), world.client(), world.client(database="other")
    busy.send(query("select pg_sleep(20)"))
    time.sleep(0.3)
    world.order(console, "KILL app")
    world.note("an idle client", idle.lines(timeout=2))
    world.note("a busy one", busy.lines(timeout=2))
    world.ask(other, "one of another database", query("select 1"))
    newcomer = world.connect(wire.hello("alice", "app"))
    world.note("a newcomer", newcomer.lines(timeout=0.5))
    world.order(console, "KILL app")
    world.order(console, "RESUME app")
    world.note("the newcomer", [line for line in newcomer.lines(timeout=3) if not line.startswith("S ")])
    world.order(console, "KILL")
    world.note("one of another database now", other.lines(timeout=2))
    world.note("the newcomer now", newcomer.lines(timeout=2))
    world.order(console, "RESUME")


@scenario()
def disable_and_enable(world):
    console, client = world.console(), world.client()
    world.order(console, "DISABLE app")
    world.ask(client, "who is in already", query("select 1"))
    world.client("a newcomer", password="x")
    world.order(console, "ENABLE app")
    world.ask(world.client("a later one"), "its query", query("select 1"))


@scenario(modes=("session", "transaction"))
def reconnect(world):
    console, client = world.console(), world.client()
    pid = world.server_pid(client)
    world.order(console, "RECONNECT app")
    world.note("the next transaction", [f"same server: {world.server_pid(client) == pid}"])
    world.ask(client, "a block", query("begin"))
    pid = world.server_pid(client)
    world.order(console, "RECONNECT")
    world.note("in the block", [f"same server: {world.server_pid(client) == pid}"])
    console.send(query("WAIT_CLOSE"))
    world.quiet(console, "WAIT_CLOSE waits")
    client.send(query("commit"))
    client.lines()
    if world.scenario.settings["pool_mode"] == "session":
        client.send(wire.TERMINATE)
        client.close()
    world.note("until it is closed", console.lines(timeout=3))


@scenario()
def kill_client(world):
    console, client = world.console(), world.client()
    console.send(query("SHOW CLIENTS"))
    ids = [line.split("|")[20] for line in console.lines() if line.startswith("D ") and "|app|" in line]
    world.order(console, "KILL_CLIENT " + ids[0])
    world.note("the client", client.lines(timeout=2))


@scenario()
def shutdowns(world):
    console, client = world.console(), world.client()
    client.send(query("begin"))
    client.lines()
    world.order(console, "SHUTDOWN WAIT_FOR_SERVERS")
    world.ask(console, "on the console", query("RESUME"))
    client.send(query("select 1"))
    world.note("a running block", client.lines())
    client.send(query("commit"))
    world.note("its end", client.lines(ready=2, timeout=3))
    world.note("the program ends: the console", console.lines(timeout=3))


@scenario()
def two_shutdowns(world):
    console, client = world.console(), world.client()
    client.send(query("begin"))
    client.lines()
    world.order(console, "SHUTDOWN WAIT_FOR_SERVERS")
    world.ask(console, "again", query("SHUTDOWN WAIT_FOR_SERVERS"), timeout=1)
    client.send(query("select 1"))
    world.note("a running block", client.lines())
    client.send(query("commit"))
    world.note("the program ends: the block's end", client.lines(ready=2, timeout=3))


@scenario()
def shutdown_wait_for_clients(world):
    console, client = world.console(), world.client()
    world.order(console, "SHUTDOWN WAIT_FOR_CLIENTS")
    world.ask(client, "a client", query("select 1"))
    try:
        world.client("a newcomer")
    except OSError as error:
        world.note("a newcomer", [type(error).__name__])
    console.send(wire.TERMINATE)
    console.close()
    client.send(wire.TERMINATE)
    world.note("the program ends: the last client", client.lines(timeout=3))


@scenario()
def shutdown_at_once(world):
    console, client = world.console(), world.client()
    client.send(query("select pg_sleep(5)"))
    time.sleep(0.2)
    world.ask(console, "the program ends: SHUTDOWN", query("SHUTDOWN"))
    world.note("the program ends: a client", client.lines(timeout=2))
