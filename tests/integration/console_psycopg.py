#!/usr/bin/env python3
"""The console through psycopg 3, over the extended protocol in both formats, and psycopg 2 (console_show.sh).

usage: console_psycopg.py PROXY_PORT
"""
import decimal
import sys

import psycopg
import psycopg2

from checks import check, finish

TABLES = ["STATS", "STATS_TOTALS", "STATS_AVERAGES", "TOTALS", "POOLS", "DATABASES", "CLIENTS", "SERVERS", "SOCKETS", "ACTIVE_SOCKETS", "USERS", "LISTS", "CONFIG",
          "MEM", "VERSION", "STATE", "PEERS", "PEER_POOLS", "DNS_HOSTS", "DNS_ZONES", "FDS"]
WHERE = f"host=127.0.0.1 port={sys.argv[1]} user=postgres dbname=pgbouncer"
PYTHON_TYPES = {25: str, 23: int, 20: int, 1700: decimal.Decimal, 17: bytes}
STEADY = {"DATABASES", "USERS", "CONFIG", "VERSION", "STATE", "PEERS", "DNS_ZONES"}


def typed(cursor, rows):
    kinds = [PYTHON_TYPES[column.type_code] for column in cursor.description]
    return all(value is None or isinstance(value, kind) for row in rows for value, kind in zip(row, kinds))


with psycopg.connect(WHERE, autocommit=True) as connection:
    simple = psycopg2.connect(WHERE)
    simple.autocommit = True
    for table in TABLES:
        with connection.cursor() as text, connection.cursor(binary=True) as binary, simple.cursor() as plain:
            plain.execute(f"SHOW {table}")
            by_text, by_binary, by_simple = text.execute(f"SHOW {table}").fetchall(), binary.execute(f"SHOW {table}").fetchall(), plain.fetchall()
            names = [[column.name for column in cursor.description] for cursor in (text, binary)] + [[column[0] for column in plain.description]]
            check(f"SHOW {table}: the same columns in both protocols", names[0] == names[1] == names[2], names)
            check(f"SHOW {table}: each value has its column's type, as text and in binary", typed(text, by_text) and typed(binary, by_binary))
            if table in STEADY:
                check(f"SHOW {table}: the same rows in both protocols", by_text == by_binary == [tuple(row) for row in by_simple])
    for _ in range(7):                       # psycopg prepares from the sixth time on
        rows = connection.execute("SHOW VERSION").fetchall()
    check("a prepared SHOW goes on answering", len(rows) == 1)
    check("SET over the extended protocol", connection.execute("SET verbose = 0").statusmessage == "SET verbose=0")
    try:
        connection.execute("SHOW VERSION %s", ("x",))
        error = "no error"
    except psycopg.Error as failure:
        error = failure.sqlstate
    check("a parameter is refused", error == "08P01", error)
    try:
        connection.execute("nonsense")
        error = "no error"
    except psycopg.Error as failure:
        error = f"{failure.sqlstate} {failure.diag.message_primary}"
    check("an error over the extended protocol, and the session lives on",
          error == "08P01 invalid command 'nonsense', use SHOW HELP;" and connection.execute("SHOW VERSION").fetchall() == rows, error)
finish()
