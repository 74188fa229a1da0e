"""The least of a client of PostgreSQL's protocol, and of a look at a process; for the runs of this folder."""
import socket
import struct


def packet(code, body=b""):
    return struct.pack("!ii", len(body) + 8, code) + body


def start_up(user, database, **more):
    pairs = {"user": user, "database": database, **more}
    body = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in pairs.items()) + b"\0"
    return packet(196608, body)


def query_message(sql):
    body = sql.encode() + b"\0"
    return b"Q" + struct.pack("!i", len(body) + 4) + body


def resident_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as maps:    # /proc/PID/status is kept loosely
        return next(int(line.split()[1]) for line in maps if line.startswith("Rss:"))


class Session:
    """Start-up by trust, simple queries; an ErrorResponse is an AssertionError."""

    def __init__(self, port, database, user="postgres"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.file = self.socket.makefile("rb")
        self.socket.sendall(start_up(user, database))
        self.until_ready()

    def until_ready(self):
        rows = []
        while True:
            kind, length = struct.unpack("!ci", self.file.read(5))
            body = self.file.read(length - 4)
            if kind == b"E":
                raise AssertionError(body)
            if kind == b"D":
                rows.append(body[6:])
            if kind == b"Z":
                return rows

    def query(self, sql):
        self.socket.sendall(query_message(sql))
        return self.until_ready()
