#!/usr/bin/env python3
"""Each error that a client can be made to hear, with SQLSTATE and text, and its log lines (errors.sh).

usage: errors.py PROXY_PORT PROXY_LOG PROXY_PID
"""
import os
import signal
import socket
import struct
import sys
import time

from checks import check, finish
from proxy_file import outcome
from raw_client import RawClient, error_text, login, message, packet, start_up

PORT, LOG, PID = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])


def client(database="postgres", user="postgres", **more):
    return RawClient(("127.0.0.1", PORT), user, database, **more)


ADMIN = client("pgbouncer")


def last_error(connection):
    """What stands in the last ErrorResponse before the end."""
    connection.settimeout(15)
    stream, found = connection.makefile("rb"), "closed without a word"
    try:
        while kind := stream.read(1):
            body = stream.read(struct.unpack("!i", stream.read(4))[0] - 4)
            found = error_text(body) if kind == b"E" else found
    except (ConnectionResetError, struct.error):
        pass
    return found


def sent(data):
    with socket.create_connection(("127.0.0.1", PORT), timeout=15) as connection:
        connection.sendall(data)
        return last_error(connection)


def sent_by_client(data, database="postgres"):
    one = client(database)
    one.socket.sendall(data)
    return last_error(one.socket)


def of_login(database="postgres", user="postgres", password="", **more):
    try:
        client(database, user, password=password, **more).close()
        return "ok"
    except (RuntimeError, EOFError) as error:
        return str(error)


def with_setting(name, value, back, do):
    ADMIN.query(f"SET {name} = '{value}'")
    try:
        return do()
    finally:
        ADMIN.query(f"SET {name} = '{back}'")


def disabled():
    ADMIN.query("DISABLE other")
    error = of_login("other")
    ADMIN.query("ENABLE other")
    return error


def killed_server():
    victim = client()
    victim.query("begin")
    pid = victim.query("select pg_backend_pid()")[0][0]
    client("other").query(f"select pg_terminate_backend({pid})")
    time.sleep(0.3)
    return outcome(victim, "select 1")


def killed_database():
    victim = client("other")
    ADMIN.query("KILL other")
    error = outcome(victim, "select 1")
    ADMIN.query("RESUME other")
    return error


def both_protocols(kind, password):
    return with_setting("auth_type", kind, "trust", lambda: login(PORT, "app", "postgres", password))


# Name, what provokes it, and what the client hears.
ERRORS = [
    ("protocol 2.0", lambda: sent(packet(131072, b"user\0x\0\0")), "0A000 old V2 protocol not supported"),
    ("a start-up packet without its end", lambda: sent(packet(196608, b"user\0x\0")), "08P01 invalid startup packet layout: expected terminator as last byte"),
    ("an impossible length", lambda: sent(b"\x7f\xff\xff\xff\0\x03\0\0"), "08P01 bad packet header: '7fffffff00030000'"),
    ("another protocol", lambda: sent(b"GET / HTTP/1.1\r\n\r\n"), "08P01 bad packet header: '474554202f204854'"),
    ("no user", lambda: sent(packet(196608, b"database\0x\0\0")), "28000 no username supplied"),
    ("a long user name", lambda: of_login(user="u" * 128), "28000 username too long"),
    ("data behind SSLRequest", lambda: sent(packet(80877103) + b"more"), "08P01 received unencrypted data after SSL request"),
    ("data behind GSSENCRequest", lambda: sent(packet(80877104) + b"more"), "08P01 received unencrypted data after GSSAPI encryption request"),
    ("an unknown parameter", lambda: of_login(nonsense="1"), "42704 unsupported startup parameter: nonsense"),
    ("an unknown option", lambda: of_login(options="-c nonsense=1"), "42704 unsupported startup parameter in options: nonsense"),
    ("an option of another form", lambda: of_login(options="-x"),
     "42601 unsupported options startup parameter: only '-c config=val' and '--config=val' are allowed"),
    ("an unknown message", lambda: sent_by_client(b"~\0\0\0\4"), "08P01 unknown pkt"),
    ("an unknown message to the console", lambda: sent_by_client(b"~\0\0\0\4", "pgbouncer"), "08P01 unknown pkt"),
    ("an unknown database", lambda: of_login("nowhere"), "3D000 no such database: nowhere"),
    ("an unknown user", lambda: of_login(user="nobody_here"), '28000 "trust" authentication failed'),
    ("a console for somebody", lambda: of_login("pgbouncer", "app"), "42501 not allowed"),
    ("a wrong password, plain", lambda: both_protocols("plain", "wrong"), "28P01 password authentication failed"),
    ("no password, plain", lambda: both_protocols("plain", ""), "28P01 empty password returned by client"),
    ("a wrong password, md5", lambda: both_protocols("md5", "wrong"), "28P01 password authentication failed"),
    ("a wrong password, SCRAM", lambda: both_protocols("scram-sha-256", "wrong"), "28P01 SASL authentication failed"),
    ("auth_type any without a forced user", lambda: with_setting("auth_type", "any", "trust", of_login), "F0000 bouncer config error"),
    ("a disabled database", disabled, '55000 database "other" is disabled'),
    ("a role that the server does not know", lambda: of_login(user="no_role"), '28000 role "no_role" does not exist'),
    ("a database that the server does not know", lambda: of_login("refused", "app"), '3D000 database "no_such_database" does not exist'),
    ("a server that cannot be reached", lambda: of_login("unreachable"), "53300 query_wait_timeout"),
    ("a stored secret that cannot answer", lambda: of_login("scram_server", "wrong_kind"), "28000 server login failed: wrong password type"),
    ("a server that is terminated", killed_server, None),
    ("a database that is killed", killed_database, "57P01 database removed"),
    ("a transaction in statement pooling", lambda: outcome(client("single_statements"), "begin"), "0A000 transaction blocks not allowed in statement pooling mode"),
    ("a message beyond max_packet_size", lambda: with_setting("max_packet_size", "1000", "2147483647", lambda: sent_by_client(message(b"Q", b"x" * 2000 + b"\0"))),
     "08P01 bad packet header: '51000007d5787878'"),
]

LINES = [" LOG C-0x", "login attempt: db=postgres user=app tls=no replication=no", "no such user: nobody_here", "closing because: no such database: nowhere (age=",
         "pooler error: no such database: nowhere", 'server login failed: FATAL role "no_role" does not exist', "new connection to server (from 127.0.0.1:",
         "closing because: client close request (age=", "DISABLE 'other' command issued", "KILL 'other' command issued", "(nodb)/(nouser)@127.0.0.1:",
         "unsupported startup parameter: nonsense", "S-0x"]


def signals():
    for number, line in ((signal.SIGUSR1, "got SIGUSR1, pausing all activity"), (signal.SIGUSR2, "got SIGUSR2, continuing from PAUSE"),
                         (signal.SIGHUP, "got SIGHUP, re-reading config")):
        os.kill(PID, number)
        time.sleep(0.3)
        check(f"log: {line}", f" LOG {line}" in log_text())


def shut_down():
    holder, waiter = client("one"), client("one")
    holder.query("begin")
    waiter.send("select 1")
    time.sleep(0.3)
    ADMIN.send("SHUTDOWN WAIT_FOR_SERVERS")
    try:
        waiter.rows()
        error = "no error"
    except (RuntimeError, EOFError) as failure:
        error = str(failure)
    check("a client that waits during SHUTDOWN WAIT_FOR_SERVERS", error == "57P01 server shutting down", error)
    check("… a transaction may end", holder.query("commit") == [])


def log_text():
    with open(LOG, encoding="utf-8", errors="replace") as log:
        return log.read()


for name, provoke, wanted in ERRORS:
    try:
        heard = provoke()
    except (OSError, EOFError, RuntimeError) as error:
        heard = repr(error)
    if wanted is None:      # which of the two comes first: the server's own last words, or the loss
        check(name, heard.startswith(("57P01 terminating connection", "08006 server conn crashed?")), heard)
    else:
        check(name, heard == wanted, heard)
for line in LINES:
    check(f"log: {line}", line in log_text())
signals()
shut_down()
finish()
