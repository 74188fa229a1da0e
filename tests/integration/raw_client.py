"""PostgreSQL's protocol by hand, for what drivers keep to themselves.

`login` says `ok`, or `SQLSTATE message`; `RawClient` is a connection that can be left in the middle of anything.
"""
import base64
import hashlib
import hmac
import os
import select
import socket
import struct


def message(kind, body):
    return kind + struct.pack("!i", len(body) + 4) + body


def packet(code, body=b""):
    return struct.pack("!ii", len(body) + 8, code) + body


def start_up(user, database, version=(3, 0), **more):
    pairs = {"user": user, "database": database, **more}
    return packet(version[0] << 16 | version[1], b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in pairs.items()) + b"\0")


def receive(stream):
    header = stream.read(5)
    if len(header) < 5:
        return b"", b""
    return header[:1], stream.read(struct.unpack("!i", header[1:])[0] - 4)


def error_text(body):
    fields = {field[:1]: field[1:].decode() for field in body.split(b"\0") if field}
    return fields[b"C"] + " " + fields[b"M"]


def md5_answer(user, password, salt):
    inner = hashlib.md5((password + user).encode()).hexdigest()
    return b"md5" + hashlib.md5(inner.encode() + salt).hexdigest().encode()


class Scram:
    def __init__(self, password):
        self.password = password.encode()
        self.bare = b"n=,r=" + base64.b64encode(os.urandom(18))

    def first(self):
        data = b"n,," + self.bare
        return b"SCRAM-SHA-256\0" + struct.pack("!i", len(data)) + data

    def final(self, server_first):
        parts = dict(part.split(b"=", 1) for part in server_first.split(b","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(parts[b"s"]), int(parts[b"i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = b"c=biws,r=" + parts[b"r"]
        signed = b",".join((self.bare, server_first, without_proof))
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        return without_proof + b",p=" + base64.b64encode(proof)


def answer(scram, body, user, password):
    """What to send back to an authentication request; None: nothing."""
    kind, data = struct.unpack("!i", body[:4])[0], body[4:]
    if kind == 3:
        return message(b"p", password.encode() + b"\0")
    if kind == 5:
        return message(b"p", md5_answer(user, password, data) + b"\0")
    if kind == 10:
        return message(b"p", scram.first())
    if kind == 11:
        return message(b"p", scram.final(data))
    return None


def login(port, user, database, password):
    scram = Scram(password)
    with socket.create_connection(("127.0.0.1", port), timeout=15) as connection, connection.makefile("rb") as stream:
        connection.sendall(start_up(user, database))
        while True:
            kind, body = receive(stream)
            if kind == b"E":
                return error_text(body)
            if kind in (b"Z", b""):
                return "ok" if kind else "closed without a word"
            if kind == b"R" and (reply := answer(scram, body, user, password)):
                connection.sendall(reply)


class RawClient:
    """A connection that shows each message, and the descriptors that came with it."""

    def __init__(self, address, user, database, password="", **start):    # `start`: version, further parameters
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.socket.settimeout(15)
        self.socket.connect(address)
        self.buffer, self.descriptors, self.columns, self.notices, self.reported = b"", [], [], [], {}
        self.socket.sendall(start_up(user, database, **start))
        scram = Scram(password)
        self.negotiated = b""
        for kind, body in self.messages():
            if kind == b"v":
                self.negotiated = body
            if kind == b"E":
                raise RuntimeError(error_text(body))
            if kind == b"K":
                self.key = body
            if kind == b"R" and (reply := answer(scram, body, user, password)):
                self.socket.sendall(reply)

    def messages(self):
        """Up to ReadyForQuery."""
        kind = b""
        while kind != b"Z":
            while len(self.buffer) < 5 or len(self.buffer) < 1 + struct.unpack("!i", self.buffer[1:5])[0]:
                data, descriptors, _, _ = socket.recv_fds(self.socket, 65536, 200)
                self.descriptors += descriptors
                if not data:
                    raise EOFError("closed by the proxy")
                self.buffer += data
            end = 1 + struct.unpack("!i", self.buffer[1:5])[0]
            kind, body, self.buffer = self.buffer[:1], self.buffer[5:end], self.buffer[end:]
            if kind == b"N":
                self.notices.append(error_text(body)[6:])
            if kind == b"S":
                name, value = body.split(b"\0")[:2]
                self.reported[name.decode()] = value.decode("utf-8", "replace")
            yield kind, body

    def send(self, sql):
        self.socket.sendall(message(b"Q", sql.encode() + b"\0"))

    def rows(self):
        """The rows of the answer, as lists of text; an error is raised."""
        rows, error = [], None
        try:
            for kind, body in self.messages():
                if kind == b"T":
                    self.columns = [name for name, _ in columns(body)]
                elif kind == b"D":
                    rows.append(values(body))
                elif kind == b"E":
                    error = error_text(body)
        except (EOFError, ConnectionResetError):
            if not error:
                raise
        if error:
            raise RuntimeError(error)
        return rows

    def query(self, sql):
        self.send(sql)
        return self.rows()

    def answers_within(self, seconds):
        return bool(self.buffer) or bool(select.select([self.socket], [], [], seconds)[0])

    def close(self):
        self.socket.close()


def values(body):
    count, at, row = struct.unpack("!h", body[:2])[0], 2, []
    for _ in range(count):
        length = struct.unpack("!i", body[at:at + 4])[0]
        at += 4
        row.append(None if length < 0 else body[at:at + length].decode("utf-8", "replace"))
        at += max(length, 0)
    return row


def columns(body):
    """The names and type OIDs of a RowDescription."""
    at, listed = 2, []
    for _ in range(struct.unpack("!h", body[:2])[0]):
        end = body.index(b"\0", at)
        listed.append((body[at:end].decode(), struct.unpack("!i", body[end + 7:end + 11])[0]))
        at = end + 19
    return listed
