"""Bounds and deadlines, as clients see them."""
import time

import wire
from raw_client import packet
from wire import query
from world import scenario

POOLED = ("session", "transaction")


def in_a_block(world, **who):
    client = world.client(**who)
    client.send(query("begin"))
    client.lines()
    return client


@scenario(max_client_conn="2")
def clients_altogether(world):
    first = world.client("the first")
    world.client("the second")
    world.client("the third")
    world.client("a console", user="admin", database="pgbouncer")
    first.send(wire.TERMINATE)
    first.close()
    time.sleep(0.2)
    world.client("after one left")


@scenario(max_db_client_connections="1", databases={"other": "{app} max_db_client_connections=2"}, auth_type="md5")
def clients_of_a_database(world):
    world.client("the first", password="wonderland")
    world.client("the second", password="wonderland")
    world.client("with a wrong password", password="wrong")
    world.client("a stranger", user="stranger", password="x")
    world.client("elsewhere", password="wonderland", database="other")
    world.client("elsewhere, bob", user="bob", password="builder", database="other")
    world.client("elsewhere, once more", user="bob", password="builder", database="other")
    world.client("an admin on the console", user="admin", database="pgbouncer", password="rules")
    world.client("an admin again", user="admin", database="pgbouncer", password="rules")
    world.client("a watcher", user="watcher", database="pgbouncer", password="watched")


@scenario(max_user_client_connections="1", users={"bob": "max_user_client_connections=2"})
def clients_of_a_user(world):
    world.client("alice")
    world.client("alice again", database="other")
    for step in ("bob", "bob again", "bob once more"):
        world.client(step, user="bob")
    world.client("an admin", user="admin", database="pgbouncer")
    world.client("an admin again", user="admin", database="pgbouncer")


@scenario(max_db_connections="1", default_pool_size="2", query_wait_timeout="1")
def servers_of_a_database(world):
    one, bob = world.client(), world.client(user="bob")
    world.ask(one, "alice", query("select current_user"))
    world.ask(bob, "bob, whose pool takes the idle one's place", query("select current_user"))
    holder = in_a_block(world)
    world.ask(bob, "while alice holds the only one", query("select current_user"))
    world.ask(holder, "alice goes on", query("commit"))


@scenario(max_user_connections="1", default_pool_size="2", query_wait_timeout="1")
def servers_of_a_user(world):
    in_a_block(world)
    world.ask(world.client(database="other"), "another database", query("select 1"))
    world.ask(world.client(user="bob"), "another user", query("select current_user"))


@scenario(modes=POOLED, query_wait_timeout="1")
def query_wait_timeout(world):
    holder = in_a_block(world)
    waiter = world.client()
    world.ask(waiter, "a waiter", query("select 1"))
    world.ask(holder, "the holder", query("commit"))


@scenario(modes=POOLED, query_wait_timeout="1", users={"alice": "query_wait_timeout=2"}, databases={"other": "{app} query_wait_timeout=3 pool_size=1"})
def whose_query_wait_timeout(world):
    for user, database in (("alice", "app"), ("bob", "app"), ("bob", "other"), ("alice", "other")):
        holder = in_a_block(world, user=user, database=database)
        began = time.monotonic()
        world.ask(world.client(user=user, database=database), f"{user} in {database}", query("select 1"))
        # PgBouncer counts from the time that its last event came: a little less than the timeout may have gone by here.
        world.note(f"{user} in {database}: after", [f"{int(time.monotonic() - began + 0.1)} s"])
        holder.close()


@scenario(modes=POOLED, query_timeout="1")
def query_timeout(world):
    client = world.client()
    world.ask(client, "runs too long", query("select pg_sleep(10)"))
    holder = in_a_block(world)
    waiter = world.client()
    world.ask(waiter, "waits too long", query("select 1"))
    world.quiet(holder, "a block that rests", 1.5)


@scenario(modes=POOLED, idle_transaction_timeout="1")
def idle_transaction_timeout(world):
    client = in_a_block(world)
    world.note("a block that rests", client.lines(timeout=4))
    failed = world.client()
    world.ask(failed, "a failed one", query("begin; select 1/0"))
    world.note("that rests", failed.lines(timeout=4))
    world.quiet(world.client(), "a client without one", 1.5)


@scenario(modes=POOLED, transaction_timeout="1")
def transaction_timeout(world):
    client = in_a_block(world)
    world.note("a block that rests", client.lines(timeout=4))
    client = in_a_block(world)
    world.ask(client, "one that runs", query("select pg_sleep(10)"), timeout=4)
    world.ask(world.client(), "a single statement", query("select pg_sleep(10)"), timeout=4)


@scenario(modes=POOLED, client_idle_timeout="1")
def client_idle_timeout(world):
    client = world.client()
    world.note("never asked anything", client.lines(timeout=4))
    client = world.client()
    client.send(query("select 1"))
    client.lines()
    world.note("asked once", client.lines(timeout=2))
    world.quiet(in_a_block(world), "in a block", 2)


@scenario(client_login_timeout="1", auth_type="md5")
def client_login_timeout(world):
    silent, half = world.connect(), world.connect(wire.hello("alice", "app")[:9])
    asked = world.connect(wire.hello("alice", "app"))
    encrypted = world.connect(packet(80877103))
    asked.one()
    encrypted.raw(1)
    world.note("says nothing", silent.lines(timeout=4))
    world.note("half a packet", half.lines(timeout=4))
    world.note("gives no password", asked.lines(timeout=4))
    world.note("asked for encryption", encrypted.lines(timeout=4))


@scenario(client_login_timeout="1", query_wait_timeout="0", server_login_retry="10", databases={"app": "host=127.0.0.1 port=1 dbname=app"})
def login_without_a_server(world):
    world.client("no server to be welcomed by")


@scenario(reserve_pool_size="1", reserve_pool_timeout="1", query_wait_timeout="4")
def reserve_pool(world):
    in_a_block(world)
    late = world.client()
    began = time.monotonic()
    world.ask(late, "who waits long enough", query("begin"))
    world.note("after", ["a second" if 0.9 < time.monotonic() - began < 2.5 else "another time"])
    world.ask(world.client(), "no third one", query("select 1"))


@scenario(databases={"app": "{app} pool_size=2", "other": "{app} pool_size=1"}, users={"bob": "pool_size=1"}, query_wait_timeout="1")
def pool_sizes(world):
    for user, database, allowed in (("alice", "app", 2), ("alice", "other", 1), ("bob", "app", 1)):
        for _ in range(allowed):
            in_a_block(world, user=user, database=database)
        world.ask(world.client(user=user, database=database), f"{user} in {database}: one too many", query("select 1"))


@scenario(databases={"app": "{app} user=bob min_pool_size=2 pool_size=3"})
def servers_kept_open(world):
    time.sleep(2)
    world.ask(world.console(), "without any client", query("show pools"))


@scenario(server_idle_timeout="1", databases={"other": "{app} server_lifetime=1"})
def servers_that_age(world):
    for database in ("app", "other"):
        client = world.client(database=database)
        first = world.server_pid(client)
        same = world.server_pid(client) == first
        time.sleep(2.2)
        world.note(database, [f"at once: same {same}", f"later: same {world.server_pid(client) == first}"])


@scenario(server_lifetime="0")
def servers_used_once(world):
    client = world.client()
    world.note("two transactions", [f"same: {world.server_pid(client) == world.server_pid(client)}"])
