#!/usr/bin/python3
"""psqlodbc through the proxy, by pyodbc, with the driver's defaults: statements with values are prepared on the server.

Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
"""
import datetime
import decimal
import os
import sys
import threading

import pyodbc

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from checks import (CA_FILE, CLIENTS, COUNT_SERVERS, DATABASE, IN_SESSION_POOL, PASSWORD, PROXY_PORT, SERVERS,  # noqa: E402
                    assert_shared, on_many_clients, run)

pyodbc.pooling = False


def connect(**options):
    return pyodbc.connect(f"Driver={{PostgreSQL Unicode}};Server=127.0.0.1;Port={PROXY_PORT};Database={DATABASE};UID=app;"
                          f"PWD={PASSWORD};" + (f"SSLmode=verify-full;pqopt=sslrootcert={CA_FILE};" if CA_FILE else ""), **options)


def one(connection, sql, *values):
    return tuple(connection.execute(sql, *values).fetchone())


def fails(state, connection, sql, *values):
    try:
        connection.execute(sql, *values)
    except pyodbc.Error as error:
        assert error.args[0] == state, error
        return
    raise AssertionError(f"no error came, {state} was due")


def the_connection_is_as_secure_as_asked_for():
    secure = "select case when ssl then 'yes' else 'no' end from pg_stat_ssl where pid = pg_backend_pid()"
    assert one(connect(), secure) == ("yes" if CA_FILE else "no",)


def each_client_gets_its_own_answers():
    def work(number):
        connection = connect(autocommit=True)
        for turn in range(40):
            assert one(connection, "select ?::int, ?::text", number * 1000 + turn, f"c{number}") == (number * 1000 + turn, f"c{number}")
        connection.close()

    on_many_clients(work)


def prepared_statements_are_found_again():
    def work(number):
        connection = connect(autocommit=True)
        cursor = connection.cursor()
        for turn in range(30):                           # one cursor, one text: prepared once
            assert cursor.execute(f"select ?::int + {number % 5}", turn).fetchone()[0] == turn + number % 5
        connection.close()

    on_many_clients(work)


def transactions_commit_and_roll_back():
    connect(autocommit=True).execute("create table kept (n int)")

    def work(number):
        connection = connect()
        first = one(connection, "select pg_backend_pid(), txid_current()")
        connection.execute("insert into kept values (?)", number)
        connection.execute("savepoint s")
        fails("22P02", connection, "insert into kept values ('no number')")
        connection.execute("rollback to savepoint s")
        assert one(connection, "select pg_backend_pid(), txid_current()") == first
        connection.commit()
        connection.execute("insert into kept values (?)", -2)
        connection.rollback()
        connection.close()

    on_many_clients(work)
    assert one(connect(), "select count(*), sum(n) from kept") == (CLIENTS, CLIENTS * (CLIENTS - 1) // 2)


def a_statement_that_ends_in_a_transaction_leaves_it_whole():
    connection = connect()
    connection.execute("create table whole (n int)")
    for turn in range(5):
        cursor = connection.cursor()
        for n in range(3):
            cursor.execute("insert into whole values (?)", n)
        cursor.close()
        connection.execute("insert into whole values (3)")
        connection.commit()
    assert one(connection, "select count(*), sum(n) from whole") == (20, 30)


def an_error_leaves_the_session_usable():
    def work(number):
        connection = connect(autocommit=True)
        for _ in range(10):
            fails("22012", connection, "select 1 / ?::int", 0)
            fails("42703", connection, "select no_such_column")
            assert one(connection, "select 7") == (7,)
        connection.close()

    on_many_clients(work)


def values_arrive_unchanged():
    connection = connect()
    values = (None, datetime.date(2024, 2, 29), datetime.datetime(1999, 12, 31, 23, 59, 59, 999999),
              decimal.Decimal("123456789012345678.123456789"), "{1,NULL,3}")
    assert one(connection, "select ?::int, ?::date, ?::timestamp, ?::numeric, ?::int[]::text", *values) == values
    connection.execute("create temp table large (t text, b bytea) on commit drop")
    text, blob = "wéir\n" * 200000, bytes(range(256)) * 2000
    connection.execute("insert into large values (?, ?)", text, blob)
    assert one(connection, "select length(t), md5(t) = md5(repeat('wéir' || chr(10), 200000)), length(b) from large")[0::2] == (1000000, 512000)
    connection.rollback()


def many_rows_go_in_at_once():
    connection = connect()
    connection.execute("create table many (n int, t text)")
    connection.cursor().executemany("insert into many values (?, ?)", [(n, f"t{n}") for n in range(500)])
    connection.commit()
    assert one(connection, "select count(*), sum(n) from many") == (500, 124750)
    rows = connection.execute("select n from many order by n")
    got = []
    while part := rows.fetchmany(70):
        got += [row[0] for row in part]
    assert got == list(range(500))


def a_cancel_ends_its_own_query_only():
    def work(number):
        connection = connect(autocommit=True)
        if number:
            assert [one(connection, "select ?::int from pg_sleep(0.01)", n)[0] for n in range(20)] == list(range(20))
            return
        cursor = connection.cursor()
        timer = threading.Timer(0.7, cursor.cancel)
        timer.start()
        try:
            cursor.execute("select pg_sleep(60)")
            raise AssertionError("the query was not cancelled")
        except pyodbc.Error as error:
            assert error.args[0] in ("57014", "HY008"), error
        timer.join()
        assert one(connection, "select 4") == (4,)
        connection.close()

    on_many_clients(work)


def servers_are_shared():
    together = threading.Barrier(CLIENTS)

    def work(number):
        connection = connect(autocommit=True)
        together.wait(60)
        pid = one(connection, "select pg_backend_pid()")[0]
        assert one(connection, COUNT_SERVERS)[0] <= SERVERS
        together.wait(60)
        connection.close()
        return pid

    assert_shared(on_many_clients(work))


run([
    the_connection_is_as_secure_as_asked_for,
    each_client_gets_its_own_answers,
    prepared_statements_are_found_again,
    transactions_commit_and_roll_back,
    a_statement_that_ends_in_a_transaction_leaves_it_whole,
    an_error_leaves_the_session_usable,
    values_arrive_unchanged,
    many_rows_go_in_at_once,
    a_cancel_ends_its_own_query_only,
    *([] if IN_SESSION_POOL else [servers_are_shared]),
])
