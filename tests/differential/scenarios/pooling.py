"""What clients that share servers see of each other, and what follows a client from server to server."""
import time

import wire
from wire import SYNC, bind, execute, parse, query
from world import scenario

POOLED = ("session", "transaction")
SETTINGS = ("select current_setting('datestyle'), current_setting('timezone'), current_setting('client_encoding'),"
            " current_setting('standard_conforming_strings'), current_setting('application_name'),"
            " current_setting('intervalstyle'), current_setting('work_mem')")


@scenario(modes=("transaction", "statement"))
def settings_follow_their_client(world):
    one, other = world.client(), world.client(application_name="other", DateStyle="SQL, DMY", TimeZone="Asia/Tokyo")
    world.ask(one, "one's at first", query(SETTINGS))
    world.ask(other, "other's at first", query(SETTINGS))
    for sql in ("set datestyle to 'German'", "set timezone to 'Europe/Rome'", "set client_encoding to 'LATIN1'",
                "set standard_conforming_strings to off", "set application_name to 'one''s \\ name'",
                "set intervalstyle to 'iso_8601'", "set time zone 5", "set application_name to ''", "reset timezone",
                "set datestyle to 'iso'", "select set_config('timezone', 'GMT', false)"):
        world.ask(one, "one: " + sql, query(sql))
        world.ask(other, "other's after " + sql, query(SETTINGS))
        world.ask(one, "one's after " + sql, query(SETTINGS))
    world.ask(one, "one resets all", query("reset all"))
    world.ask(one, "one's then", query(SETTINGS))
    world.ask(other, "one's leave no trace at other's", *(parse("", SETTINGS), bind("", ""), execute(), SYNC))


@scenario()
def settings_in_transactions(world):
    one, other = world.client(), world.client()
    for step, queries in {"rolled back": ("begin", "set datestyle to 'German'", "rollback"), "local": ("begin", "set local datestyle to 'German'", "commit"),
                          "committed": ("begin; set timezone to 'Asia/Tokyo'; commit",), "failed": ("set timezone to 'GMT'; select 1/0",),
                          "of a function": ("do $$ begin set application_name to 'inside'; end $$",)}.items():
        for sql in queries:
            world.ask(one, f"{step}: {sql}", query(sql))
        world.ask(other, f"{step}: other's", query(SETTINGS))
        world.ask(one, f"{step}: one's", query(SETTINGS))


@scenario(track_extra_parameters="IntervalStyle, search_path", databases={"app": "{app}"})
def extra_parameters(world):
    one, other = world.client(intervalstyle="sql_standard"), world.client()
    world.ask(one, "one's", query("select '1 day 2 hours'::interval; show search_path"))
    world.ask(other, "other's", query("select '1 day 2 hours'::interval; show search_path"))


@scenario(modes=POOLED)
def values_the_server_refuses(world):
    for name, value in (("TimeZone", "nowhere/town"), ("DateStyle", "nonsense"), ("client_encoding", "none such")):
        client = world.client(f"{name}={value}", **{name: value})
        world.ask(client, f"{name}={value}: a query", query("select 1"))
    world.ask(world.client(), "somebody else", query(SETTINGS))


@scenario(databases={"app": "{app} client_encoding=LATIN1 datestyle=German timezone=Asia/Tokyo application_name='of the line'"})
def settings_of_the_database_line(world):
    world.ask(world.client("a client"), "its settings", query(SETTINGS))
    world.ask(world.client("one who wants others", TimeZone="GMT", application_name="x"), "its settings", query(SETTINGS))


@scenario(modes=POOLED, databases={"app": "{app} connect_query='create temp table made (n int)'", "other": "{app} connect_query='select 1/0'"})
def connect_query(world):
    world.ask(world.client(), "what it made", query("select count(*) from made"))
    world.ask(world.client(database="other"), "one that fails", query("select 1"))


@scenario(users={"bob": "pool_mode=session", "carol": "pool_mode=statement"}, databases={"other": "{app} pool_mode=statement", "bobs": "{app} user=bob"})
def modes_by_user_and_database(world):
    for user, database in (("alice", "app"), ("alice", "other"), ("bob", "app"), ("bob", "other"), ("alice", "bobs")):
        client = world.client(user=user, database=database)
        world.ask(client, f"{user} in {database}", query("begin"))
        world.ask(client, f"{user} in {database}: who", query("select current_user, session_user"))
        client.close()
    console = world.console()
    console.send(query("show pools"))
    pools = [line[2:].split("|") for line in console.lines() if line.startswith("D ")]
    world.note("the pools", [f"{pool[0]} {pool[1]} {pool[15]}" for pool in pools])


@scenario(modes=POOLED)
def a_client_that_leaves(world):
    for step, messages in {"in a transaction": (query("begin; create temp table left_over (n int)"),), "between": (query("set work_mem to '7MB'"),),
                           "with a lock": (query("select pg_advisory_lock(42)"),), "with LISTEN": (query("listen gone"),),
                           "with a statement": (parse("left_over", "select 1"), SYNC)}.items():
        client = world.client()
        world.ask(client, step, *messages)
        client.send(wire.TERMINATE)
        client.close()
        time.sleep(0.2)
        world.ask(world.client(), step + ": the next one", query(
            "select (select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'advisory') locks,"
            " current_setting('work_mem'), to_regclass('pg_temp.left_over'), (select count(*) from pg_listening_channels()) listens"))
        world.connections[-1].close()
        time.sleep(0.2)


@scenario(server_reset_query_always="1", server_reset_query="reset all; unlisten *")
def reset_in_transaction_mode(world):
    client = world.client()
    for sql in ("set work_mem to '7MB'", "show work_mem", "listen x", "select pg_listening_channels()"):
        world.ask(client, sql, query(sql))


@scenario(modes=("session",), server_reset_query="selec")
def a_reset_that_fails(world):
    for step in ("the first", "the second"):
        client = world.client()
        world.ask(client, step, query("select 1"))
        client.close()
        time.sleep(0.2)


@scenario(modes=("session",), default_pool_size="2")
def notifications(world):
    listener, speaker = world.client(), world.client()
    world.ask(listener, "listen", query("listen news"))
    world.ask(speaker, "notify", query("notify news, 'hear'"))
    world.ask(listener, "hears it unasked", ready=0, kinds=b"A")
    world.ask(speaker, "in a block", query("begin; notify news; notify news, 'more'; commit"))
    world.ask(listener, "hears both with the next query", query("select 1"))


@scenario(modes=POOLED)
def cancelled(world):
    client = world.client()
    client.send(query("select pg_sleep(20)"))
    time.sleep(0.4)
    canceller = world.connect(wire.cancel_request(client.key))
    world.note("the cancel request's answer", canceller.lines(timeout=3))
    world.note("the query's", client.lines())
    world.ask(client, "afterwards", query("select 'well'"))
    world.connect(wire.cancel_request(client.key)).lines(timeout=3)
    time.sleep(0.2)
    world.ask(client, "one for an idle client does nothing", query("select pg_sleep(0.3)"))
    waiter, holder = world.client(), client
    world.ask(holder, "a holder", query("begin"))
    waiter.send(query("select 'waited'"))
    time.sleep(0.1)
    world.connect(wire.cancel_request(waiter.key)).lines(timeout=3)
    world.quiet(waiter, "one for a waiting client does nothing")
    holder.send(wire.TERMINATE)
    holder.close()
    world.note("it gets its turn", waiter.lines())


@scenario()
def waits_for_a_server(world):
    holder, waiter = world.client(), world.client()
    world.ask(holder, "a holder", query("begin"))
    waiter.send(query("select 'first'"), query("select 'second'"))
    world.quiet(waiter, "the other one waits")
    world.ask(holder, "the holder ends", query("commit"))
    world.note("the other one's turn", waiter.lines(ready=2))


@scenario(query_wait_notify="1")
def a_notice_to_who_waits(world):
    holder, waiter = world.client(), world.client()
    world.ask(holder, "a holder", query("begin"))
    waiter.send(query("select 1"))
    world.note("the one who waits", waiter.lines(kinds=b"N", timeout=4))
    world.quiet(waiter, "once only", 2)
    holder.send(query("commit"))
    world.note("its turn", waiter.lines())


@scenario(modes=("session", "transaction", "statement"))
def copy_shares_servers(world):
    one, other = world.client(), world.client()
    world.ask(one, "a COPY begins", query("copy empty_table from stdin where false"), kinds=b"G")
    other.send(query("select 'after it'"))
    world.quiet(other, "the other one waits")
    world.ask(one, "the COPY ends", wire.COPY_DONE)
    if world.scenario.settings["pool_mode"] != "session":
        world.note("the other one's turn", other.lines())


@scenario(server_round_robin="1", default_pool_size="3")
def order_of_servers(world):
    clients = [world.client() for _ in range(3)]
    for client in clients:
        client.send(query("begin"))
        client.lines()
    pids = [world.server_pid(client) for client in clients]
    for client in clients:
        client.send(query("commit"))
        client.lines()
        time.sleep(0.05)
    world.note("round robin", [str([pids.index(world.server_pid(clients[0])) for _ in range(6)])])
