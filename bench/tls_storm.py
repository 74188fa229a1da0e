#!/usr/bin/env python3
"""How long do others wait while 300 TLS clients reconnect at once?

usage: tls_storm.py PORT [CLIENTS [ROUNDS]]

PORT is a proxy's on loopback with TLS and auth_type = trust for user postgres. Four clients in processes of their own run
100 `select 1` a second each, over TLS; CLIENTS (300) others prepare a connection, all send their ClientHello at the same
moment, log in and leave, ROUNDS (5) times. Prints the latencies of the four in milliseconds, quiet and in the storms, and
handshakes a second. The figures hold for the machine and what else runs on it: compare runs taken in turn.
"""
import multiprocessing
import os
import selectors
import socket
import ssl
import struct
import sys
import time

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
BODY = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0\0"
START_UP = struct.pack("!i", len(BODY) + 4) + BODY
QUERY = b"Q" + struct.pack("!i", 13) + b"select 1\0"
READY = b"Z\0\0\0\5I"
PORT = int(sys.argv[1])
CLIENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 300
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 5


def unchecked():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def prepared():
    plain = socket.create_connection(("127.0.0.1", PORT), timeout=30)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    plain.sendall(SSL_REQUEST)
    assert plain.recv(1) == b"S"
    return plain


def until_ready(wire):
    got = b""
    while not got.endswith(READY):
        more = wire.recv(65536)
        assert more, "closed"
        got += more


def probe(results, stop):
    wire = unchecked().wrap_socket(prepared())
    wire.sendall(START_UP)
    until_ready(wire)
    times = []
    while not stop.is_set():
        began = time.monotonic()
        wire.sendall(QUERY)
        until_ready(wire)
        times.append((began, time.monotonic() - began))
        time.sleep(0.01)
    results.put(times)


class Reconnecting:
    """One client of the storm, driven by readiness."""

    def __init__(self, its_context):
        self.plain = prepared()
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.wire = its_context.wrap_bio(self.incoming, self.outgoing)
        self.shaken, self.got = False, b""
        self.advance()

    def advance(self):
        try:
            if not self.shaken:
                self.wire.do_handshake()
                self.shaken = True
                self.wire.write(START_UP)
            self.got += self.wire.read(65536)
        except ssl.SSLWantReadError:
            pass

    def send(self):
        if self.outgoing.pending:
            self.plain.sendall(self.outgoing.read())

    def receive(self):
        self.incoming.write(self.plain.recv(65536))
        self.advance()
        self.send()
        return self.got.endswith(READY)


def storm():
    its_context = unchecked()
    clients = [Reconnecting(its_context) for _ in range(CLIENTS)]
    waiting = selectors.DefaultSelector()
    for client in clients:
        waiting.register(client.plain, selectors.EVENT_READ, client)
    time.sleep(0.5)
    began = time.monotonic()
    for client in clients:
        client.send()
    left = len(clients)
    while left:
        for key, _ in waiting.select(30):
            if key.data.receive():
                waiting.unregister(key.fileobj)
                left -= 1
    ended = time.monotonic()
    for client in clients:
        client.plain.close()
    time.sleep(1)
    return began, ended


def show(name, times):
    times = sorted(times)
    at = [times[min(len(times) - 1, int(len(times) * part))] * 1e3 for part in (0.5, 0.99, 1)]
    print(f"{name}: p50 {at[0]:.2f}, p99 {at[1]:.2f}, max {at[2]:.2f} ms of {len(times)}")


def main():
    results, stop = multiprocessing.Queue(), multiprocessing.Event()
    probes = [multiprocessing.Process(target=probe, args=(results, stop)) for _ in range(4)]
    for process in probes:
        process.start()
    time.sleep(3)
    quiet_until = time.monotonic()
    os.nice(19)    # its own handshakes must not keep the four from running
    storms = [storm() for _ in range(ROUNDS)]
    stop.set()
    times = [entry for _ in probes for entry in results.get()]
    show("quiet", [took for began, took in times if began < quiet_until - 0.2])
    show("storm", [took for began, took in times if any(a - 0.05 <= began <= b for a, b in storms)])
    total = sum(b - a for a, b in storms)
    print(f"handshakes and logins a second: {CLIENTS * ROUNDS / total:.0f}")


main()
