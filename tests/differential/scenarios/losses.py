"""Servers that are not there, refuse, or are lost."""
import time

import wire
from wire import SYNC, bind, execute, parse, query
from world import scenario

POOLED = ("session", "transaction")
THROUGH_A_GATE = {"app": "host=127.0.0.1 port={gate} dbname=postgres user=postgres"}


def terminate(world, pid):
    world.server_sql(f"select pg_terminate_backend({pid})")


def open_again(gate):
    """Who tried meanwhile tries again by now (server_login_retry)."""
    gate.open()
    time.sleep(1.4)


@scenario(modes=POOLED)
def killed_by_the_server(world):
    client = world.client()
    pid = world.server_pid(client)
    terminate(world, pid)
    time.sleep(0.3)
    if world.scenario.settings["pool_mode"] == "session":
        world.note("told unasked", client.lines(timeout=2))
    world.ask(client, "at rest: the next query", query("select 'well'"))
    world.ask(client, "a block", query("begin"))
    terminate(world, world.server_pid(client))
    world.note("in a block: told unasked", client.lines(timeout=2))
    world.ask(client, "the next query", query("select 'well'"))
    pid = world.server_pid(client)
    client.send(query("select pg_sleep(20)"))
    time.sleep(0.3)
    terminate(world, pid)
    world.note("in a query", client.lines())
    pid = world.server_pid(world.client())
    client.begin_again()
    client.send(query("copy empty_table from stdin where false"))
    client.lines(kinds=b"G")
    client.send(wire.copy_data("1\ta\n"))
    for other in world.server_sql("select pid from pg_stat_activity where query like 'copy empty_table%' and state = 'active' and datname = current_database()"):
        terminate(world, other)
    world.note("in a COPY", client.lines())


@scenario(modes=POOLED, databases=THROUGH_A_GATE)
def cut_off(world):
    gate = world.gates[0]
    client = world.client()
    world.ask(client, "through the gate", query("select 1"))
    gate.close()
    time.sleep(0.3)
    gate.open()
    world.ask(client, "cut at rest and open again", query("select 2"))
    client = world.client()
    world.ask(client, "a block", query("begin"))
    gate.close()
    world.note("cut in a block", client.lines(timeout=3))
    open_again(gate)
    client = world.client("a new client after it")
    client.send(query("select pg_sleep(20)"))
    time.sleep(0.8)
    gate.close()
    world.note("cut in a query", client.lines(timeout=3))
    open_again(gate)
    client = world.client()
    client.send(parse("", "select pg_sleep(20)"), bind("", ""), execute(), SYNC)
    time.sleep(0.8)
    gate.close()
    world.note("cut in an extended one", client.lines(timeout=3))


@scenario(databases=THROUGH_A_GATE, query_wait_timeout="3", server_login_retry="1")
def down_for_a_while(world):
    gate = world.gates[0]
    client, other = world.client(), world.client()
    world.ask(client, "up", query("select 1"))
    gate.close()
    time.sleep(0.3)
    world.ask(client, "the first query while down", query("select 2"))
    world.ask(other, "the second, soon after", query("select 3"))
    newcomer = world.client("a login while down")
    gate.open()
    time.sleep(3)
    world.ask(other, "up again", query("select 4"))
    world.ask(newcomer, "up again, the newcomer", query("select 5"))


@scenario(query_wait_timeout="2", server_login_retry="1")
def nobody_listens(world):
    world.client("a login", database="dead")
    world.client("another", database="dead")


@scenario(databases={"*": "{server}", "strange_user": "{app} user=not_there", "locked_out": "{app} user=no_login", "full": "{app} user=crowded"})
def logins_the_server_refuses(world):
    for database in ("not_there", "strange_user", "locked_out", "full"):
        world.client(f"{database}: a login", database=database)
        world.client(f"{database}: another at once", database=database)
        time.sleep(1.2)
        world.client(f"{database}: a third after a while", database=database)


@scenario(databases={"app": "{app} user=lone_{name}"}, default_pool_size="2", server_login_retry="1", query_wait_timeout="2")
def too_many_for_the_server(world):
    holder, other = world.client(), world.client()
    world.ask(holder, "a holder", query("begin"))
    world.ask(other, "no second server to be had", query("select 1"))
    world.ask(holder, "the holder goes on", query("commit"))
    world.ask(other, "the other one's turn", query("select 2"))


@scenario(server_check_delay="0")
def checked_before_each_use(world):
    client = world.client()
    pid = world.server_pid(client)
    terminate(world, pid)
    world.ask(client, "after its server went", query("select 'well'"))
    world.ask(client, "and again", query("select 'well'"))


@scenario(server_check_delay="0", server_check_query="select 1/0")
def a_check_that_fails(world):
    client = world.client()
    world.ask(client, "the first use", query("select 1"))
    world.ask(client, "the second", query("select 2"))
