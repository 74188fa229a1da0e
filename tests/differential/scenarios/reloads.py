"""RELOAD with another file, and SET: what changes for whom, and when."""
import time

from wire import query
from world import scenario

SHOWN = "select current_database() like 'app%' as in_app, current_user, current_setting('application_name')"


def reload(world, console, step="RELOAD", **changes):
    world.rewrite(**changes)
    world.ask(console, step, query("RELOAD"))


def paused_for_closing():
    time.sleep(0.8)                                # two rounds of what is done from time to time


@scenario()
def a_database_that_goes(world):
    console, client, busy = world.console(), world.client(database="other"), world.client(user="bob", database="other")
    world.ask(client, "a client of it", query("select 1"))
    world.ask(busy, "one in a block", query("begin"))
    reload(world, console, databases={"other": "(none)"})
    paused_for_closing()
    world.note("the idle client", client.lines(timeout=1))
    world.note("the one in a block", busy.lines(timeout=1))
    world.client("a newcomer", database="other")
    reload(world, console, "RELOAD with it again", databases={})
    world.ask(world.client(database="other"), "a newcomer then", query("select 1"))


@scenario(modes=("session", "transaction"), default_pool_size="3")
def a_database_that_moves(world):
    console, client, busy = world.console(), world.client(), world.client()
    world.ask(client, "before", query(SHOWN))
    world.ask(busy, "in a block", query("begin"))
    reload(world, console, databases={"app": "{server} dbname=postgres"})
    world.ask(busy, "the block goes on where it was", query(SHOWN))
    world.ask(busy, "and ends", query("commit"))
    world.ask(client, "the next transaction", query(SHOWN))
    world.ask(busy, "and the other one's", query(SHOWN))
    world.ask(world.client("a newcomer"), "its query", query(SHOWN))


@scenario(users={"alice": "pool_mode=transaction"})
def a_mode_that_changes(world):
    console, client = world.console(), world.client()
    world.ask(client, "in transaction pooling", query("begin"))
    world.ask(client, "a block", query("commit"))
    reload(world, console, users={"alice": "pool_mode=statement"})
    world.ask(client, "in statement pooling", query("select 1"))
    world.ask(client, "a block there", query("begin"))


@scenario(default_pool_size="2", query_wait_timeout="1")
def sizes_that_change(world):
    console, one, other = world.console(), world.client(), world.client()
    for step, client in (("one", one), ("other", other)):
        world.ask(client, step, query("begin"))
    reload(world, console, settings={**world.scenario.settings, "default_pool_size": "1"})
    world.ask(one, "one goes on", query("commit"))
    world.ask(one, "but finds no server then", query("select 1"))
    world.order(console, "SET default_pool_size = 2")
    world.ask(one, "until there is room", query("select 1"))
    world.order(console, "RELOAD")
    world.ask(console, "SET is lost with RELOAD", query("SHOW DATABASES"))


@scenario()
def broken_files(world):
    console, client = world.console(), world.client()
    settings = world.scenario.settings
    for step, changes in {"an unknown setting": {"settings": {**settings, "no_such_setting": "1"}}, "a bad value": {"settings": {**settings, "query_timeout": "x"}},
                          "a bad database": {"databases": {"app": "host=x nonsense=1"}}, "a bad user": {"users": {"alice": "nonsense=1"}},
                          "a reserved name": {"databases": {"pgbouncer": "{app}"}}}.items():
        world.rewrite(settings=settings, databases={}, users={})
        reload(world, console, step, **changes)
        world.ask(client, step + ": clients go on", query("select 1"))
    reload(world, console, "a good one again", settings=settings, databases={}, users={})
    world.ask(client, "and on", query("select 1"))


@scenario(auth_type="md5")
def passwords_that_change(world):
    path = f"{world.contestant.folder}/{world.contestant.name}-logins.txt"
    console = world.client(user="admin", database="pgbouncer", password="rules")
    client = world.client(password="wonderland")
    with open(path, "w", encoding="utf-8") as logins:
        logins.write('"alice" "looking-glass"\n"admin" "rules"\n')
    reload(world, console, settings={**world.scenario.settings, "auth_file": path})
    world.ask(client, "who is in stays in", query("select 1"))
    world.client("the old password", password="wonderland")
    world.client("the new one", password="looking-glass")
    world.client("who is no longer listed", user="bob", password="builder")


@scenario()
def settings_set_by_hand(world):
    console, client = world.console(), world.client()
    world.order(console, "SET query_timeout = 1")
    world.ask(client, "at once", query("select pg_sleep(5)"))
    world.order(console, "SET query_timeout = 0")
    world.order(console, "SET idle_transaction_timeout = 1")
    client = world.client()
    world.ask(client, "a block", query("begin"))
    world.note("that rests", client.lines(timeout=4))
    world.order(console, "SET pool_mode = statement")
    world.ask(world.client(), "in another mode", query("begin"))
    world.order(console, "SET max_client_conn = 1")
    world.client("a client too many")
