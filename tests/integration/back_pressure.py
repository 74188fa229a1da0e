#!/usr/bin/env python3
"""Clients that ask for much and read slowly: the proxy must not keep what they do not take, nor let others wait.

usage: back_pressure.py PROXY_PORT DATABASE PROXY_PID [CLIENTS [SECONDS]]

CLIENTS (64) connections each ask for a result of 200 MB and read 1 MB/s of it for SECONDS (12), while another client
runs simple queries. The proxy's memory may grow by at most 256 KiB for each. Prints `ok NAME` or `FAILED NAME: why`;
exit status 1 after a failure.
"""
import sys
import time

from checks import check, finish, resident_kib
from raw_client import RawClient

PORT, DATABASE, PID = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
CLIENTS = int(sys.argv[4]) if len(sys.argv) > 4 else 64
SECONDS = float(sys.argv[5]) if len(sys.argv) > 5 else 12
KIB_EACH = 256
BYTES_A_SECOND = 1_000_000
TURNS_A_SECOND = 10
BIG = "select repeat('x', 1000) from generate_series(1, 200000)"


def connect():
    return RawClient(("127.0.0.1", PORT), "postgres", DATABASE)


class SlowReader:
    def __init__(self):
        self.client = connect()
        self.received = 0

    def ask(self):
        self.client.send(BIG)
        self.client.socket.setblocking(False)

    def read(self, most):
        try:
            self.received += len(self.client.socket.recv(most))
        except BlockingIOError:
            pass


def main():
    readers = [SlowReader() for _ in range(CLIENTS)]
    other = connect()
    other.query("select 1")
    before = resident_kib(PID)
    for reader in readers:
        reader.ask()
    highest, answers, slowest = before, 0, 0.0
    begin = time.monotonic()
    turn = begin
    while time.monotonic() < begin + SECONDS:
        for reader in readers:
            reader.read(BYTES_A_SECOND // TURNS_A_SECOND)
        asked = time.monotonic()
        if other.query(f"select {answers}") != [[str(answers)]]:
            raise AssertionError("another client got another's answer")
        slowest = max(slowest, time.monotonic() - asked)
        answers += 1
        highest = max(highest, resident_kib(PID))
        turn += 1 / TURNS_A_SECOND
        time.sleep(max(0.0, turn - time.monotonic()))
    least = min(reader.received for reader in readers)
    grown = highest - before
    check(f"{CLIENTS} slow readers of 200 MB cost {grown} KiB, at most {CLIENTS * KIB_EACH}", grown <= CLIENTS * KIB_EACH)
    check(f"each of them was served ({least} bytes or more)", least > 100_000)
    check(f"another client's {answers} queries went on (slowest {slowest * 1000:.0f} ms)", answers > SECONDS and slowest < 5)
    finish()


main()
