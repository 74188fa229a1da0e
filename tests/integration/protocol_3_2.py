"""Protocol versions by hand: the same bytes as PostgreSQL 18, cancel keys of each length, servers that know 3.0 alone.

  protocol_3_2.py PROXY_PORT PORT_OF_18 OLD_PORT MUTE_PORT
"""
import socket
import struct
import sys
import threading
import time

from checks import check, finish
from raw_client import RawClient, message, packet, receive

proxy_port, port_18, old_port, mute_port = map(int, sys.argv[1:5])
CANCEL_REQUEST = 80877102


def client(database, version=(3, 0), port=proxy_port, **more):
    return RawClient(("127.0.0.1", port), "postgres", database, version=version, **more)


def negotiation(port, database, version, **more):
    found = client(database, version, port, **more)
    found.close()
    return found.negotiated, len(found.key)


def same_as_postgres():
    for version in ((3, 0), (3, 1), (3, 2), (3, 3), (3, 9999)):
        for options in ({}, {"_pq_.unknown": "1"}, {"_pq_.one": "", "_pq_.two": "x"}):
            ours = negotiation(proxy_port, "pg18", version, **options)
            theirs = negotiation(port_18, "postgres", version, **options)
            check(f"{version[0]}.{version[1]} with {len(options)} options: as PostgreSQL 18", ours == theirs, f"{ours} {theirs}")


def send_cancel(key):
    with socket.create_connection(("127.0.0.1", proxy_port), timeout=10) as connection:
        connection.sendall(packet(CANCEL_REQUEST, key))
        return connection.recv(1)    # closed, without an answer


def begin_sleep(session, seconds=20):
    session.send(f"select pg_sleep({seconds})")
    time.sleep(0.3)    # a cancel for a client whose request is not there yet is dropped, as it should be


def end_of(session):
    try:
        session.rows()
        return "slept"
    except RuntimeError as error:
        return str(error)[:5]


def cancels():
    for version, key_bytes in (((3, 0), 8), ((3, 2), 36)):
        for database in ("installed", "pg18"):
            session = client(database, version)
            begin_sleep(session)
            answer = send_cancel(session.key)
            name = f"{version[0]}.{version[1]} client, {database} server"
            check(f"{name}: the key's length", len(session.key) == key_bytes, len(session.key))
            check(f"{name}: a cancel ends the statement", answer == b"" and end_of(session) == "57014")
            check(f"{name}: and the session goes on", session.query("select 1") == [["1"]])
            session.close()


def keys_that_do_not_fit():
    session = client("pg18", (3, 2))
    key = session.key
    begin_sleep(session, 2)
    for name, wrong in (("cut to 3.0's length", key[:8]), ("one byte short", key[:-1]), ("one byte long", key + b"k"),
                        ("one bit off", key[:-1] + bytes([key[-1] ^ 1])), ("without a secret", key[:4]), ("of 257 bytes", key[:4] + b"k" * 257)):
        check(f"a key {name}: closed without an answer", send_cancel(wrong) == b"")
    check("none of them cancels anything", end_of(session) == "slept")
    session.close()


class OldServer(threading.Thread):
    """Speaks 3.0; hears of a newer version with an error, or hangs up without a word."""

    def __init__(self, port, is_mute):
        super().__init__(daemon=True)
        self.is_mute, self.asked = is_mute, []
        self.listener = socket.create_server(("127.0.0.1", port))

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            length, version = struct.unpack("!ii", stream.read(8))
            stream.read(length - 8)
            if version == 80877103:
                connection.sendall(b"N")
                length, version = struct.unpack("!ii", stream.read(8))
                stream.read(length - 8)
            self.asked.append((version >> 16, version & 0xFFFF))
            if version != 196608:
                if not self.is_mute:
                    connection.sendall(message(b"E", b"SFATAL\0C0A000\0Munsupported frontend protocol\0\0"))
                return
            connection.sendall(message(b"R", bytes(4)) + message(b"S", b"server_version\x009.0\0")
                               + message(b"K", b"\0\0\0\7abcd") + message(b"Z", b"I"))
            while receive(stream)[0] == b"Q":
                connection.sendall(message(b"C", b"BEGIN\0") + message(b"Z", b"T"))


def old_servers():
    for database, port, is_mute in (("old", old_port, False), ("mute", mute_port, True)):
        server = OldServer(port, is_mute)
        server.start()
        first, second = client(database), client(database, (3, 2))
        for session in (first, second):
            session.send("begin")    # in a transaction for good: one server each
        check(f"{database}: its first client meets no error", first.rows() == [] and second.rows() == [])
        check(f"{database}: is asked for 3.2 once, then for 3.0 alone", server.asked == [(3, 2), (3, 0), (3, 0)], server.asked)
        first.close()
        second.close()


same_as_postgres()
cancels()
keys_that_do_not_fit()
old_servers()
finish()
