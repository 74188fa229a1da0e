"""Clients: pgbench, and a raw one for what pgbench cannot ask (large results that are thrown away, thousands of idle
connections)."""

import os
import pathlib
import re
import socket
import ssl
import struct
import subprocess

from comparing import contestants, machine
from comparing.machine import Failed


UNCHECKED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
UNCHECKED.check_hostname, UNCHECKED.verify_mode = False, ssl.CERT_NONE


def pgbench(proxy, *options, user="postgres", pin=True, timeout=600):
    """Runs it and returns how many transactions were done."""
    command = ["pgbench", "-n", "-h", "127.0.0.1", "-p", str(proxy.port), "-U", user, *map(str, options), "bench"]
    environment = {**os.environ, "PGPASSWORD": contestants.PASSWORD, "PGSSLMODE": "require" if proxy.tls else "disable"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout,
                         preexec_fn=machine.pinned(machine.core(1) if pin else None))
    done = re.search(r"^number of transactions actually processed: (\d+)", run.stdout, re.MULTILINE)
    failed = re.search(r"^number of failed transactions: (\d+)", run.stdout, re.MULTILINE)
    if run.returncode or not done or (failed and failed.group(1) != "0"):
        raise Failed(f"{' '.join(command)}: {run.stderr.strip()[-400:]}")
    return int(done.group(1))


def latencies(folder, proxy, *options):
    """Each transaction's microseconds, from when it was due to its end, sorted."""
    for old in pathlib.Path(folder).glob("latency.*"):
        old.unlink()
    pgbench(proxy, "-l", f"--log-prefix={folder}/latency", *options)
    values = []
    for log in pathlib.Path(folder).glob("latency.*"):
        values += [int(line.split()[2]) for line in log.read_text().splitlines()]
    return sorted(values)


def log_in(port, source="127.0.0.1", user=b"postgres", database=b"bench", tls=False, statement=None):
    """A socket after a trusted login, at ReadyForQuery."""
    client = socket.socket()
    client.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: the port is chosen at connect
    client.bind((source, 0))
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    if tls:
        client.sendall(struct.pack("!ii", 8, 80877103))
        if client.recv(1) != b"S":
            raise Failed("no TLS")
        client = UNCHECKED.wrap_socket(client)
    body = struct.pack("!i", 196608) + b"user\0" + user + b"\0database\0" + database + b"\0\0"
    client.sendall(struct.pack("!i", len(body) + 4) + body)
    read_to_ready(client)
    if statement:
        parts = [b"P", b"one\0" + statement.encode() + b"\0\0\0", b"B", b"\0one\0\0\0\0\0\0\0", b"E", b"\0\0\0\0\0", b"S", b""]
        client.sendall(b"".join(kind + struct.pack("!i", len(body) + 4) + body for kind, body in zip(parts[::2], parts[1::2])))
        read_to_ready(client)
    return client


def read_to_ready(client):
    received = b""
    while not received.endswith(b"Z\0\0\0\5I"):
        part = client.recv(65536)
        if not part:
            raise Failed(f"the connection ended: {received!r}")
        received += part


def drain_result(client, sql):
    """Sends a query and throws its result away; how many bytes came."""
    client.sendall(b"Q" + struct.pack("!i", len(sql) + 5) + sql + b"\0")
    buffer, total, tail = memoryview(bytearray(1 << 20)), 0, b""
    while not tail.endswith(b"Z\0\0\0\5I"):
        size = client.recv_into(buffer)
        if size == 0:
            raise Failed("the connection ended inside a result")
        total += size
        tail = (tail + bytes(buffer[max(0, size - 6):size]))[-6:]
    return total


class IdleClients:
    """Many logged-in clients that do nothing. At most 4,500 for each source address: beyond some 14,000 the search for a
    free port becomes slow."""

    def __init__(self, port, count, **how):
        self.sockets = []
        try:
            for number in range(count):
                self.sockets.append(log_in(port, f"127.0.0.{2 + number // 4500}", **how))
        except BaseException:
            self.close()
            raise

    def close(self):
        for client in self.sockets:
            client.close()
        self.sockets = []
