#!/usr/bin/python3
"""psycopg 3 through the proxy, with the driver's default settings: it prepares what it has run five times.

Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed. Each check leaves nothing behind
that another could trip over.
"""
import datetime
import decimal
import os
import sys
import threading
import time

import psycopg

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import (CA_FILE, CLIENTS, COUNT_PREPARED, COUNT_SERVERS, IN_SESSION_POOL, SERVER_PORT, SERVERS,  # noqa: E402
                    assert_shared, on_many_clients, run)


def connect(**options):
    return psycopg.connect("connect_timeout=30", **options)     # the rest by libpq's environment


def each_client_gets_its_own_answers():
    def work(number):
        with connect(autocommit=True) as connection:
            for turn in range(50):
                row = connection.execute("select %s::int, %s::text", (number * 1000 + turn, f"c{number}-{turn}")).fetchone()
                assert row == (number * 1000 + turn, f"c{number}-{turn}"), row

    on_many_clients(work)


def a_transaction_stays_on_one_server():
    def work(number):
        with connect() as connection:
            for _ in range(10):
                with connection.transaction():
                    first = connection.execute("select pg_backend_pid(), txid_current()").fetchone()
                    connection.execute("select pg_sleep(0.002)")
                    assert connection.execute("select pg_backend_pid(), txid_current()").fetchone() == first

    on_many_clients(work)


def a_rollback_undoes_and_a_commit_keeps():
    with connect() as connection:
        connection.execute("create table if not exists kept (n int)")
        connection.execute("truncate kept")
        connection.commit()
        connection.execute("insert into kept values (1)")
        connection.rollback()
        connection.execute("insert into kept values (2)")
        connection.commit()
        with connection.transaction():
            connection.execute("insert into kept values (3)")
            try:
                with connection.transaction():  # a savepoint
                    connection.execute("insert into kept values (4)")
                    raise ZeroDivisionError
            except ZeroDivisionError:
                pass
    with connect(port=SERVER_PORT) as direct:
        assert [row[0] for row in direct.execute("select n from kept order by n")] == [2, 3]


def an_error_leaves_the_session_usable():
    with connect(autocommit=True) as connection:
        for _ in range(20):
            try:
                connection.execute("select 1/%s", (0,))
                raise AssertionError("no error came")
            except psycopg.errors.DivisionByZero as error:
                assert error.sqlstate == "22012"
            assert connection.execute("select 1").fetchone() == (1,)


def a_failed_transaction_refuses_until_rollback():
    with connect() as connection:
        try:
            connection.execute("select no_such_column")
        except psycopg.errors.UndefinedColumn:
            pass
        try:
            connection.execute("select 1")
            raise AssertionError("the failed transaction went on")
        except psycopg.errors.InFailedSqlTransaction:
            pass
        connection.rollback()
        assert connection.execute("select 2").fetchone() == (2,)


def copy_in_and_out_agree():
    rows = [(n, "x" * (n % 700), None if n % 7 else n) for n in range(5000)]
    with connect() as connection:
        connection.execute("create temp table copied (n int, t text, m int) on commit drop")
        with connection.cursor().copy("copy copied from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        with connection.cursor().copy("copy (select * from copied order by n) to stdout") as copy:
            copy.set_types(["int4", "text", "int4"])
            assert list(copy.rows()) == rows


def a_copy_that_fails_leaves_the_session_usable():
    with connect() as connection:
        for text in ("1\n", "no number\n"):
            try:
                connection.execute("create temp table numbers (n int) on commit drop")
                with connection.cursor().copy("copy numbers from stdin") as copy:
                    copy.write(text)
                    if text == "1\n":
                        raise KeyError  # the client breaks it off: CopyFail
            except (KeyError, psycopg.errors.QueryCanceled, psycopg.errors.InvalidTextRepresentation):
                pass
            connection.rollback()
            assert connection.execute("select 3").fetchone() == (3,)


def a_cancel_ends_its_own_query_only():
    def others(number):
        with connect(autocommit=True) as connection:
            for _ in range(20):
                connection.execute("select pg_sleep(0.01)")

    def cancelled(number):
        with connect(autocommit=True) as connection:
            timer = threading.Timer(0.3, connection.cancel)
            timer.start()
            began = time.monotonic()
            try:
                connection.execute("select pg_sleep(20)")
                raise AssertionError("the query was not cancelled")
            except psycopg.errors.QueryCanceled:
                pass
            timer.join()
            assert time.monotonic() - began < 10
            assert connection.execute("select 4").fetchone() == (4,)

    half = CLIENTS // 2
    on_many_clients(lambda number: cancelled(number) if number == 0 else others(number), max(2, half))


def a_cancel_that_comes_late_harms_nobody():
    with connect(autocommit=True) as early, connect(autocommit=True) as other:
        for _ in range(20):
            early.execute("select 1")
            early.cancel()
            assert other.execute("select 5").fetchone() == (5,)
        assert early.execute("select 6").fetchone() == (6,)


def a_pipeline_answers_in_order():
    def work(number):
        with connect(autocommit=True) as connection:
            with connection.pipeline():
                cursors = [connection.execute("select %s::int", (number * 100 + n,)) for n in range(50)]
            assert [cursor.fetchone()[0] for cursor in cursors] == [number * 100 + n for n in range(50)]

    on_many_clients(work)


def a_pipelines_error_reaches_the_right_statement():
    with connect(autocommit=True) as connection:
        try:
            with connection.pipeline():
                connection.execute("select 1")
                connection.execute("select 1/0")
                connection.execute("select 2")
            raise AssertionError("no error came")
        except psycopg.errors.DivisionByZero:
            pass
        assert connection.execute("select 7").fetchone() == (7,)


def prepared_statements_are_found_again():
    def work(number):
        with connect(autocommit=True) as connection:
            for turn in range(30):
                assert connection.execute("select %s::int + 1", (turn,)).fetchone() == (turn + 1,)
                assert connection.execute("select %s::text || 'x'", (f"{number}",)).fetchone() == (f"{number}x",)
            with connection.transaction():    # the server that has just run one, not one that is new
                connection.execute("select %s::int + 1", (0,))
                assert connection.execute(COUNT_PREPARED).fetchone()[0] >= 1

    on_many_clients(work)


def a_server_side_cursor_reads_all_rows():
    with connect() as connection:
        with connection.cursor(name="many") as cursor:
            cursor.itersize = 100
            cursor.execute("select n from generate_series(1, 2500) n")
            assert sum(row[0] for row in cursor) == 2500 * 2501 // 2


def binary_values_arrive_unchanged():
    blob = bytes(range(256)) * 4000
    with connect(autocommit=True) as connection:
        assert connection.execute("select %b::bytea", (blob,)).fetchone() == (blob,)
        cursor = connection.cursor(binary=True)
        assert cursor.execute("select %b::bytea, 'null'::text, null::int", (blob,)).fetchone() == (blob, "null", None)


def more_statements_than_the_driver_keeps():
    """It prepares after five runs, keeps 100 and deallocates the oldest, in a transaction too."""
    def work(number):
        with connect() as connection:
            for statement in range(120):
                for turn in range(6):
                    row = connection.execute(f"select %s::int + {statement}", (turn,)).fetchone()
                    assert row == (turn + statement,), row
                if statement % 10 == 9:
                    connection.commit()

    on_many_clients(work, 5 if not IN_SESSION_POOL else 2)


def values_arrive_unchanged():
    values = (None, [1, None, 3], ["a,b", '"', None], datetime.date(2024, 2, 29), decimal.Decimal("12345678901234567890.123456789"),
              datetime.datetime(1999, 12, 31, 23, 59, 59, 999999), "wéir\n" * 400000, True)
    sql = "select %s::int, %s::int[], %s::text[], %s::date, %s::numeric, %s::timestamp, %s::text, %s::bool"
    with connect() as connection:
        for binary in (False, True):
            assert connection.cursor(binary=binary).execute(sql, values).fetchone() == values


def executemany_goes_through_a_pipeline():
    with connect() as connection:
        cursor = connection.cursor()
        cursor.execute("create temp table many (n int) on commit drop")
        cursor.executemany("insert into many values (%s)", [(n,) for n in range(1000)])
        assert cursor.execute("select count(*), sum(n) from many").fetchone() == (1000, 499500)
        cursor.executemany("select %s::int * 2", [(n,) for n in range(100)], returning=True)
        got = [cursor.fetchone()[0]]
        while cursor.nextset():
            got.append(cursor.fetchone()[0])
        assert got == [2 * n for n in range(100)]


def the_connection_is_as_secure_as_asked_for():
    with connect() as connection:
        assert bool(connection.pgconn.ssl_in_use) == bool(CA_FILE)


def servers_are_shared():
    together = threading.Barrier(CLIENTS)

    def work(number):
        with connect(autocommit=True) as connection:
            together.wait(60)
            pid = connection.execute("select pg_backend_pid()").fetchone()[0]
            assert connection.execute(COUNT_SERVERS).fetchone()[0] <= SERVERS
            together.wait(60)
        return pid

    assert_shared(on_many_clients(work))


def notifications_arrive():
    with connect(autocommit=True) as listener, connect(autocommit=True) as teller:
        listener.execute("listen news")
        teller.execute("select pg_notify('news', 'flood')")
        news = next(listener.notifies())
        assert (news.channel, news.payload) == ("news", "flood")


run([
    the_connection_is_as_secure_as_asked_for,
    each_client_gets_its_own_answers,
    a_transaction_stays_on_one_server,
    a_rollback_undoes_and_a_commit_keeps,
    an_error_leaves_the_session_usable,
    a_failed_transaction_refuses_until_rollback,
    copy_in_and_out_agree,
    a_copy_that_fails_leaves_the_session_usable,
    a_cancel_ends_its_own_query_only,
    a_cancel_that_comes_late_harms_nobody,
    a_pipeline_answers_in_order,
    a_pipelines_error_reaches_the_right_statement,
    executemany_goes_through_a_pipeline,
    prepared_statements_are_found_again,
    more_statements_than_the_driver_keeps,
    a_server_side_cursor_reads_all_rows,
    binary_values_arrive_unchanged,
    values_arrive_unchanged,
    notifications_arrive if IN_SESSION_POOL else servers_are_shared,
])
