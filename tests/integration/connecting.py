#!/usr/bin/env python3
"""Clients that hang up while they wait for their welcome, since the server accepts and then says nothing (connecting.sh).

usage: connecting.py PROXY_PORT SILENT_PORT PROXY_LOG
"""
import socket
import sys
import time

from checks import check, finish
from raw_client import RawClient, message, start_up

PORT, SILENT, LOG = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]


def lost_clients():
    with open(LOG, encoding="utf-8") as log:
        return log.read().count("closing because: client unexpected eof")


def noticed_within(seconds, wanted):
    until = time.monotonic() + seconds
    while lost_clients() < wanted and time.monotonic() < until:
        time.sleep(0.02)
    return lost_clients() >= wanted


silent = socket.create_server(("127.0.0.1", SILENT), backlog=50)
console = RawClient(("127.0.0.1", PORT), "postgres", "pgbouncer")
for wanted, (name, ahead) in enumerate({"silent": b"", "that has sent a query ahead": message(b"Q", b"select 1\0")}.items(), 1):
    client = socket.create_connection(("127.0.0.1", PORT), timeout=10)
    client.sendall(start_up("postgres", "silent") + ahead)
    time.sleep(0.5)
    waiting = [int(row[3]) for row in console.query("SHOW POOLS") if row[0] == "silent"]
    check(f"a client {name} waits for its welcome", waiting == [1], waiting)
    client.close()
    check(f"a client {name} that hangs up is noticed", noticed_within(1, wanted), lost_clients())
    waiting = [int(row[3]) for row in console.query("SHOW POOLS") if row[0] == "silent"]
    check(f"a client {name} that has gone waits no more", waiting == [0], waiting)
finish()
