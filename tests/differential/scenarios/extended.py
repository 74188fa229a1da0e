"""The extended protocol: messages in many orders, errors in each place, statements kept over transactions."""
import wire
from wire import (FLUSH, SYNC, bind, close_portal, close_statement, describe_portal, describe_statement, execute, parse,
                  query)
from world import scenario

POOLED = ("session", "transaction")


def whole(name, sql, *values, **more):
    """The usual series: Parse, Describe, Bind, Execute, Sync."""
    return (parse(name, sql), describe_statement(name), bind("", name, *values, **more), describe_portal(""), execute(), SYNC)


@scenario(modes=("session", "transaction", "statement"), direct=True)
def usual_series(world):
    client = world.client()
    world.ask(client, "unnamed", *whole("", "select $1::int + 1 as next", 41))
    world.ask(client, "named", *whole("s1", "select $1::text, $2::int", "a", 7))
    world.ask(client, "named, again bound", bind("", "s1", "b", 8), execute(), SYNC)
    world.ask(client, "described", describe_statement("s1"), SYNC)
    world.ask(client, "binary results", parse("", "select 7::int4, 8::int8"), bind("", "", results=(1,)), describe_portal(""), execute(), SYNC)
    world.ask(client, "a null", *whole("", "select $1::text is null", None))
    world.ask(client, "types given", parse("", "select $1, $2", 23, 25), describe_statement(""), SYNC)
    world.ask(client, "no result", *whole("", "update numbers set word = word where n = $1", 99))
    world.ask(client, "nothing to do", *whole("", ""))
    world.ask(client, "a Sync alone", SYNC)
    world.ask(client, "three Syncs", SYNC, SYNC, SYNC, ready=3)
    world.ask(client, "closed", close_statement("s1"), SYNC)
    world.ask(client, "closed again", close_statement("s1"), close_statement("never"), close_portal("never"), close_statement(""), SYNC)
    world.ask(client, "prepared again", *whole("s1", "select 'another'"))
    world.ask(client, "a utility statement", *whole("", "show standard_conforming_strings"))
    world.ask(client, "a SET", *whole("", "set datestyle to 'German'"))
    world.ask(client, "its effect", *whole("", "select '2000-12-31'::date"))
    world.ask(client, "several statements in one Parse", parse("", "select 1; select 2"), SYNC)
    world.ask(client, "a notice", *whole("", "select say_notice('hear')"))
    world.ask(client, "a query between", parse("", "select 5"), query("select 6"), bind("", ""), execute(), SYNC, ready=2)


@scenario(modes=POOLED, direct=True)
def errors_in_each_place(world):
    client = world.client()
    for step, messages in {
            "Parse": (parse("", "selec"), bind("", ""), execute(), SYNC), "a named Parse": (parse("e1", "select nothing"), SYNC),
            "its name afterwards": (parse("e1", "select 1"), bind("", "e1"), execute(), SYNC),
            "too few values": (parse("", "select $1::int"), bind("", ""), execute(), SYNC),
            "too many": (parse("", "select 1"), bind("", "", 1, 2), execute(), SYNC),
            "a bad value": (parse("", "select $1::int"), bind("", "", "x"), execute(), SYNC),
            "Execute": (parse("", "select 1/$1::int"), bind("", "", 0), execute(), SYNC),
            "after a first row": (parse("", "select 1/(2-n) from generate_series(1, 3) n"), bind("", ""), execute(), SYNC),
            "a portal nobody made": (execute("none"), SYNC), "its Describe": (describe_portal("none"), SYNC),
            "a Parse behind an error": (execute("none"), parse("e2", "select 2"), SYNC),
            "was not made": (parse("e2", "select 22"), bind("", "e2"), execute(), SYNC),
            "a Close behind an error": (execute("none"), close_statement("e2"), SYNC),
            "was not done": (bind("", "e2"), execute(), SYNC), "two in a row": (execute("none"), execute("none"), SYNC),
            "Flush behind it": (execute("none"), FLUSH, SYNC), "bad formats": (parse("", "select $1::int, $2::int"), bind("", "", 1, 2, formats=(0, 0, 0)), SYNC),
            "in a portal with rows": (parse("", "select n from generate_series(1,5) n"), bind("p", ""), execute("p", 2), execute("none"), SYNC),
            "the unnamed statement afterwards": (bind("", ""), execute(), SYNC)}.items():
        world.ask(client, step, *messages)
    world.ask(client, "a query behind an error without Sync", execute("none"), query("select 1"), timeout=0.5)
    world.ask(client, "Sync at last", SYNC)
    world.ask(client, "afterwards", query("select 'well'"))


@scenario(modes=POOLED, direct=True)
def flush(world):
    client = world.client()
    world.ask(client, "Parse, Flush", parse("f", "select $1::int"), FLUSH, kinds=b"1")
    world.ask(client, "Describe, Flush", describe_statement("f"), FLUSH, kinds=b"T")
    world.ask(client, "Bind, Execute, Flush", bind("", "f", 3), execute(), FLUSH, kinds=b"C")
    world.ask(client, "an error, Flush", bind("", "f", "x"), FLUSH, kinds=b"E")
    world.quiet(client, "nothing before Sync")
    world.ask(client, "Sync", SYNC)
    world.ask(client, "a Flush alone", FLUSH, timeout=0.3)
    world.ask(client, "a query", query("select 'well'"))
    world.ask(client, "Close, Flush", close_statement("f"), FLUSH, kinds=b"3")
    world.ask(client, "Close of nothing, Flush", close_statement("g"), FLUSH, kinds=b"3")
    world.ask(client, "Sync after it", SYNC)


@scenario(modes=POOLED, direct=True)
def portals(world):
    client = world.client()
    many = "select n from generate_series(1, 5) n"
    world.ask(client, "two at a time", parse("", many), bind("p1", ""), execute("p1", 2), execute("p1", 2), execute("p1", 2), execute("p1", 2), SYNC)
    world.ask(client, "a block", query("begin"))
    world.ask(client, "a portal in it", parse("m", many), bind("p2", "m"), execute("p2", 2), SYNC)
    world.ask(client, "goes on", execute("p2", 2), SYNC)
    world.ask(client, "described", describe_portal("p2"), SYNC)
    world.ask(client, "a second one", bind("p3", "m"), execute("p3", 1), execute("p2"), SYNC)
    world.ask(client, "its name again", bind("p3", "m"), SYNC)
    world.ask(client, "in the failed block", bind("", "m"), SYNC)
    world.ask(client, "rolled back", query("rollback"))
    world.ask(client, "is gone", execute("p2"), SYNC)
    world.ask(client, "a closed one", bind("p4", "m"), close_portal("p4"), execute("p4"), SYNC)
    world.ask(client, "one cursor of SQL", query("begin; declare c cursor for select n from numbers order by n"))
    world.ask(client, "run as a portal", describe_portal("c"), execute("c", 2), SYNC)
    world.ask(client, "the end", *whole("", "commit"))


@scenario(modes=POOLED, direct=True)
def copy_in_the_extended_protocol(world):
    client = world.client()
    into = "copy empty_table from stdin where false"
    start = (parse("", into), bind("", ""), describe_portal(""), execute())
    for step, messages in {"done": (wire.copy_data("1\ta\n"), wire.COPY_DONE, SYNC), "failed": (wire.copy_fail("on purpose"), SYNC),
                           "bad data": (wire.copy_data("x\n"), wire.COPY_DONE, SYNC)}.items():
        world.ask(client, step, *start, FLUSH, kinds=b"G")
        world.ask(client, step + ": data and the end", *messages)
    world.ask(client, "all in one", *start, wire.copy_data("1\ta\n"), wire.COPY_DONE, SYNC)
    world.ask(client, "with a Sync before the data", *start, SYNC, wire.copy_data("1\ta\n"), wire.COPY_DONE, SYNC)
    world.ask(client, "a COPY that cannot begin", parse("", "copy nowhere from stdin"), bind("", ""), execute(), wire.copy_data("1\n"), wire.COPY_DONE, SYNC)
    world.ask(client, "out", *whole("", "copy numbers to stdout"))
    world.ask(client, "afterwards", query("select 'well'"))


@scenario(modes=POOLED, direct=True)
def pipelines(world):
    client = world.client()
    world.ask(client, "ten series", *(message for n in range(10) for message in whole("", f"select {n}")), ready=10)
    world.ask(client, "an error in the middle", *whole("", "select 1"), *whole("", "select 1/0"), *whole("", "select 3"), ready=3)
    world.ask(client, "Parse in one, Bind in the next", parse("n", "select 4"), SYNC, bind("", "n"), execute(), SYNC, ready=2)
    world.ask(client, "a failed Parse, its Bind in the next", parse("o", "selec 4"), SYNC, bind("", "o"), execute(), SYNC, ready=2)
    world.ask(client, "a block over series", *whole("", "begin"), *whole("", "select 1/0"), *whole("", "select 2"), *whole("", "rollback"), ready=4)
    world.ask(client, "queries between", query("select 1"), *whole("", "select 2"), query("select 3; select 4"), *whole("", "select 5"), ready=4)
    world.ask(client, "series without a Sync between", *whole("", "select 6")[:-1], *whole("", "select 1/0")[:-1], *whole("", "select 8"))
    world.ask(client, "the same name closed and made", parse("n2", "select 'a'"), close_statement("n2"), parse("n2", "select 'b'"), bind("", "n2"), execute(), SYNC)
    world.ask(client, "and in series", close_statement("n2"), SYNC, parse("n2", "select 'c'"), SYNC, bind("", "n2"), execute(), SYNC, ready=3)
    world.ask(client, "100 executions", *(message for n in range(100) for message in (bind("", "n2"), execute())), SYNC)


def on_another_server(world, sql="select 'elsewhere'"):
    """Makes sure that the next transaction of others runs on a server connection that this takes away."""
    other = world.client(user="alice")
    other.send(query("begin"))
    other.lines()
    return other


@scenario(direct=True, default_pool_size="2")
def statements_over_transactions(world):
    client = world.client()
    world.ask(client, "prepared", *whole("k", "select $1::int * 2", 4))
    world.ask(client, "unnamed", parse("", "select 'mine'"), SYNC)
    holder = on_another_server(world)
    world.ask(client, "named, on another server", bind("", "k", 5), execute(), SYNC)
    world.ask(client, "described there", describe_statement("k"), SYNC)
    holder.send(query("commit"))
    world.ask(client, "in a block", query("begin"))
    world.ask(client, "used in it", bind("", "k", 6), execute(), SYNC)
    world.ask(client, "failed in it", bind("", "k", "x"), execute(), SYNC)
    world.ask(client, "not in a failed block", bind("", "k", 7), execute(), SYNC)
    world.ask(client, "the end of it", query("rollback"))
    world.ask(client, "DEALLOCATE ALL", query("deallocate all"))
    world.ask(client, "makes it unknown", parse("k", "select 'new'"), bind("", "k"), execute(), SYNC)
    world.ask(client, "DISCARD ALL", query("discard all"))
    world.ask(client, "too", parse("k", "select 'newer'"), bind("", "k"), execute(), SYNC)


@scenario(direct=True)
def unnamed_statement_over_transactions(world):
    client = world.client()
    world.ask(client, "parsed", parse("", "select 'mine'"), SYNC)
    world.ask(client, "bound in the next", bind("", ""), execute(), SYNC)
    world.ask(client, "and the next", bind("", ""), execute(), SYNC)
    world.ask(client, "a simple query", query("select 1"))
    world.ask(client, "ends it", bind("", ""), execute(), SYNC)


@scenario(modes=POOLED, direct=True, default_pool_size="9")
def a_name_that_is_taken(world):
    for step, sql in (("the same text", "select 1"), ("another text", "select 2")):
        client = world.client()
        world.ask(client, step + ": once", parse("t", "select 1"), SYNC)
        world.ask(client, step + ": twice", parse("t", sql), SYNC)
        world.ask(client, step + ": then", query("select 'well'"))
    client = world.client()
    world.ask(client, "twice in a series", parse("t", "select 1"), parse("t", "select 2"), SYNC)
    client = world.client()
    world.ask(client, "in a block: once", query("begin"))
    world.ask(client, "in a block: made", parse("t", "select 1"), SYNC)
    world.ask(client, "in a block: twice", parse("t", "select 1"), SYNC)


@scenario(modes=POOLED, direct=True, default_pool_size="9")
def an_unknown_name(world):
    for step, messages in {"Bind": (bind("", "u"), execute(), SYNC), "Describe": (describe_statement("u"), SYNC),
                           "Bind behind a good series": (*whole("", "select 1"), bind("", "u"), execute(), SYNC)}.items():
        client = world.client()
        world.ask(client, step, *messages, ready=2 if "behind" in step else 1)
        world.ask(client, step + ": then", query("select 'well'"))


@scenario(max_prepared_statements="0", direct=True)
def no_tracking(world):
    client = world.client()
    world.ask(client, "prepared", *whole("k", "select 1"))
    world.ask(client, "used", bind("", "k"), execute(), SYNC)
    world.ask(client, "twice", parse("k", "select 1"), SYNC)
    world.ask(client, "unknown", bind("", "u"), execute(), SYNC)
    world.ask(client, "unnamed", parse("", "select 'mine'"), SYNC)
    world.ask(client, "bound in the next", bind("", ""), execute(), SYNC)
    world.ask(client, "closed", close_statement("k"), SYNC)
    world.ask(client, "is gone", bind("", "k"), execute(), SYNC)


@scenario(max_prepared_statements="3", direct=True)
def more_statements_than_kept(world):
    client = world.client()
    for n in range(8):
        world.ask(client, f"prepared {n}", *whole(f"k{n}", f"select {n}"))
    for n in (0, 7, 3, 0, 5):
        world.ask(client, f"used {n}", bind("", f"k{n}"), execute(), SYNC)
    world.ask(client, "in one series", *(message for n in range(8) for message in (bind("", f"k{n}"), execute())), SYNC)
    world.ask(client, "all closed", *(close_statement(f"k{n}") for n in range(8)), SYNC)


@scenario(direct=True)
def sql_prepare(world):
    client = world.client()
    world.ask(client, "prepared by SQL", query("prepare q as select 'by sql'"))
    world.ask(client, "run by SQL", query("execute q"))
    world.ask(client, "a name of the protocol", parse("r", "select 'by protocol'"), SYNC)
    world.ask(client, "ended by SQL", query("deallocate q"))
    world.ask(client, "again", query("execute q"))


@scenario(direct=True)
def a_plan_that_changes(world):
    client = world.client()
    name = world.scenario.name
    world.server_sql(f"drop table if exists {name}; create table {name} as select 1 as a; grant all on {name} to public")
    world.ask(client, "prepared", *whole("k", f"select * from {name}"))
    world.server_sql(f"alter table {name} add b int")
    world.ask(client, "after a new column", bind("", "k"), execute(), SYNC)
    world.ask(client, "and again", bind("", "k"), execute(), SYNC)
    world.server_sql(f"drop table {name}")
    world.ask(client, "after its table went", bind("", "k"), execute(), SYNC)
    world.ask(client, "described", describe_statement("k"), SYNC)


@scenario(modes=POOLED, direct=True)
def long_names_and_texts(world):
    client = world.client()
    world.ask(client, "a name of 200 bytes", *whole("n" * 200, "select 1"))
    world.ask(client, "another with the same beginning", parse("n" * 200 + "x", "select 2"), SYNC)
    world.ask(client, "a text of 50 kB", *whole("long", "select length('" + "y" * 50000 + "')"))
    world.ask(client, "a value of 50 kB", *whole("", "select length($1)", "z" * 50000))
    world.ask(client, "1,000 values", *whole("", "select " + "+".join(f"${n}::int" for n in range(1, 1001)), *range(1000)))
