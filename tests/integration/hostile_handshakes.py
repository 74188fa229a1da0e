#!/usr/bin/env python3
"""Clients whose handshake stops, or turns into plain text (hostile.sh).

usage: hostile_handshakes.py PROXY_PORT POSTGRES_PORT PROXY_PID PROXY_LOG CERTIFICATES
"""
import os
import random
import socket
import ssl
import sys
import time

from checks import check, eventually, finish, received_until_end, resident_kib
from raw_client import RawClient, message, packet, start_up

PROXY, PID, LOG = int(sys.argv[1]), int(sys.argv[3]), sys.argv[4]
CA = f"{sys.argv[5]}/ca.crt"
STOPPED = 300                    # clients at once
LOGIN_TIMEOUT = 2
KIB_MORE = 128 * STOPPED         # while they are there: what an OpenSSL connection in its handshake takes
KIB_AGAIN = 8192                 # when as many come again: what the first took is there for them
START_UP = start_up("postgres", "postgres")


def connect(first=b""):
    opened = socket.create_connection(("127.0.0.1", PROXY), timeout=15)
    opened.sendall(first)
    return opened


def asked():
    plain = connect(packet(80877103))
    assert plain.recv(1) == b"S"
    return plain


def hello():
    outgoing = ssl.MemoryBIO()
    try:
        ssl.create_default_context(cafile=CA).wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


def until_the_end(plain):
    """What comes before it; None: no end comes."""
    try:
        return received_until_end(plain)
    except TimeoutError:
        return None


def log_text(place):
    with open(LOG, encoding="utf-8", errors="replace") as log:
        log.seek(place)
        return log.read()


def stopped_handshakes(kib_more):
    rng, whole = random.Random(4), hello()
    before, place = resident_kib(PID), os.path.getsize(LOG)
    stuck = []
    for _ in range(STOPPED):
        stuck.append(asked())
        stuck[-1].sendall(whole[: rng.randrange(len(whole) + 1)])
    most, all_stuck = resident_kib(PID) - before, time.monotonic()
    answers = [until_the_end(one) for one in stuck]
    took = time.monotonic() - all_stuck
    check(f"{STOPPED} handshakes that stop end by client_login_timeout", None not in answers and took < LOGIN_TIMEOUT + 6, took)
    check("nothing in plain text is said behind the S", not any(answer.startswith(b"E") for answer in answers))
    check(f"they cost {most} KiB, at most {kib_more}", most <= kib_more)
    check("the log says of each why it was closed", eventually(lambda: log_text(place).count("client_login_timeout") >= STOPPED), log_text(place)[-300:])


def plain_text():
    whole = hello()
    query = message(b"Q", b"select 1\0")
    before_s = connect(packet(80877103) + whole)
    got = until_the_end(before_s)
    check("a handshake that does not wait for the S is refused", got is not None and b"received unencrypted data after SSL request" in got, got)
    in_pieces = connect(packet(80877103)[:5])
    time.sleep(0.1)
    in_pieces.sendall(packet(80877103)[5:] + START_UP)
    got = until_the_end(in_pieces)
    check("so is a start-up packet behind the second half of a request", got is not None and b"received unencrypted data after SSL request" in got, got)
    for name, first in (("a start-up packet", START_UP), ("a query", query), ("half a handshake, then a start-up packet", whole[:100] + START_UP),
                        ("a handshake, then a start-up packet", whole + START_UP), ("a cancel request", packet(80877102, bytes(8))),
                        ("a second request for TLS", packet(80877103))):
        plain = asked()
        plain.sendall(first)
        got = until_the_end(plain)
        check(f"{name} in plain text behind the S ends it, unanswered",
              got is not None and got[:1] in (b"", b"\x15", b"\x16") and b"R\0\0\0\x08" not in got, got)


def plain_text_in_a_session():
    plain = asked()
    with ssl.create_default_context(cafile=CA).wrap_socket(plain.dup(), server_hostname="localhost") as wire:
        wire.sendall(START_UP)
        wire.settimeout(15)
        got = b""
        while not got.endswith(b"Z\0\0\0\5I"):
            got += wire.recv(65536)
        plain.sendall(message(b"Q", b"select 1\0"))
        got = until_the_end(plain)
        check("a query in plain text in a session of TLS ends it, unanswered", got is not None and b"select" not in got and b"T\0" not in got[:2], got)


def others_are_served():
    check("others are served", RawClient(("127.0.0.1", PROXY), "postgres", "postgres").query("select 1") == [["1"]])


stopped_handshakes(KIB_MORE)
stopped_handshakes(KIB_AGAIN)
plain_text()
plain_text_in_a_session()
others_are_served()
finish()
