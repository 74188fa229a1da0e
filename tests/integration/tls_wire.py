#!/usr/bin/env python3
"""TLS on the client leg at the level of bytes: what libpq never does, and what a hostile client would.

usage: tls_wire.py PROXY_PORT CA_FILE CHECK [ARGUMENT]

CHECK is a function's name. Its exception, if there is one, says what is wrong, and the exit status is 1. The proxy must
offer TLS on loopback with auth_type = trust for user postgres.
"""
import socket
import ssl
import struct
import sys
import time

from checks import received_until_end

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
START_UP = struct.pack("!ii", 0, 196608) + b"user\0postgres\0database\0postgres\0\0"
START_UP = struct.pack("!i", len(START_UP)) + START_UP[4:]
TERMINATE = b"X\0\0\0\4"

def context(**options):
    made = ssl.create_default_context(cafile=CA)
    for name, value in options.items():
        setattr(made, name, value)
    return made


def connect():
    opened = socket.create_connection(("127.0.0.1", PORT), timeout=20)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def ask(plain):
    plain.sendall(SSL_REQUEST)
    answer = plain.recv(1)
    if answer != b"S":
        raise AssertionError(f"SSLRequest was answered with {answer!r}")


def tls(its_context=None, direct=False, **options):
    plain = connect()
    if not direct:
        ask(plain)
    return (its_context or context()).wrap_socket(plain, server_hostname="localhost", **options)


class Reader:
    """Messages of the server, one after the other."""

    def __init__(self, wire):
        self.wire, self.bytes = wire, b""

    def exactly(self, size):
        while len(self.bytes) < size:
            more = self.wire.recv(65536)
            if not more:
                raise EOFError("closed by the proxy")
            self.bytes += more
        head, self.bytes = self.bytes[:size], self.bytes[size:]
        return head

    def until_ready(self):
        types = b""
        while not types.endswith(b"Z"):
            kind, length = struct.unpack("!ci", self.exactly(5))
            body = self.exactly(length - 4)
            if kind == b"E":
                raise AssertionError(body.replace(b"\0", b" "))
            types += kind
        return types


def query(sql):
    return b"Q" + struct.pack("!i", len(sql) + 5) + sql.encode() + b"\0"


def log_in(wire):
    wire.sendall(START_UP)
    reader = Reader(wire)
    reader.until_ready()
    return reader


def select_one(wire, reader):
    wire.sendall(query("select 1"))
    assert b"D" in reader.until_ready()


def works():
    with tls() as wire:
        select_one(wire, log_in(wire))


def closed_by_proxy(plain, within=20):
    """What comes before the end."""
    plain.settimeout(within)
    return received_until_end(plain)


# --- checks ---

def direct_tls_with_alpn():
    its = context()
    its.set_alpn_protocols(["postgresql"])
    with tls(its, direct=True) as wire:
        assert wire.selected_alpn_protocol() == "postgresql", wire.selected_alpn_protocol()
        select_one(wire, log_in(wire))


def direct_tls_without_alpn():
    with tls(direct=True) as wire:
        select_one(wire, log_in(wire))


def foreign_alpn_is_refused():
    its = context()
    its.set_alpn_protocols(["http/1.1", "h2"])
    try:
        tls(its, direct=True).close()
    except ssl.SSLError as error:
        assert "no application protocol" in str(error).lower(), error
        return
    raise AssertionError("the handshake succeeded")


def plain_bytes_behind_the_request_are_refused():
    plain = connect()
    plain.sendall(SSL_REQUEST + START_UP)
    got = closed_by_proxy(plain)
    assert b"received unencrypted data after SSL request" in got, got


def plain_start_up_after_the_answer_is_refused():
    plain = connect()
    ask(plain)
    plain.sendall(START_UP)
    got = closed_by_proxy(plain)
    assert b"AuthenticationOk" not in got and b"R\0\0\0\x08" not in got, got
    works()


def client_bytes(its_context):
    """A generator of what a client sends in a whole handshake and login, fed with what the server answers."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    wire = its_context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    while True:
        try:
            wire.do_handshake()
            break
        except ssl.SSLWantReadError:
            incoming.write((yield outgoing.read()))
    wire.write(START_UP)
    yield outgoing.read()


def send_until(limit, its_context):
    """Sends the first `limit` bytes of a handshake and login, then goes. How many there would have been: below limit."""
    plain = connect()
    ask(plain)
    flight, sent = client_bytes(its_context), 0
    data = next(flight)
    while True:
        plain.sendall(data[: limit - sent])
        sent += len(data[: limit - sent])
        if sent == limit:
            break
        try:
            data = flight.send(plain.recv(65536))
        except StopIteration:
            break
    plain.close()
    return sent


def handshakes_cut_at_every_byte():
    for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
        limit = 0
        while send_until(limit, context(maximum_version=version)) == limit:
            limit += 1
        assert limit > 300, limit
        works()


def log_in_by_hand(plain, send, receive):
    ask(plain)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    wire = context().wrap_bio(incoming, outgoing, server_hostname="localhost")

    def with_more(step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                send(outgoing.read())
                received = receive()
                if not received:
                    raise EOFError("closed by the proxy")
                incoming.write(received)

    with_more(wire.do_handshake)
    wire.write(START_UP)
    send(outgoing.read())
    assert with_more(lambda: wire.read(1)) == b"R"


def a_handshake_byte_by_byte():
    plain = connect()

    def send(data):
        for byte in data:
            plain.sendall(bytes([byte]))

    log_in_by_hand(plain, send, lambda: plain.recv(65536))


def an_answer_that_the_socket_does_not_take_at_once():
    """The proxy's certificate is larger than all buffers between it and this client, who is slow to read."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    plain.settimeout(20)
    plain.connect(("127.0.0.1", PORT))

    def send(data):
        plain.sendall(data)
        time.sleep(0.3)

    log_in_by_hand(plain, send, lambda: plain.recv(65536))


def stopped_handshakes_end_at_the_login_timeout():
    stuck = []
    for size in (0, 1, 5, 200):
        plain = connect()
        ask(plain)
        plain.sendall(next(client_bytes(context()))[:size])
        stuck.append(plain)
    began = time.monotonic()
    works()
    assert time.monotonic() - began < 1.5, "others were held up"
    for plain in stuck:
        got = closed_by_proxy(plain)
        assert b"E" not in got, got    # no plain text behind 'S'
    assert 1 < time.monotonic() - began < 10, time.monotonic() - began


def sessions_are_resumed():
    for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
        its = context(maximum_version=version)
        with tls(its) as wire:
            log_in(wire)
            session = wire.session
        with tls(its, session=session) as wire:
            select_one(wire, log_in(wire))
            assert wire.session_reused, version


def an_old_connection_lives_while(argument):
    """ARGUMENT: a command that changes what the proxy shows; a ticket from before must not be good after it."""
    import subprocess
    its = context()
    with tls(its) as old:
        reader = log_in(old)
        shown = old.getpeercert(True)
        session = old.session
        subprocess.run(argument, shell=True, check=True)
        select_one(old, reader)
        with tls(its, session=session) as new:
            select_one(new, log_in(new))
            assert not new.session_reused, "a ticket from before the change was taken"
            assert new.getpeercert(True) != shown, "the old certificate is still shown"
        select_one(old, reader)


def only_the_versions_allowed(argument):
    """ARGUMENT: the only one, e.g. TLSv1_2."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        its = context(minimum_version=version, maximum_version=version)
        try:
            with tls(its) as wire:
                log_in(wire)
            came_through = True
        except ssl.SSLError:
            came_through = False
        assert came_through == (version.name == argument), version


def large_messages_both_ways():
    with tls() as wire:
        reader = log_in(wire)
        text = "x" * 3_000_000
        wire.sendall(query(f"select length('{text}'), repeat('y', 5000000)"))
        assert b"D" in reader.until_ready()


def a_result_nobody_reads_holds_up_nobody():
    with tls() as lazy:
        reader = log_in(lazy)
        lazy.sendall(query("select repeat('z', 10000) from generate_series(1, 5000)"))
        time.sleep(1)
        for _ in range(20):
            works()
        assert reader.until_ready().count(b"D") == 5000


def renegotiation_is_refused(argument):
    """ARGUMENT: the openssl program, which can ask for it."""
    import subprocess
    process = subprocess.Popen([argument, "s_client", "-starttls", "postgres", "-tls1_2", "-connect", f"127.0.0.1:{PORT}"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    time.sleep(1)
    process.stdin.write(b"R\n")
    process.stdin.flush()
    time.sleep(1)
    works()
    process.kill()
    text = process.communicate()[0]
    assert b"RENEGOTIATING" in text and (b"no renegotiation" in text or b"NO_RENEGOTIATION" in text), text[-500:]


PORT, CA = int(sys.argv[1]), sys.argv[2]
globals()[sys.argv[3]](*sys.argv[4:])
