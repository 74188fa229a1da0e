#!/usr/bin/python3
"""asyncpg through the proxy, with its defaults: every query is a named statement, kept in a cache of 100.

Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
"""
import asyncio
import datetime
import decimal
import io
import os
import sys
from contextlib import asynccontextmanager

import asyncpg

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import CA_FILE, CLIENTS, COUNT_PREPARED, COUNT_SERVERS, IN_SESSION_POOL, SERVERS, assert_shared, run  # noqa: E402


@asynccontextmanager
async def connected():
    connection = await asyncpg.connect()                  # by libpq's environment
    try:
        yield connection
    finally:
        await connection.close()


async def on_many_clients(work, count=CLIENTS):
    async def with_client(number):
        async with connected() as connection:
            return await work(connection, number)

    return await asyncio.gather(*(with_client(number) for number in range(count)))


async def fails_with(error, awaitable):
    try:
        await awaitable
    except error:
        return
    raise AssertionError(f"no {error.__name__} came")


async def the_connection_is_as_secure_as_asked_for():
    async with connected() as connection:
        assert bool(connection._transport.get_extra_info("ssl_object")) == bool(CA_FILE)


async def each_client_gets_its_own_answers():
    async def work(connection, number):
        for turn in range(40):
            row = await connection.fetchrow("select $1::int as a, $2::text as b", number * 1000 + turn, f"c{number}")
            assert tuple(row) == (number * 1000 + turn, f"c{number}")
            assert await connection.fetchval(f"select $1::int + {number % 5}", turn) == turn + number % 5
        assert await connection.fetchval(COUNT_PREPARED) >= 1

    await on_many_clients(work)


async def servers_are_shared():
    connections = [await asyncpg.connect() for _ in range(CLIENTS)]
    assert_shared(await asyncio.gather(*(one.fetchval("select pg_backend_pid()") for one in connections)))
    assert await connections[0].fetchval(COUNT_SERVERS) <= SERVERS
    for connection in connections:
        await connection.close()


async def transactions_commit_and_roll_back():
    async with connected() as connection:
        await connection.execute("create table kept (n int)")

    async def work(connection, number):
        async with connection.transaction():
            first = await connection.fetchrow("select pg_backend_pid(), txid_current()")
            await connection.execute("insert into kept values ($1)", number)
            await fails_with(ZeroDivisionError, in_savepoint(connection))
            assert await connection.fetchrow("select pg_backend_pid(), txid_current()") == first
        await fails_with(asyncpg.UniqueViolationError, rolled_back(connection))

    async def in_savepoint(connection):
        async with connection.transaction():
            await connection.execute("insert into kept values (-1)")
            raise ZeroDivisionError

    async def rolled_back(connection):
        async with connection.transaction():
            await connection.execute("insert into kept values (-2)")
            await connection.execute("create temp table once (n int primary key) on commit drop")
            await connection.execute("insert into once values ($1), ($1)", 1)

    await on_many_clients(work)
    async with connected() as connection:
        assert await connection.fetchval("select array_agg(n order by n) from kept") == list(range(CLIENTS))


async def an_error_leaves_the_session_usable():
    async def work(connection, number):
        for _ in range(10):
            await fails_with(asyncpg.DivisionByZeroError, connection.fetchval("select 1/$1::int", 0))
            await fails_with(asyncpg.UndefinedColumnError, connection.fetchval("select no_such_column"))
            assert await connection.fetchval("select 7::int") == 7

    await on_many_clients(work)


async def an_error_within_executemany_undoes_all_of_it():
    async with connected() as connection:
        await connection.execute("create table many (n int)")
        await connection.executemany("insert into many values ($1)", [(n,) for n in range(1000)])
        await fails_with(asyncpg.DivisionByZeroError, connection.executemany("insert into many values (1 / $1)", [(1,), (0,), (1,)]))
        assert tuple(await connection.fetchrow("select count(*), sum(n) from many")) == (1000, 499500)


async def values_arrive_unchanged():
    values = (None, [1, None, 3], ["a,b", '"', None], datetime.date(2024, 2, 29), decimal.Decimal("12345678901234567890.123456789"),
              datetime.datetime(1999, 12, 31, 23, 59, 59, 999999), "wéir\n" * 400000, True, bytes(range(256)) * 8000)
    sql = "select $1::int, $2::int[], $3::text[], $4::date, $5::numeric, $6::timestamp, $7::text, $8::bool, $9::bytea"
    async with connected() as connection:
        assert tuple(await connection.fetchrow(sql, *values)) == values


async def types_of_the_database_are_looked_up():
    async with connected() as connection:
        await connection.execute("create type mood as enum ('sad', 'ok'); create type pair as (a int, b mood)")

    async def work(connection, number):
        row = await connection.fetchrow("select $1::pair as p, array[$2::mood] as m", (number, "ok"), "sad")
        assert tuple(row["p"]) == (number, "ok") and row["m"] == ["sad"]

    await on_many_clients(work)


async def copy_in_and_out_agree():
    rows = [(n, "x" * (n % 700), None if n % 7 else n) for n in range(5000)]
    async with connected() as connection:
        await connection.execute("create table copied (n int, t text, m int)")
        assert await connection.copy_records_to_table("copied", records=rows) == "COPY 5000"
        out = io.BytesIO()
        await connection.copy_from_query("select * from copied order by n", output=out)
        assert out.getvalue().decode() == "".join(f"{n}\t{t}\t{chr(92) + 'N' if m is None else m}\n" for n, t, m in rows)
        wrong = io.BytesIO(b"1\tx\t1\nno number\tx\t1\n")
        await fails_with(asyncpg.InvalidTextRepresentationError, connection.copy_to_table("copied", source=wrong))
        assert await connection.fetchval("select count(*) from copied") == 5000


async def a_cursor_reads_part_by_part():
    async def work(connection, number):
        async with connection.transaction():
            total = 0
            async for row in connection.cursor("select n from generate_series(1, $1::int) n", 500 + number, prefetch=70):
                total += row["n"]
        assert total == (500 + number) * (501 + number) // 2

    await on_many_clients(work)


async def a_cancel_ends_its_own_query_only():
    async def work(connection, number):
        if number:
            assert [await connection.fetchval("select $1::int from pg_sleep(0.01)", n) for n in range(20)] == list(range(20))
            return
        await fails_with(asyncio.TimeoutError, connection.fetchval("select pg_sleep(60)", timeout=0.5))
        assert await connection.fetchval("select 4") == 4

    await on_many_clients(work)


async def more_statements_than_the_driver_keeps():
    async def work(connection, number):
        for _ in range(2):
            for n in range(130):
                assert await connection.fetchval(f"select $1::int + {n}", number) == number + n

    await on_many_clients(work, min(CLIENTS, 8))


async def a_changed_table_is_seen():
    """What a kept statement gives has changed: the driver prepares it once more by itself, outside of a transaction."""
    async with connected() as connection:
        await connection.execute("create table changing (a int); insert into changing values (1)")

    async def work(connection, number):
        assert tuple(await connection.fetchrow("select * from changing")) == (1,)
        read[number].set()
        await changed.wait()
        assert tuple(await connection.fetchrow("select * from changing")) == (1, 2)

    async def change():
        for event in read:
            await event.wait()
        async with connected() as connection:
            await connection.execute("alter table changing add b int default 2")
        changed.set()

    count = CLIENTS - 1                                  # one server is left, in a session pool
    read, changed = [asyncio.Event() for _ in range(count)], asyncio.Event()
    await asyncio.gather(on_many_clients(work, count), change())


async def the_drivers_own_pool_works_on_top():
    async with asyncpg.create_pool(min_size=CLIENTS, max_size=CLIENTS) as pool:
        async def work(n):
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("select set_config('work_mem', '5MB', true)")
                return await connection.fetchval("select $1::int", n)

        assert await asyncio.gather(*(work(n) for n in range(200))) == list(range(200))


async def notifications_arrive():
    news = asyncio.get_running_loop().create_future()
    async with connected() as listener, connected() as teller:
        await listener.add_listener("news", lambda connection, pid, channel, payload: news.set_result((channel, payload)))
        await teller.execute("notify news, 'flood'")
        assert await asyncio.wait_for(news, 60) == ("news", "flood")


run([
    the_connection_is_as_secure_as_asked_for,
    each_client_gets_its_own_answers,
    transactions_commit_and_roll_back,
    an_error_leaves_the_session_usable,
    an_error_within_executemany_undoes_all_of_it,
    values_arrive_unchanged,
    types_of_the_database_are_looked_up,
    copy_in_and_out_agree,
    a_cursor_reads_part_by_part,
    a_cancel_ends_its_own_query_only,
    more_statements_than_the_driver_keeps,
    a_changed_table_is_seen,
    the_drivers_own_pool_works_on_top,
    notifications_arrive if IN_SESSION_POOL else servers_are_shared,
])
