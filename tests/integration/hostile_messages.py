#!/usr/bin/env python3
"""Messages that do not add up, and names of a megabyte: PostgreSQL's own answer, and the session goes on (hostile.sh).

usage: hostile_messages.py PROXY_PORT POSTGRES_PORT PROXY_PID
"""
import struct
import sys

from checks import check, eventually, finish, resident_kib
from raw_client import RawClient, error_text, message

PROXY, POSTGRES, PID = map(int, sys.argv[1:4])
SYNC, EXECUTE = message(b"S", b""), message(b"E", b"\0\0\0\0\0")
MEGABYTE = 1 << 20
KIB_MORE = 48 * 1024    # while a client has names of ten megabytes in all, kept here and on their way
KIB_LEFT = 24 * 1024    # when it has gone: free, but not given back to the system


def client(port, database="postgres"):
    return RawClient(("127.0.0.1", port), "postgres", database)


def said(one, data):
    """The types of the messages of the answer, an error with its SQLSTATE; `closed` if the session ends."""
    told = []
    try:
        one.socket.sendall(data)
        for kind, body in one.messages():
            told.append("E " + error_text(body)[:5] if kind == b"E" else kind.decode())
    except (EOFError, ConnectionError):
        told.append("closed")
    return [kind for kind in told if kind not in ("S", "N")]


def parse(name, sql="select $1::int, $2::text"):
    return message(b"P", name + b"\0" + sql.encode() + b"\0\0\0")


def shorts(*values):
    return struct.pack(f"!{len(values)}H", *values)


def value(text):
    return struct.pack("!i", len(text)) + text


def bind(rest, name=b"two", portal=b""):
    return message(b"B", portal + b"\0" + name + b"\0" + rest)


TWO = value(b"1") + value(b"x")
BINDS = {
    "more formats than values": shorts(5, 0, 0, 0, 0, 0, 2) + TWO + shorts(0),
    "a format that is none": shorts(1, 77, 2) + TWO + shorts(0),
    "more values than parameters": shorts(0, 3) + TWO + value(b"y") + shorts(0),
    "fewer values than parameters": shorts(0, 1) + value(b"1") + shorts(0),
    "no values": shorts(0, 0, 0),
    "65,535 values announced": shorts(0, 65535) + TWO + shorts(0),
    "65,535 formats announced": shorts(65535, 0, 2) + TWO + shorts(0),
    "65,535 values that are there": shorts(0, 65535) + value(b"1") * 65535 + shorts(0),
    "a value longer than the message": shorts(0, 2) + value(b"1") + struct.pack("!i", 1000) + b"x" + shorts(0),
    "a value of 2 GB": shorts(0, 2) + value(b"1") + struct.pack("!i", 0x7FFFFFFF) + b"x" + shorts(0),
    "a value of length -2": shorts(0, 2) + value(b"1") + struct.pack("!i", -2) + shorts(0),
    "more result formats than columns": shorts(0, 2) + TWO + shorts(3, 0, 0, 0),
    "65,535 result formats announced": shorts(0, 2) + TWO + shorts(65535, 0),
    "bytes left over": shorts(0, 2) + TWO + shorts(0) + b"more",
    "an end in the counts": b"\0",
    "nothing behind the names": b"",
}


def counts_that_do_not_fit():
    for name, rest in BINDS.items():
        for prepared in (b"two", b""):
            data = parse(prepared) + bind(rest, prepared) + EXECUTE + SYNC
            through, direct = client(PROXY), client(POSTGRES)
            wanted, got = said(direct, data), said(through, data)
            what = f"a Bind of {'a named' if prepared else 'the unnamed'} statement with {name}"
            check(f"{what}: as PostgreSQL says ({' '.join(wanted)})", got == wanted, got)
            if "closed" not in got:
                check("… and the session goes on", through.query("select 1") == [["1"]])
            through.close()
            direct.close()


def big(letter):
    return letter * MEGABYTE


def long_names():
    """More than PostgreSQL itself takes, but for Parse and Bind."""
    before = resident_kib(PID)
    through = client(PROXY)
    name, other = big(b"n"), big(b"o")
    value_two = shorts(0, 2) + TWO + shorts(0)
    for what, data, wanted in (
            ("Parse", parse(name), "1 Z"), ("Parse again", parse(name), "E 42P05 Z"), ("Describe", message(b"D", b"S" + name + b"\0"), "t T Z"),
            ("Bind", bind(value_two, name) + EXECUTE, "2 D C Z"), ("Bind of an unknown one", bind(value_two, other), "E 26000 Z"),
            ("Close of an unknown one", message(b"C", b"S" + other + b"\0"), "3 Z"), ("Close", message(b"C", b"S" + name + b"\0"), "3 Z"),
            ("Bind after Close", bind(value_two, name), "E 26000 Z")):
        got = " ".join(said(through, data + SYNC))
        check(f"a name of 1 MB, {what}: {wanted}", got == wanted, got)
    for number in range(10):
        said(through, parse(big(b"%d" % number)) + SYNC)
    most = resident_kib(PID) - before
    check("… and the session goes on", through.query("select 1") == [["1"]])
    check(f"names of 1 MB cost {most} KiB, at most {KIB_MORE}", most <= KIB_MORE)
    through.close()
    check(f"… and {KIB_LEFT} KiB of it stay at most", eventually(lambda: resident_kib(PID) - before <= KIB_LEFT), resident_kib(PID) - before)


def what_postgresql_ends_a_session_for():
    """Names that only it knows: it takes no such message, so a server connection goes with the session, and nobody else."""
    other = big(b"o")
    for what, data in (("Bind and Execute of a portal", parse(b"two") + bind(shorts(0, 2) + TWO + shorts(0), b"two", other) + message(b"E", other + b"\0\0\0\0\0")),
                       ("Execute", message(b"E", other + b"\0\0\0\0\0")), ("Describe of a portal", message(b"D", b"P" + other + b"\0")),
                       ("Close of a portal", message(b"C", b"P" + other + b"\0")), ("Describe of an unknown statement", message(b"D", b"S" + other + b"\0"))):
        direct, through = said(client(POSTGRES), data + SYNC), said(client(PROXY), data + SYNC)
        check(f"a name of 1 MB, {what}: PostgreSQL closes, the client is told", direct[-1] == "closed" and through[-2:] == ["E 08006", "closed"], (direct, through))


def long_names_that_postgresql_takes():
    """It ends a session for 10,000 bytes and more of an Execute, Describe or Close; a Bind may name anything."""
    other, longest = big(b"o"), b"o" * 9991
    bound = parse(b"two") + bind(shorts(0, 2) + TWO + shorts(0), b"two", other)
    for what, data in (("1 MB, Bind of a portal", bound), ("1 MB, Bind of a portal, Execute by its first letters", bound + message(b"E", b"o" * 63 + b"\0\0\0\0\0")),
                       ("9,991 bytes, Execute", message(b"E", longest + b"\0\0\0\0\0")), ("9,991 bytes, Describe of a portal", message(b"D", b"P" + longest + b"\0")),
                       ("9,991 bytes, Describe of an unknown statement", message(b"D", b"S" + longest + b"\0")), ("9,991 bytes, Close of a portal", message(b"C", b"P" + longest + b"\0"))):
        through = client(PROXY)
        wanted, got = said(client(POSTGRES), data + SYNC), said(through, data + SYNC)
        check(f"a name of {what}: as PostgreSQL says ({' '.join(wanted)})", got == wanted and got[-1] == "Z", got)
        check("… and the session goes on", through.query("select 1") == [["1"]])


CONSOLE = ["SHOW 'CLIENTS", 'SHOW "CLIENTS', "SET verbose = '1", "PAUSE 'a''", "KILL '", "KILL_CLIENT '0x1", "RELOAD '", "'", '"', "SHOW CLIENTS; SHOW 'x",
           "SET verbose = '" + "x" * 1000]


def console_commands():
    before = resident_kib(PID)
    admin = client(PROXY, "pgbouncer")
    verbose = dict(row[:2] for row in admin.query("SHOW CONFIG"))["verbose"]
    for sql in CONSOLE:
        data = sql.encode() + b"\0"
        for how, sent in (("Query", message(b"Q", data)), ("Parse", message(b"P", b"\0" + data + b"\0\0") + bind(shorts(0, 0, 0), b"") + EXECUTE + SYNC)):
            got = said(admin, sent)
            check(f"the console is told {sql[:30]} by {how}: an error", any(kind.startswith("E 08P01") or kind.startswith("E 42601") for kind in got) and got[-1] == "Z", got)
    check("… and nothing of it was done", dict(row[:2] for row in admin.query("SHOW CONFIG"))["verbose"] == verbose)
    got = said(admin, message(b"Q", b"SET verbose = '" + b"x" * MEGABYTE + b"\0"))
    check("a command of 1 MB ends the console that sent it", got in (["E 08P01", "closed"], ["closed"]), got)    # its words may be lost, since not all was read
    most = resident_kib(PID) - before
    check(f"broken commands cost {most} KiB, at most {KIB_LEFT}", most <= KIB_LEFT)


counts_that_do_not_fit()
long_names()
what_postgresql_ends_a_session_for()
long_names_that_postgresql_takes()
console_commands()
finish()
