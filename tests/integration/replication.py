"""Replication by hand: a stream that ends and commands behind it, and one that is not read.

  replication.py PROXY_PORT POSTGRES_PORT PROXY_PID
"""
import sys
import time

from checks import check, finish, resident_kib
from raw_client import RawClient, error_text, message

proxy_port, postgres_port, proxy_pid = map(int, sys.argv[1:4])
HELD_KIB = 2048


def client(port=proxy_port, **start):
    return RawClient(("127.0.0.1", port), "postgres", "postgres", **start)


def begin_stream(stream):
    """Up to the CopyBothResponse."""
    (_, _, start, _), = stream.query("IDENTIFY_SYSTEM")
    stream.send(f"START_REPLICATION PHYSICAL {start}")
    for kind, body in stream.messages():
        if kind == b"E":
            raise RuntimeError(error_text(body))
        if kind == b"W":
            return


def ends_and_goes_on():
    stream = client(replication="true")
    begin_stream(stream)
    stream.socket.sendall(message(b"d", b"r" + bytes(8 * 4) + b"\0") + message(b"c", b""))
    kinds = [kind for kind, _ in stream.messages() if kind != b"d"]
    check("CopyDone ends a stream", kinds == [b"c", b"C", b"C", b"Z"] or kinds == [b"c", b"C", b"Z"], kinds)
    check("and the next command is answered", len(stream.query("IDENTIFY_SYSTEM")) == 1)
    stream.close()


def slow_reader():
    stream = client(replication="true")
    begin_stream(stream)
    direct = client(postgres_port)
    direct.query("create table if not exists bulk (t text)")
    before = highest = resident_kib(proxy_pid)
    for _ in range(12):
        direct.query("insert into bulk select repeat('x', 1000) from generate_series(1, 5000)")
        time.sleep(0.1)
        highest = max(highest, resident_kib(proxy_pid))
    check(f"60 MB of WAL that nobody reads cost {highest - before} KiB, at most {HELD_KIB}", highest - before <= HELD_KIB)
    received = 0
    stream.socket.settimeout(3)
    while received < 50_000_000:
        received += len(stream.socket.recv(1 << 20))
    check("and all of it comes when it is read", received >= 50_000_000)
    stream.close()
    direct.query("drop table bulk")


def lost_in_a_transaction():
    """Its server goes with it, whatever ran there."""
    session = client(replication="database")
    (pid,), = session.query("select pg_backend_pid()")
    session.query("begin")
    session.query("create table never_there ()")
    session.close()
    watcher = client(postgres_port)
    deadline = time.monotonic() + 5
    while watcher.query(f"select count(*) from pg_stat_activity where pid = {pid}") != [["0"]] and time.monotonic() < deadline:
        time.sleep(0.05)
    check("a client lost in a transaction takes its server along", watcher.query(f"select count(*) from pg_stat_activity where pid = {pid}") == [["0"]])
    check("and nothing of it is left", watcher.query("select to_regclass('never_there')") == [[None]])


def terminate_takes_its_turn():
    session = client(replication="database")
    session.query("create table if not exists said (n int)")
    session.socket.sendall(message(b"Q", b"select pg_sleep(0.5)\0") + message(b"Q", b"insert into said values (7)\0") + message(b"X", b""))
    session.close()
    watcher = client(postgres_port)
    deadline = time.monotonic() + 5
    while watcher.query("select count(*) from said where n = 7") != [["1"]] and time.monotonic() < deadline:
        time.sleep(0.05)
    check("what was sent before Terminate is done", watcher.query("select count(*) from said where n = 7") == [["1"]])
    watcher.query("drop table said")


def cut_in_a_message():
    """Nothing may complete it: of `as a1` without its end a Terminate behind it would make `as aX`."""
    long = b"/* " + b"x" * 20000 + b" */ "    # more than is looked at as a whole
    for kind, start in (("a pooled client", {}), ("a replication client", {"replication": "database"})):
        session = client(**start)
        (pid,), = session.query("select pg_backend_pid()")
        session.socket.sendall(message(b"Q", long + b"create table half_said as select 1 as a1\0")[:-2])
        time.sleep(0.2)
        session.close()
        watcher = client(postgres_port)
        deadline = time.monotonic() + 5
        while watcher.query(f"select count(*) from pg_stat_activity where pid = {pid}") != [["0"]] and time.monotonic() < deadline:
            time.sleep(0.05)
        check(f"half a statement of {kind} is never run", watcher.query("select to_regclass('half_said')") == [[None]])
        watcher.query("drop table if exists half_said")


ends_and_goes_on()
slow_reader()
lost_in_a_transaction()
terminate_takes_its_turn()
cut_in_a_message()
finish()
