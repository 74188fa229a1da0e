#!/usr/bin/env python3
"""300 clients of a proxy that may have 120 descriptors (descriptors.sh).

usage: descriptors.py PROXY_PORT PROXY_LOG
"""
import select
import socket
import sys
import time

from checks import check, finish
from raw_client import message, start_up

PORT, LOG = int(sys.argv[1]), sys.argv[2]
READY = b"Z\0\0\0\5I"


def connect():
    connection = socket.create_connection(("127.0.0.1", PORT), timeout=10)
    connection.sendall(start_up("postgres", "postgres"))
    return connection


def ready_among(connections, seconds):
    """Those that have said ReadyForQuery within that time, or since nothing more came for half of it."""
    ready, until = [], time.monotonic() + seconds
    waiting = {c.fileno(): c for c in connections}
    received = {}
    while waiting and time.monotonic() < until:
        for fd in select.select(list(waiting), [], [], max(0, until - time.monotonic()))[0]:
            received[fd] = received.get(fd, b"") + waiting[fd].recv(65536)
            if received[fd].endswith(READY):
                ready.append(waiting.pop(fd))
    return ready


def pauses_told():
    with open(LOG, encoding="utf-8") as log:
        return log.read().count("accepting pauses")


clients = [connect() for _ in range(300)]
served = ready_among(clients, 5)
check("some clients are served, not all", 40 <= len(served) < 120, len(served))
check("the pause is told", pauses_told() >= 1)
before = pauses_told()
time.sleep(3)
check("… once a second", 2 <= pauses_told() - before <= 4, pauses_told() - before)
for connection in served:
    connection.sendall(message(b"Q", b"begin; select pg_sleep(0.05); commit\0"))
done = ready_among(served, 20)
check("all who are served get their servers and answers", len(done) == len(served), (len(done), len(served)))

left = [c for c in clients if c not in served]
for connection in served:
    connection.close()
resumed = ready_among(left, 10)
check("when they go, others are served without anybody's doing", len(resumed) >= 40, len(resumed))
for connection in resumed:
    connection.close()
check("… and then the rest", len(ready_among([c for c in left if c not in resumed], 10)) >= 40)
finish()
