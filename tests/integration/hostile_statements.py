#!/usr/bin/env python3
"""Clients that prepare statements without end, each another one (hostile.sh).

usage: hostile_statements.py PROXY_PORT POSTGRES_PORT PROXY_PID STATEMENTS
"""
import collections
import struct
import sys

from checks import check, eventually, finish, resident_kib
from raw_client import RawClient, error_text, message

PROXY, PID, STATEMENTS = int(sys.argv[1]), int(sys.argv[3]), int(sys.argv[4])    # in all
BATCH = 500
KEPT_MAX = 65536                    # statements of one client, docs/prepared_statements.md
KIB_OF_ALL = 96 * 1024              # that many, with their texts and names
KIB_OF_FEW = 8 * 1024               # where at most max_prepared_statements are kept on each server
KIB_LEFT = 24 * 1024                # when the client has gone: free, but not given back to the system
SYNC, EXECUTE = message(b"S", b""), message(b"E", b"\0\0\0\0\0")
UNNAMED_BIND = message(b"B", b"\0\0\0\0\0\0\0\0")


def parse(name, number, kind):
    return message(b"P", name + b"\0" + f"select {number} as of_{kind} -- {'pad' * 20}".encode() + b"\0\0\0")


def kept(number):
    return parse(b"kept_%d" % number, number, "kept") + SYNC


def closed(number):
    name = b"closed_%d" % number
    return parse(name, number, "closed") + message(b"C", b"S" + name + b"\0") + SYNC


def run_and_closed(number):
    name = b"run_%d" % number
    return parse(name, number, "run") + message(b"B", b"\0" + name + b"\0\0\0\0\0\0\0") + EXECUTE + message(b"C", b"S" + name + b"\0") + SYNC


def unnamed(number):
    return parse(b"", number, "unnamed") + SYNC


def unnamed_and_run(number):
    return parse(b"", number, "unnamed_run") + UNNAMED_BIND + EXECUTE + SYNC


class Flood:
    """What one client was told: how often each type of message came, and each error."""

    def __init__(self, make, statements):
        self.make, self.statements = make, statements
        self.counts, self.errors = collections.Counter(), collections.Counter()
        self.client = RawClient(("127.0.0.1", PROXY), "postgres", "postgres")
        self.before = self.highest = resident_kib(PID)

    def run(self):
        for first in range(0, self.statements, BATCH):
            end = min(first + BATCH, self.statements)
            self.client.socket.sendall(b"".join(map(self.make, range(first, end))))
            self.read_until(end)
            if first % (10 * BATCH) == 0:
                self.highest = max(self.highest, resident_kib(PID))
        self.highest = max(self.highest, resident_kib(PID))

    def read_until(self, series):
        counts, rest = self.counts, b""
        while counts[90] < series:
            data = self.client.socket.recv(1 << 18)
            if not data:
                raise EOFError("closed by the proxy")
            data, at = rest + data, 0
            while at + 5 <= len(data):
                kind, length = struct.unpack_from("!Bi", data, at)
                if at + 1 + length > len(data):
                    break
                counts[kind] += 1
                if kind == 69:
                    self.errors[error_text(data[at + 5:at + 1 + length])[:5]] += 1
                at += 1 + length
            rest = data[at:]

    def more(self):
        return self.highest - self.before

    def leave(self):
        self.client.close()
        left = eventually(lambda: resident_kib(PID) - self.before <= KIB_LEFT, 5)
        check(f"… and {KIB_LEFT} KiB of it stay at most when it has gone", left, resident_kib(PID) - self.before)


def never_closed(statements):
    flood = Flood(kept, statements)
    flood.run()
    refused = max(0, statements - KEPT_MAX)
    check(f"{statements} statements that are never closed: {KEPT_MAX} are taken, {refused} get 54000",
          flood.counts[ord("1")] == statements - refused and dict(flood.errors) == ({"54000": refused} if refused else {}), (flood.counts, flood.errors))
    check("… the session goes on", flood.client.query("select 1") == [["1"]])
    check(f"… they cost {flood.more()} KiB, at most {KIB_OF_ALL}", flood.more() <= KIB_OF_ALL)
    flood.leave()


def taken(statements, what, make, kind):
    flood = Flood(make, statements)
    flood.run()
    check(f"{statements} {what}: each is answered", flood.counts[ord(kind)] == statements and not flood.errors, (flood.counts, flood.errors))
    check("… the session goes on", flood.client.query("select 1") == [["1"]])
    check(f"… they cost {flood.more()} KiB, at most {KIB_OF_FEW}", flood.more() <= KIB_OF_FEW)
    flood.leave()


never_closed(STATEMENTS * 7 // 10)
taken(STATEMENTS * 3 // 40, "named statements, each closed", closed, "3")
taken(STATEMENTS * 3 // 40, "named statements, each run and closed", run_and_closed, "D")
taken(STATEMENTS * 3 // 40, "unnamed statements", unnamed, "1")
taken(STATEMENTS * 3 // 40, "unnamed statements, each run", unnamed_and_run, "D")
finish()
