"""PostgreSQL's messages: those of a client made, those of a server put into a line of text each.

What differs from run to run (keys, process ids) is masked here; everything else that a client can see is in the line.
"""
import re
import socket
import struct
import time

from raw_client import Scram, answer, message, packet, start_up

PATIENCE = 20                                      # seconds until an answer counts as missing


def text(value):
    return (value if isinstance(value, bytes) else value.encode()) + b"\0"


def query(sql):
    return message(b"Q", text(sql))


def parse(name, sql, *types):
    return message(b"P", text(name) + text(sql) + struct.pack(f"!h{len(types)}i", len(types), *types))


def bind(portal, statement, *values, formats=(), results=()):
    body = text(portal) + text(statement) + struct.pack(f"!h{len(formats)}h", len(formats), *formats)
    body += struct.pack("!h", len(values))
    for value in values:
        data = None if value is None else str(value).encode()
        body += struct.pack("!i", -1) if data is None else struct.pack("!i", len(data)) + data
    return message(b"B", body + struct.pack(f"!h{len(results)}h", len(results), *results))


def describe_statement(name):
    return message(b"D", b"S" + text(name))


def describe_portal(name):
    return message(b"D", b"P" + text(name))


def execute(portal="", rows=0):
    return message(b"E", text(portal) + struct.pack("!i", rows))


def close_statement(name):
    return message(b"C", b"S" + text(name))


def close_portal(name):
    return message(b"C", b"P" + text(name))


def copy_data(data):
    return message(b"d", data.encode())


def copy_fail(why):
    return message(b"f", text(why))


FLUSH, SYNC, COPY_DONE, TERMINATE = (message(kind, b"") for kind in (b"H", b"S", b"c", b"X"))


def strings(body):
    return [part.decode("utf-8", "replace") for part in body.split(b"\0") if part]


def columns(body):
    shown, at = [], 2
    for _ in range(struct.unpack("!h", body[:2])[0]):
        end = body.index(b"\0", at)
        name, at = body[at:end].decode(), end + 1
        table, number, kind, size, modifier, form = struct.unpack("!ihihih", body[at:at + 18])
        at += 18
        shown.append(f"{name}:{kind}:{size}:{modifier}:{form}" + (f":table.{number}" if table else ""))
    return " ".join(shown)


def row(body):
    count, at, shown = struct.unpack("!h", body[:2])[0], 2, []
    for _ in range(count):
        length = struct.unpack("!i", body[at:at + 4])[0]
        at += 4
        shown.append("NULL" if length < 0 else body[at:at + length].decode("utf-8", "replace"))
        at += max(length, 0)
    return "|".join(shown)


def fields(body):
    shown = [field for field in strings(body) if field[0] not in "LF"]   # line and file of PostgreSQL's source
    return " ".join(f"{field[0]}={field[1:]}" for field in shown)


def numbers(body):
    return " ".join(str(number) for number in struct.unpack(f"!{len(body) // 4}i", body))


def copy_formats(body):
    return f"{body[0]} " + " ".join(str(form) for form in struct.unpack(f"!{(len(body) - 3) // 2}h", body[3:]))


def negotiation(body):
    return f"{struct.unpack('!i', body[:4])[0] & 0xffff} " + " ".join(strings(body[8:]))


SHOWN = {
    b"T": columns, b"D": row, b"E": fields, b"N": fields, b"G": copy_formats, b"H": copy_formats, b"W": copy_formats,
    b"t": lambda body: numbers(body[2:]), b"v": negotiation, b"K": lambda body: f"{len(body)} bytes",
    b"A": lambda body: "PID " + " ".join(strings(body[4:])), b"S": lambda body: "=".join(body.decode().split("\0")[:2]),
    b"R": lambda body: numbers(body[:4]) + "".join(f" {name}" for name in strings(body[4:]) if body[:4] == b"\0\0\0\n"),
    b"d": lambda body: body.decode("utf-8", "replace").rstrip("\n"),
}


def shown(kind, body):
    line = kind.decode() + " " + SHOWN.get(kind, lambda rest: rest.decode("utf-8", "replace").rstrip("\0"))(body)
    return re.sub(r"\bPID \d+|process \d+", "PID", line.strip())


class Connection:
    """A client's connection: what it sends and what it is told, in lines."""

    def __init__(self, port, first=b""):
        self.port, self.first, self.who = port, first, None
        self.begin()

    def begin(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer, self.key, self.ended = b"", b"", False
        self.send(self.first)

    def send(self, *messages):
        try:
            self.socket.sendall(b"".join(messages))
        except OSError:
            pass                                   # the answer says what happened

    def one(self, timeout=PATIENCE):
        """The next message as (kind, body); kind is b"" at the end and None when nothing came."""
        until = time.monotonic() + timeout
        while len(self.buffer) < 5 or len(self.buffer) < 1 + struct.unpack("!i", self.buffer[1:5])[0]:
            self.socket.settimeout(max(0.001, until - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                return None, b""
            except OSError:
                data = b""
            if not data:
                self.ended = True
                return b"", self.buffer
            self.buffer += data
        end = 1 + struct.unpack("!i", self.buffer[1:5])[0]
        kind, body, self.buffer = self.buffer[:1], self.buffer[5:end], self.buffer[end:]
        return kind, body

    def lines(self, ready=1, kinds=b"", timeout=PATIENCE):
        """What comes, up to the ready-th ReadyForQuery or the first message of one of these kinds, or the end."""
        told = []
        while ready or kinds:
            kind, body = self.one(timeout)
            if not kind:
                told.append("(nothing more)" if kind is None else "closed" + (" in a message" if body else ""))
                break
            if kind == b"K":
                self.key = body
            told.append(shown(kind, body))
            ready -= kind == b"Z" and ready > 0
            if kind in kinds or (kind == b"Z" and not ready):
                break
        return told

    def raw(self, count, timeout=PATIENCE):
        """Bytes that are no message yet: the answer to an SSLRequest."""
        self.socket.settimeout(timeout)
        try:
            return self.socket.recv(count).decode("latin-1") or "closed"
        except TimeoutError:
            return "(nothing)"
        except OSError:
            return "closed"

    def begin_again(self):
        """After a close: the same login once more, so that what follows can still be compared."""
        self.socket.close()
        self.begin()
        self.log_in(*self.who)

    def log_in(self, user, password=""):
        """What is told up to the first ReadyForQuery."""
        self.who = user, password
        return self.login_lines(user, Scram(password))

    def login_lines(self, user, scram):
        told = []
        while True:
            kind, body = self.one()
            if not kind:
                return told + ["(nothing more)" if kind is None else "closed"]
            if kind == b"K":
                self.key = body
            if kind != b"R" or body[:4] not in (b"\0\0\0\x0b", b"\0\0\0\x0c"):   # proofs differ each time
                told.append(shown(kind, body))
            if kind == b"Z":
                return told
            if kind == b"R" and (reply := answer(scram, body, user, scram.password.decode())):
                self.send(reply)

    def close(self):
        self.socket.close()


def hello(user, database, **more):
    return start_up(user, database, **more)


def cancel_request(key):
    return packet(80877102, key)
