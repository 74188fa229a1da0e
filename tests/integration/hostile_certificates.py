#!/usr/bin/env python3
"""Certificates that are no good, on both legs (hostile.sh).

usage: hostile_certificates.py PROXY_PORT POSTGRES_PORT PROXY_PID PROXY_LOG CERTIFICATES FAKE_SERVER_PORTS...
"""
import os
import re
import socket
import ssl
import sys
import threading
import time

from checks import check, eventually, finish, resident_kib
from proxy_file import outcome
from raw_client import RawClient, packet, start_up

PROXY, POSTGRES, PID = map(int, sys.argv[1:4])
LOG, CERTS = sys.argv[4:6]
FAKES = list(map(int, sys.argv[6:]))
TIMES = 3          # each kind of handshake
ATTEMPTS_MAX = 8   # of a pool in three seconds: after 0.25, 0.5, 1 … s
KIB_MORE = 4096    # what a leg may cost, contexts and caches of TLS included
SERVER_DOWN = "57P03 client_login_timeout (server down)"
CACHED = "57P03 server login has been failing, cached error: "
ADMIN = RawClient(("127.0.0.1", PROXY), "postgres", "pgbouncer")


def log_since(place):
    with open(LOG, encoding="utf-8", errors="replace") as log:
        log.seek(place)
        return log.read()


def log_end():
    return os.path.getsize(LOG)


# --- the client leg ---

CLIENTS = {    # what the client hears (TLS has its own words), what the log says
    "spoiled_alice": ("DECRYPT_ERROR|DECRYPTION_FAILED|BAD_CERTIFICATE", "certificate signature failure"),
    "old_alice": ("CERTIFICATE_EXPIRED", "certificate has expired"),
    "foreign_alice": ("UNKNOWN_CA", "unable to get local issuer certificate"),
    "none": ("CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE", "peer did not return a certificate"),
    "alice": ("served", None),
}


def shown_to_proxy(name, version):
    its = ssl.create_default_context(cafile=f"{CERTS}/ca.crt")
    its.maximum_version = version
    if name != "none":
        its.load_cert_chain(f"{CERTS}/{name}.crt", f"{CERTS}/{name}.key")
    plain = socket.create_connection(("127.0.0.1", PROXY), timeout=15)
    plain.sendall(packet(80877103))
    plain.recv(1)
    try:
        with its.wrap_socket(plain, server_hostname="localhost") as wire:
            wire.sendall(start_up("postgres", "postgres"))
            return "served" if wire.recv(1) == b"R" else "not welcome"
    except (ssl.SSLError, ConnectionError) as error:
        return str(error)


def client_leg():
    shown_to_proxy("alice", ssl.TLSVersion.TLSv1_3)
    before = resident_kib(PID)
    for mode in ("verify-ca", "verify-full"):
        ADMIN.query(f"SET client_tls_sslmode = '{mode}'")
        for name, (heard, line) in CLIENTS.items():
            place = log_end()
            outcomes = [shown_to_proxy(name, version) for _ in range(TIMES) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]
            wrong = [one for one in outcomes if not re.search(heard, one)]
            check(f"{mode}: the client with certificate {name} hears {heard}", not wrong, wrong[:1])
            if line:
                def lines():
                    return re.findall(rf"WARNING C-.*TLS handshake error: .*{line}", log_since(place))
                check(f"{mode}: one log line for each ({line})", eventually(lambda: len(lines()) >= 2 * TIMES) and len(lines()) == 2 * TIMES, log_since(place)[-500:])
    ADMIN.query("SET client_tls_sslmode = 'prefer'")
    more = resident_kib(PID) - before
    check(f"bad certificates of clients cost {more} KiB, at most {KIB_MORE}", more <= KIB_MORE)


# --- the server leg ---

SERVERS = {
    "spoiled_here": "certificate signature failure",
    "old": "certificate has expired",
    "elsewhere": 'it is not for host "127.0.0.1"',
    "foreign_here": "unable to get local issuer certificate",
}


def postgres_shows(name):
    direct = RawClient(("127.0.0.1", POSTGRES), "postgres", "postgres")
    direct.query(f"alter system set ssl_cert_file = '{CERTS}/{name}.crt'")
    direct.query(f"alter system set ssl_key_file = '{CERTS}/{name}.key'")
    direct.query("select pg_reload_conf()")
    time.sleep(0.3)


def client(database):
    return RawClient(("127.0.0.1", PROXY), "postgres", database)


def of_login(database):
    began = time.monotonic()
    try:
        client(database).close()
        return "ok"
    except (RuntimeError, EOFError) as error:
        return str(error) if time.monotonic() - began < 4 else "too late: " + str(error)


class Meanwhile(threading.Thread):
    """A login that goes on beside the caller."""

    def __init__(self, database):
        super().__init__()
        self.database, self.outcome = database, ""
        self.start()

    def run(self):
        self.outcome = of_login(self.database)

    def result(self):
        self.join()
        return self.outcome


def lines_are_of(text, reason):
    """Every line about a server says why, and those of a pool are no more than attempts can be in this time."""
    lines = re.findall(r"WARNING S-\S+ ([^@]*)@.*", text)
    return lines and all(reason in line for line in re.findall(r"WARNING S-.*", text)) and max(map(lines.count, lines)) <= ATTEMPTS_MAX


def refused_server(name, reason, database):
    """Clients of a pool that never had a server wait their time; those of one that had are told what is wrong."""
    welcome = [client("known") for _ in range(2)]
    welcome[0].query("select 1")
    postgres_shows(name)
    ADMIN.query("RECONNECT known")
    place, login = log_end(), Meanwhile(database)
    first = outcome(welcome[0], "select 1")
    check(f"{name}: who waits for a server hears of it", first.startswith(("53300 query_wait_timeout", CACHED)), first)
    second = outcome(welcome[1], "select 1")
    check(f"{name}: who comes then is told what is wrong", second.startswith(CACHED) and reason in second, second)
    check(f"{name}: a login to a new pool ends", login.result() == SERVER_DOWN, login.outcome)
    check(f"{name}: one log line for each attempt", lines_are_of(log_since(place), reason), log_since(place)[-800:])
    postgres_shows("here")
    check(f"{name}: the pool recovers", eventually(lambda: of_login("known") == "ok"))


# --- servers that speak no TLS after all ---

ANSWERS = {"garbage": b"S" + b"no TLS at all" * 30, "an end": b"S", "a record cut short": b"S\x16\x03\x03\x00\x7a\x02\x00", "neither S nor N": b"T", "silence": b""}


def play(listening, answer):
    while True:
        try:
            with listening.accept()[0] as one:
                one.settimeout(5)
                one.recv(8)
                one.sendall(answer)
                while answer != b"S" and one.recv(4096):
                    pass
        except OSError:
            pass


def broken_servers():
    for port, answer in zip(FAKES, ANSWERS.values(), strict=True):
        threading.Thread(target=play, args=(socket.create_server(("127.0.0.1", port)), answer), daemon=True).start()
    place = log_end()
    logins = [Meanwhile(f"fake{number}") for number in range(len(FAKES))]
    for number, (name, login) in enumerate(zip(ANSWERS, logins)):
        check(f"a server that answers with {name}: its client hears of it", login.result() == SERVER_DOWN, login.outcome)
        about = re.findall(rf"S-\S+ fake{number}/\S+ (?:closing because: .*|TLS handshake error: .*)", log_since(place))
        check(f"a server that answers with {name}: the log says so", about, log_since(place)[-500:])


client_leg()
before = resident_kib(PID)
for number, (certificate, reason) in enumerate(SERVERS.items()):
    refused_server(certificate, reason, f"fresh{number}")
broken_servers()
more = resident_kib(PID) - before
check(f"bad servers cost {more} KiB, at most {KIB_MORE}", more <= KIB_MORE)
finish()
