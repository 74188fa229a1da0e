#!/usr/bin/python3
"""psycopg2 through the proxy: libpq's simple queries, and what it builds of them.

Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
"""
import datetime
import decimal
import io
import os
import select
import sys
import threading

import psycopg2
import psycopg2.errors
import psycopg2.extras

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import CA_FILE, CLIENTS, COUNT_SERVERS, IN_SESSION_POOL, SERVERS, assert_shared, on_many_clients, run  # noqa: E402


def connect():
    return psycopg2.connect("connect_timeout=30")     # the rest by libpq's environment


def one(cursor, sql, *values):
    cursor.execute(sql, values)
    return cursor.fetchone()


def the_connection_is_as_secure_as_asked_for():
    with connect() as connection:
        assert connection.info.ssl_in_use == bool(CA_FILE)


def each_client_gets_its_own_answers():
    def work(number):
        connection = connect()
        connection.autocommit = True
        with connection.cursor() as cursor:
            for turn in range(40):
                assert one(cursor, "select %s, %s", number * 1000 + turn, f"c{number}") == (number * 1000 + turn, f"c{number}")
        connection.close()

    on_many_clients(work)


def servers_are_shared():
    together = threading.Barrier(CLIENTS)

    def work(number):
        connection = connect()
        connection.autocommit = True
        together.wait(60)
        with connection.cursor() as cursor:
            pid = one(cursor, "select pg_backend_pid()")[0]
            assert one(cursor, COUNT_SERVERS)[0] <= SERVERS
        together.wait(60)
        connection.close()
        return pid

    assert_shared(on_many_clients(work))


def transactions_commit_and_roll_back():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("create table kept (n int)")

    def work(number):
        connection = connect()
        with connection, connection.cursor() as cursor:
            first = one(cursor, "select pg_backend_pid(), txid_current()")
            cursor.execute("insert into kept values (%s)", (number,))
            cursor.execute("savepoint s")
            cursor.execute("insert into kept values (-1)")
            cursor.execute("rollback to savepoint s")
            assert one(cursor, "select pg_backend_pid(), txid_current()") == first
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("insert into kept values (-2)")
                cursor.execute("select 1/0")
            raise AssertionError("no error came")
        except psycopg2.errors.DivisionByZero:
            pass
        connection.close()

    on_many_clients(work)
    with connect() as connection, connection.cursor() as cursor:
        assert one(cursor, "select array_agg(n order by n) from kept") == (list(range(CLIENTS)),)


def a_failed_transaction_refuses_until_rollback():
    connection = connect()
    cursor = connection.cursor()
    for sql, error in (("select no_such_column", psycopg2.errors.UndefinedColumn), ("select 1", psycopg2.errors.InFailedSqlTransaction)):
        try:
            cursor.execute(sql)
            raise AssertionError("no error came")
        except error:
            pass
    connection.rollback()
    assert one(cursor, "select 2") == (2,)
    connection.close()


def values_arrive_unchanged():
    blob = bytes(range(256)) * 8000
    values = (None, [1, None, 3], ["a,b", '"', None], datetime.date(2024, 2, 29), decimal.Decimal("12345678901234567890.123456789"),
              datetime.datetime(1999, 12, 31, 23, 59, 59, 999999), "wéir\n" * 400000, True)
    with connect() as connection, connection.cursor() as cursor:
        got = one(cursor, "select %s::int, %s::int[], %s::text[], %s::date, %s::numeric, %s::timestamp, %s::text, %s::bool", *values)
        assert got == values
        assert bytes(one(cursor, "select %s::bytea", blob)[0]) == blob
        psycopg2.extras.execute_values(cursor, "select * from (values %s) v", [(n, f"v{n}") for n in range(100)])
        assert len(cursor.fetchall()) == 100


def copy_text():
    null = "\\N"
    return "".join(f"{n}\t{'x' * (n % 700)}\t{null if n % 7 else n}\n" for n in range(5000))


def copy_in_and_out_agree():
    text = copy_text()
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("create temp table copied (n int, t text, m int) on commit drop")
        cursor.copy_expert("copy copied from stdin", io.StringIO(text))
        out = io.StringIO()
        cursor.copy_expert("copy (select * from copied order by n) to stdout", out)
        assert out.getvalue() == text


def a_copy_that_fails_leaves_the_session_usable():
    connection = connect()
    with connection.cursor() as cursor:
        cursor.execute("create temp table numbers (n int) on commit drop")
        try:
            cursor.copy_expert("copy numbers from stdin", io.StringIO("1\nno number\n"))
            raise AssertionError("no error came")
        except psycopg2.errors.InvalidTextRepresentation:
            connection.rollback()
        assert one(cursor, "select 3") == (3,)
    connection.close()


def a_named_cursor_reads_part_by_part():
    with connect() as connection, connection.cursor("many") as cursor:
        cursor.itersize = 70
        cursor.execute("select n from generate_series(1, 2000) n")
        assert sum(row[0] for row in cursor) == 2001000


def a_cancel_ends_its_own_query_only():
    def work(number):
        connection = connect()
        connection.autocommit = True
        with connection.cursor() as cursor:
            if number:
                assert all(one(cursor, "select %s, pg_sleep(0.01)", turn)[0] == turn for turn in range(20))
                return
            timer = threading.Timer(0.5, connection.cancel)
            timer.start()
            try:
                cursor.execute("select pg_sleep(60)")
                raise AssertionError("the query was not cancelled")
            except psycopg2.errors.QueryCanceled:
                timer.join()
            assert one(cursor, "select 4") == (4,)
        connection.close()

    on_many_clients(work)


def settings_of_the_driver_follow_the_client():
    def work(number):
        connection = connect()
        connection.set_client_encoding("LATIN1" if number % 2 else "UTF8")
        with connection, connection.cursor() as cursor:
            for turn in range(10):
                assert one(cursor, "select 'é'::text, current_setting('client_encoding')") == ("é", "LATIN1" if number % 2 else "UTF8")
                connection.commit()
        connection.close()

    on_many_clients(work)


def notifications_arrive():
    listener, teller = connect(), connect()
    listener.autocommit = teller.autocommit = True
    listener.cursor().execute("listen news")
    teller.cursor().execute("notify news, 'flood'")
    while not listener.notifies:
        assert select.select([listener], [], [], 60)[0], "no notification came"
        listener.poll()
    assert (listener.notifies[0].channel, listener.notifies[0].payload) == ("news", "flood")
    listener.close()
    teller.close()


run([
    the_connection_is_as_secure_as_asked_for,
    each_client_gets_its_own_answers,
    transactions_commit_and_roll_back,
    a_failed_transaction_refuses_until_rollback,
    values_arrive_unchanged,
    copy_in_and_out_agree,
    a_copy_that_fails_leaves_the_session_usable,
    a_named_cursor_reads_part_by_part,
    a_cancel_ends_its_own_query_only,
    settings_of_the_driver_follow_the_client,
    notifications_arrive if IN_SESSION_POOL else servers_are_shared,
])
