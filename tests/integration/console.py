#!/usr/bin/env python3
"""The console's orders on a running proxy; run as its own OS user (console.sh).

usage: console.py UNIX_SOCKET PROXY_PORT PROXY_PID PROXY_LOG
"""
import os
import signal
import socket
import stat
import struct
import sys
import time

from checks import check, eventually, finish
from raw_client import RawClient

UNIX, PORT, PID, LOG = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]


def client():
    return RawClient(("127.0.0.1", PORT), "postgres", "postgres")


def console():
    return RawClient(("127.0.0.1", PORT), "postgres", "pgbouncer")


def error_of(connection, sql):
    try:
        connection.query(sql)
        return "no error"
    except (RuntimeError, EOFError) as error:
        return str(error)


def log_has(text, times=1):
    with open(LOG, encoding="utf-8") as log:
        return log.read().count(text) >= times


def state(admin):
    return [key for key, value in admin.query("SHOW STATE") if value == "yes"]


def kill_client(admin):
    check("KILL_CLIENT of an unknown id", error_of(admin, "KILL_CLIENT 4000000") == "08P01 client not found")
    check("KILL_CLIENT of what is no id", error_of(admin, "KILL_CLIENT x") == "08P01 invalid client pointer supplied")
    victim, other = client(), console()
    ids = {row[2]: row[20] for row in admin.query("SHOW CLIENTS")}
    admin.query(f"KILL_CLIENT {ids['postgres']}")
    check("KILL_CLIENT ends that client", "admin forced disconnect" in error_of(victim, "select 1"))
    consoles = [row[20] for row in admin.query("SHOW CLIENTS") if row[2] == "pgbouncer"]
    admin.query(f"KILL_CLIENT {consoles[-1]}")
    check("KILL_CLIENT ends a console too", "admin forced disconnect" in error_of(other, "SHOW VERSION"))


def suspend(admin):
    busy, idle = client(), client()
    busy.query("begin")
    admin.query("SUSPEND")
    check("SHOW STATE says suspended", state(admin) == ["suspended"], state(admin))
    for order in ("SUSPEND", "PAUSE"):
        check(f"{order} while suspended", error_of(admin, order) == "08P01 already suspended/paused")
    for connection in (busy, idle):
        connection.send("select 42")
    late = socket.create_connection(("127.0.0.1", PORT), timeout=15)
    check("nothing is read while suspended", not busy.answers_within(0.5) and not idle.answers_within(0.1))
    admin.query("RESUME")
    check("RESUME goes on where it stopped", busy.rows() == [["42"]] and idle.rows() == [["42"]])
    late.close()
    newcomer = client()
    check("listening goes on", newcomer.query("select 1") == [["1"]])
    for connection in (busy, idle, newcomer):
        connection.close()


def suspend_errors(admin):
    admin.query("PAUSE postgres")
    check("SUSPEND while a database is paused", error_of(admin, "SUSPEND") == "08P01 cannot suspend with paused databases")
    admin.query("RESUME postgres")
    check("RESUME of what is not paused", error_of(admin, "RESUME") == "08P01 pooler is not paused/suspended")


def stragglers(admin):
    slow = client()
    slow.send("select repeat('x', 1000) from generate_series(1, 100000)")    # and reads nothing of it
    time.sleep(0.5)
    began = time.monotonic()
    admin.query("SUSPEND")
    waited = time.monotonic() - began
    check("suspend_timeout drops who does not read, and SUSPEND completes", 1 < waited < 8, f"after {waited:.1f} s")
    check("its reason is logged", log_has(" suspend_timeout"))
    os.kill(PID, signal.SIGUSR2)
    check("SIGUSR2 resumes", eventually(lambda: state(admin) == ["active"]), state(admin))
    slow.close()


def console_that_goes(admin):
    suspender = console()
    suspender.query("SUSPEND")
    suspender.close()
    check("a console that goes takes its SUSPEND along", eventually(lambda: state(admin) == ["active"]), state(admin))
    check("… with a log line", log_has("admin disappeared when suspended, doing RESUME"))

    holder, pauser = client(), console()
    holder.query("begin")
    pauser.send("PAUSE")
    check("PAUSE waits for a transaction", not pauser.answers_within(0.3))
    before = sum(row[2] == "pgbouncer" for row in admin.query("SHOW CLIENTS"))
    pauser.close()
    gone = eventually(lambda: sum(row[2] == "pgbouncer" for row in admin.query("SHOW CLIENTS")) == before - 1, 2)
    check("a console that hangs up while it waits is noticed", gone)
    admin.query("RESUME")
    holder.query("commit")


def cancel(key):
    with socket.create_connection(("127.0.0.1", PORT), timeout=15) as connection:
        connection.sendall(struct.pack("!ii", 8 + len(key), 80877102) + key)
        connection.recv(1)


def cancelled_wait():
    holder, pauser = client(), console()
    holder.query("begin")
    pauser.send("PAUSE")
    time.sleep(0.2)
    cancel(pauser.key[:4] + b"guess")
    check("a wrong secret ends no wait", not pauser.answers_within(0.3))
    failed = 1
    check("… and is logged", eventually(lambda: log_has("failed cancel request", failed)))
    cancel(pauser.key)
    try:
        pauser.rows()
        outcome = "no error"
    except RuntimeError as error:
        outcome = str(error)
    check("a cancel request ends the wait for PAUSE", outcome == "57014 canceling statement due to user request", outcome)
    check("a console's own key is no failed request", not log_has("failed cancel request", failed + 1))
    holder.query("commit")


def show_fds(admin):
    holder = client()
    holder.query("begin")
    tasks = [row[1] for row in admin.query("SHOW FDS")]
    check("SHOW FDS lists listeners, clients and servers", {"pooler", "client", "server"} <= set(tasks), tasks)
    check("… and hands nothing over, except to the owner", admin.descriptors == [])

    owner = RawClient(UNIX, "pgbouncer", "pgbouncer")
    rows = owner.query("SHOW FDS")
    sockets = [stat.S_ISSOCK(os.fstat(fd).st_mode) for fd in owner.descriptors]
    check("the owner gets a descriptor with each row", len(sockets) == len(rows) and all(sockets), (len(sockets), len(rows)))
    listening = [os.stat(f"/proc/self/fd/{fd}").st_ino for fd, row in zip(owner.descriptors, rows) if row[1] == "pooler"]
    own = [os.stat(f"/proc/{PID}/fd/{row[0]}").st_ino for row in rows if row[1] == "pooler"]
    check("… which is that very socket", listening == own, (listening, own))
    for descriptor in owner.descriptors:
        os.close(descriptor)
    holder.query("commit")
    check("what was handed over and closed still works here", holder.query("select 1") == [["1"]])


def main():
    admin = console()
    kill_client(admin)
    suspend(admin)
    suspend_errors(admin)
    stragglers(admin)
    console_that_goes(admin)
    cancelled_wait()
    show_fds(admin)


main()
finish()
