"""Simple queries: what the server says passes unchanged, in each pooling mode."""
from raw_client import message
import struct

import wire
from wire import query
from world import scenario

ALL = ("session", "transaction", "statement")

QUERIES = (
    "", ";", " ; ; ", "-- a comment", "select 1", "select 1; select 2", "select 1; ; select 2;", "select 1; select 1/0; select 3",
    "select 1 as a, null as b, 'x' as \"c d\"", "select n, word from numbers order by n", "selec 1", "select 1/0", "select 'unended",
    "select * from nowhere", "select repeat('x', 10)", "create temp table t1 (a int); insert into t1 values (1); drop table t1",
    "do $$ begin raise notice 'hear %', 'this'; raise warning 'and this' using hint = 'a hint', detail = 'more'; end $$",
    "do $$ begin raise exception 'own' using errcode = 'AB123', hint = 'h', detail = 'd', table = 't', column = 'c'; end $$",
    "insert into numbers values (1, 'again')", "update numbers set word = word where n > 1", "select 1 where false",
    "set datestyle to 'SQL, DMY'; show datestyle", "reset datestyle", "set nonsense.x to 1", "set work_mem to 'x'",
    "set client_encoding to 'LATIN1'; select 'é'", "reset client_encoding", "show application_name", "vacuum numbers",
    "select pg_cancel_backend(pg_backend_pid())", "explain (costs off) select 1", "values (1, 'a'), (2, 'b')", "notify nobody",
    "listen channel", "discard all", "deallocate all", "prepare p1 as select 1; execute p1; deallocate p1", "checkpoint_typo",
    "lock table numbers", "select set_config('application_name', 'set by a function', false)", "fetch all from nothing",
    "begin; select 1; commit", "begin; select 1/0; commit", "savepoint s", "commit", "rollback", "select say_notice('x'), 7",
    "copy numbers to stdout", "copy (select 1, 'a') to stdout with (format csv, header)", "copy nowhere to stdout",
    "copy (select 1/0) to stdout", "select 1; copy (select 5) to stdout; select 2",
)


@scenario(modes=ALL, direct=True)
def queries(world):
    client = world.client()
    for sql in QUERIES:
        world.ask(client, sql, query(sql))


@scenario(modes=("session", "transaction"), direct=True)
def transactions(world):
    client = world.client()
    for sql in ("begin", "select 1", "savepoint s", "select 1/0", "select 2", "rollback to s", "select 3", "commit", "commit",
                "begin", "select 1/0", "select 1", "commit", "begin isolation level serializable read only", "insert into numbers values (9)",
                "rollback", "start transaction; select 1", "end", "begin; begin; rollback",
                "begin; declare c cursor for select n from numbers; fetch 2 from c", "fetch all from c", "close c", "abort"):
        world.ask(client, sql, query(sql))


@scenario(modes=("statement",))
def blocks_in_statement_mode(world):
    for sql in ("begin", "start transaction", "begin; commit", "begin; select 1", "begin; select 1/0", "select 1; begin",
                "select 1; select 2"):
        client = world.client()
        world.ask(client, sql, query(sql))
        world.quiet(client, sql + ": afterwards")
    client = world.client()
    world.ask(client, "an extended begin", wire.parse("", "begin"), wire.bind("", ""), wire.execute(), wire.SYNC)


@scenario(modes=ALL, direct=True)
def copy_in(world):
    table = "create temp table c1 (a int, b text)"
    into = "copy c1 from stdin"
    ends = {
        "done": (wire.copy_data("1\ta\n2\tb\n"), wire.COPY_DONE), "failed": (wire.copy_data("1\ta\n"), wire.copy_fail("on purpose")),
        "empty": (wire.COPY_DONE,), "bad data": (wire.copy_data("x\ta\n"), wire.COPY_DONE), "too few columns": (wire.copy_data("1\n"), wire.COPY_DONE),
        "cut in the middle": (wire.copy_data("1\t"), wire.copy_data("a\n2"), wire.copy_data("\tb\n"), wire.COPY_DONE),
        "the old end mark": (wire.copy_data("1\ta\n\\.\n"), wire.COPY_DONE), "a Sync inside": (wire.SYNC, wire.copy_data("1\ta\n"), wire.COPY_DONE),
        "a Flush inside": (wire.FLUSH, wire.copy_data("1\ta\n"), wire.COPY_DONE),
        "much": (*(wire.copy_data(f"{n}\t{'x' * 300}\n") for n in range(500)), wire.COPY_DONE),
    }
    client = world.client()
    for step, messages in ends.items():
        world.ask(client, step, query(f"begin; {table}; {into}; select count(*) from c1; rollback") if world.scenario.settings["pool_mode"] != "statement"
                  else query(f"copy empty_table from stdin where false"), kinds=b"GE")
        world.ask(client, step + ": data and the end", *messages)
        world.ask(client, step + ": afterwards", query("select 'still here'"))


@scenario(modes=("session", "transaction"), direct=True)
def copy_misused(world):
    client = world.client()
    into = "copy empty_table from stdin where false"
    for step, messages in {"a query inside": (query("select 1"),), "a Parse inside": (wire.parse("", "select 1"), wire.SYNC),
                           "data after its error": (wire.copy_data("x\ty\tz\n"), wire.copy_data("1\ta\n"), wire.COPY_DONE)}.items():
        world.ask(client, step, query(into), kinds=b"GE")
        world.ask(client, step + ": then", *messages)
        world.ask(client, step + ": afterwards", wire.copy_fail("late"), query("select 'still here'"))
        client.close()
        client = world.client()
    for step, messages in {"data without a copy": (wire.copy_data("1\n"),), "its end without a copy": (wire.COPY_DONE,),
                           "its failure without a copy": (wire.copy_fail("x"),)}.items():
        world.ask(client, step, *messages, query("select 'still here'"))


@scenario(modes=("session", "transaction"), direct=True)
def odd_messages(world):
    for step, data in {"an unknown type": message(b"!", b""), "a length of three": b"Q" + struct.pack("!i", 3), "a length of zero": b"Q" + struct.pack("!i", 0),
                       "a negative length": b"Q" + struct.pack("!i", -5), "a query without its end": message(b"Q", b"select 1"),
                       "a query with more behind its end": message(b"Q", b"select 1\0select 2\0"), "an empty body": message(b"Q", b""),
                       "a password": message(b"p", b"x\0"), "a function call": message(b"F", struct.pack("!ihhh", 1397, 0, 1, 2) + b"-5" + struct.pack("!h", 0)),
                       "a start-up packet again": wire.hello("alice", "app"), "a Sync with a body": message(b"S", b"x"),
                       "Terminate with a body": message(b"X", b"abc"), "a message of the server": message(b"Z", b"I"),
                       "an empty Parse": message(b"P", b""), "an empty Bind": message(b"B", b""), "a Describe of nothing": message(b"D", b""),
                       "a Describe of an unknown kind": message(b"D", b"Xa\0"), "a Close of an unknown kind": message(b"C", b"Xa\0"),
                       "a Parse with no types": message(b"P", b"n\0select 1\0"), "an Execute cut short": message(b"E", b"\0\0")}.items():
        client = world.client()
        world.ask(client, step, data, timeout=1)
        if client.ended:
            world.note(step + ", then Sync and a query", ["closed"])
        else:
            world.ask(client, step + ", then Sync and a query", wire.SYNC, query("select 'still here'"), ready=2, timeout=1)
        client.close()


@scenario(modes=("session", "transaction"), direct=True)
def large_messages(world):
    client = world.client()
    world.ask(client, "a query of 100 kB", query("select length('" + "y" * 100000 + "')"))
    world.ask(client, "a row of 300 kB", query("select repeat('z', 300000)"))
    world.ask(client, "10,000 rows", query("select n, repeat('w', 20) from generate_series(1, 10000) n"))
    world.ask(client, "a long error", query("select 1 as " + "q" * 9000))
    world.ask(client, "many columns", query("select " + ", ".join(str(n) for n in range(1500))))
    world.ask(client, "a pipeline of queries", *(query(f"select {n}") for n in range(50)), ready=50)


@scenario(modes=("session", "transaction"), max_packet_size="4096", default_pool_size="9")
def over_long_packets(world):
    for size in (3000, 4080, 5000, 100000):
        client = world.client()
        world.ask(client, f"a query of {size}", query("select length('" + "y" * size + "')"), timeout=3)
    client = world.client()
    world.ask(client, "a row of 10,000", query("select repeat('z', 10000)"), timeout=3)


@scenario(disable_pqexec="1")
def no_simple_queries(world):
    client = world.client("the login")
    world.ask(client, "a simple query", query("select 1"))
    client = world.client()
    world.ask(client, "an extended one", wire.parse("", "select 1"), wire.bind("", ""), wire.execute(), wire.SYNC)
