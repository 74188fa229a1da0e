#!/usr/bin/python3
"""psycopg 3 and psycopg2 through the proxy, more clients than servers.

drivers_psycopg.py PROXY_PORT SERVER_PORT POOL_MODE

Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed. The proxy pools POOL_MODE
connections of database `drivers`, at most 4 of them; each check leaves nothing behind that another could trip over.
"""

import sys
import threading
import time

import psycopg
import psycopg2
import psycopg2.extras

PROXY_PORT, SERVER_PORT, POOL_MODE = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
CLIENTS = 4 if POOL_MODE == "session" else 24


def connect(port=PROXY_PORT, **options):
    options = {"prepare_threshold": None, **options}
    return psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="drivers", connect_timeout=20, **options)


def connect2(port=PROXY_PORT):
    return psycopg2.connect(host="127.0.0.1", port=port, user="postgres", dbname="drivers", connect_timeout=20)


def on_many_clients(work, count=CLIENTS):
    """Runs work(number) on as many threads at once; the first exception is raised here."""
    errors = []

    def guarded(number):
        try:
            work(number)
        except BaseException as error:  # noqa: B902 - carried over to the caller's thread
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a client hangs"
    if errors:
        raise errors[0]


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
    with connect(SERVER_PORT) as direct:
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

    on_many_clients(work, min(CLIENTS, 8))


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
        with connect(autocommit=True, prepare_threshold=0) as connection:
            for turn in range(30):
                assert connection.execute("select %s::int + 1", (turn,)).fetchone() == (turn + 1,)
                assert connection.execute("select %s::text || 'x'", (f"{number}",)).fetchone() == (f"{number}x",)

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


def psycopg2_transactions_and_errors():
    def work(number):
        connection = connect2()
        with connection, connection.cursor() as cursor:
            cursor.execute("select %s, pg_backend_pid()", (number,))
            first = cursor.fetchone()
            cursor.execute("select %s, pg_backend_pid()", (number,))
            assert cursor.fetchone() == first
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("select 1/0")
            raise AssertionError("no error came")
        except psycopg2.errors.DivisionByZero:
            pass
        with connection, connection.cursor() as cursor:
            psycopg2.extras.execute_values(cursor, "select * from (values %s) v", [(number, n) for n in range(100)])
            assert len(cursor.fetchall()) == 100
        connection.close()

    on_many_clients(work)


CHECKS = [
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
    prepared_statements_are_found_again,
    a_server_side_cursor_reads_all_rows,
    binary_values_arrive_unchanged,
    psycopg2_transactions_and_errors,
]


def main():
    failed = 0
    for check in CHECKS:
        name = f"psycopg, {POOL_MODE}: {check.__name__.replace('_', ' ')}"
        try:
            check()
            print("ok", name, flush=True)
        except Exception as error:
            failed += 1
            print(f"FAILED {name}: {type(error).__name__}: {error}".replace("\n", " "), flush=True)
    return 1 if failed else 0


sys.exit(main())
