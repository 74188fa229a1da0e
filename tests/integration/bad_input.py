#!/usr/bin/env python3
"""Malformed connections while others work: each must be refused, cost nothing, and disturb nobody.

usage: bad_input.py PROXY_PORT DATABASE [CONNECTIONS]

Sends CONNECTIONS (default 2000) broken openings of many kinds, while a well-behaved client runs simple queries on a
connection of its own and checks every answer. Prints `ok NAME` or `FAILED NAME: why`; exit status 1 after a failure.
"""
import random
import socket
import struct
import sys
import threading

PORT, DATABASE = int(sys.argv[1]), sys.argv[2]
CONNECTIONS = int(sys.argv[3]) if len(sys.argv) > 3 else 2000


def packet(code, body=b""):
    return struct.pack("!ii", len(body) + 8, code) + body


def start_up(user, database=None, **more):
    pairs = {"user": user, "database": database or DATABASE, **more}
    body = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in pairs.items()) + b"\0"
    return packet(196608, body)


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
    "an unknown user": start_up("nobody_knows_me"),
    "an unknown parameter": start_up("postgres", flavour="plain"),
    "a tls hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "bytes behind SSLRequest": packet(80877103) + start_up("postgres"),
    "a cancel of nobody": packet(80877102, struct.pack("!ii", 4711, 4711)),
    "half a message": start_up("postgres")[:9],
    "nothing": b"",
    "an unknown message": start_up("postgres") + b"\x01\x00\x00\x00\x04",
    "a bad message length": start_up("postgres") + b"Q\x00\x00\x00\x01",
}


def send_bad(rng):
    name = rng.choice(list(OPENINGS))
    with socket.create_connection(("127.0.0.1", PORT), timeout=10) as s:
        s.sendall(OPENINGS[name])
        if rng.random() < 0.7 and name not in ("half a message", "nothing"):
            s.settimeout(10)
            while s.recv(4096):    # the proxy must close by itself
                pass


class Session:
    """The least of a client: start-up by trust, simple queries."""

    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", PORT), timeout=30)
        self.file = self.socket.makefile("rb")
        self.socket.sendall(start_up("postgres"))
        self.until_ready()

    def until_ready(self):
        rows = []
        while True:
            kind, length = struct.unpack("!ci", self.file.read(5))
            body = self.file.read(length - 4)
            if kind == b"E":
                raise AssertionError(body)
            if kind == b"D":
                rows.append(body[6:])
            if kind == b"Z":
                return rows

    def query(self, sql):
        body = sql.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)
        return self.until_ready()


def main():
    stop, problems, answered = threading.Event(), [], [0]

    def work():
        try:
            session = Session()
            while not stop.is_set():
                number = random.randrange(1 << 30)
                rows = session.query(f"select {number}")
                if rows != [str(number).encode()]:
                    raise AssertionError(f"asked for {number}, got {rows}")
                answered[0] += 1
        except Exception as error:    # told at the end
            problems.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    rng, errors = random.Random(1), []
    for _ in range(CONNECTIONS):
        try:
            send_bad(rng)
        except (ConnectionResetError, BrokenPipeError):
            pass                      # refused while we were still sending
        except Exception as error:
            errors.append(error)
    stop.set()
    for worker in workers:
        worker.join()
    report("every broken opening is answered or closed", errors[:1])
    report(f"well-behaved clients notice nothing ({answered[0]} answers)", problems[:1] or (answered[0] == 0 and ["no answer"]))
    sys.exit(1 if errors or problems else 0)


def report(name, trouble):
    print(f"FAILED {name}: {trouble[0]!r}" if trouble else f"ok {name}")


main()
