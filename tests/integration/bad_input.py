#!/usr/bin/env python3
"""Malformed connections while others work: each must be refused, cost nothing, and disturb nobody.

usage: bad_input.py PROXY_PORT DATABASE [CONNECTIONS [PROXY_PID]]

Sends CONNECTIONS (default 2000) broken openings of many kinds, while a well-behaved client runs simple queries on a
connection of its own and checks every answer. With PROXY_PID the proxy's memory must be back within 2 MiB of what it was.
Prints `ok NAME` or `FAILED NAME: why`; exit status 1 after a failure.
"""
import random
import socket
import struct
import sys
import threading
import time

from checks import check, finish, resident_kib
from raw_client import RawClient, packet, start_up

PORT, DATABASE = int(sys.argv[1]), sys.argv[2]
CONNECTIONS = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
PID = int(sys.argv[4]) if len(sys.argv) > 4 else None
KIB_MORE = 2048


OPENINGS = {
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "garbage": bytes(range(256)) * 8,
    "zeros": b"\0" * 64,
    "a length of 3": struct.pack("!ii", 3, 196608),
    "a huge length": struct.pack("!ii", 0x7FFFFFFF, 196608),
    "a negative length": struct.pack("!ii", -5, 196608),
    "protocol 2": packet(131072, b"x" * 288),
    "no terminator": packet(196608, b"user\0me"),
    "no user": packet(196608, b"database\0x\0\0"),
    "an unknown user": start_up("nobody_knows_me", DATABASE),
    "an unknown parameter": start_up("postgres", DATABASE, flavour="plain"),
    "a tls hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "bytes behind SSLRequest": packet(80877103) + start_up("postgres", DATABASE),
    "a cancel of nobody": packet(80877102, struct.pack("!ii", 4711, 4711)),
    "half a message": start_up("postgres", DATABASE)[:9],
    "nothing": b"",
    "an unknown message": start_up("postgres", DATABASE) + b"\x01\x00\x00\x00\x04",
    "a bad message length": start_up("postgres", DATABASE) + b"Q\x00\x00\x00\x01",
}


def send_bad(rng):
    name = rng.choice(list(OPENINGS))
    with socket.create_connection(("127.0.0.1", PORT), timeout=10) as s:
        s.sendall(OPENINGS[name])
        if rng.random() < 0.7 and name not in ("half a message", "nothing"):
            s.settimeout(10)
            while s.recv(4096):    # the proxy must close by itself
                pass


def send_many(rng, errors, count):
    for _ in range(count):
        try:
            send_bad(rng)
        except (ConnectionResetError, BrokenPipeError):
            pass                      # refused while we were still sending
        except Exception as error:
            errors.append(error)


def settled_kib():
    if PID is None:
        return 0
    time.sleep(2)                     # closed connections are freed
    return resident_kib(PID)


def main():
    stop, problems, answered = threading.Event(), [], [0]

    def work():
        try:
            client = RawClient(("127.0.0.1", PORT), "postgres", DATABASE)
            while not stop.is_set():
                number = random.randrange(1 << 30)
                rows = client.query(f"select {number}")
                if rows != [[str(number)]]:
                    raise AssertionError(f"asked for {number}, got {rows}")
                answered[0] += 1
        except Exception as error:    # told at the end
            problems.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    rng, errors = random.Random(1), []
    before = settled_kib()
    send_many(rng, errors, CONNECTIONS)
    more = settled_kib() - before
    stop.set()
    for worker in workers:
        worker.join()
    check("every broken opening is answered or closed", not errors, repr(errors[:1]))
    check(f"well-behaved clients notice nothing ({answered[0]} answers)", not problems and answered[0] > 0, repr(problems[:1]))
    if PID is not None:
        check(f"its memory comes back ({more} KiB more than {before})", more <= KIB_MORE, "too much")
    finish()


main()
