#!/usr/bin/env python3
"""Servers that fall silent at each stage of a login, or to a cancel request: the log names the deadline, not a lost server
(connecting.sh).

usage: connect_deadline.py PROXY_PORT SILENT_PORT POSTGRES_PORT PROXY_LOG
"""
import re
import socket
import sys
import threading

from checks import check, eventually, finish
from raw_client import RawClient, message, packet, start_up

PORT, SILENT, POSTGRES = map(int, sys.argv[1:4])
LOG = sys.argv[4]
THROUGH = "to PostgreSQL"    # an answer

# What the server says before it falls silent; the last one is PostgreSQL, and what hangs is its connect_query.
STAGES = {"before TLS": b"", "in the TLS handshake": b"S", "in the login": b"N", "in connect_query": None}
answers = [None]


def serve(listener, kept):
    while True:
        connection, _ = listener.accept()
        kept.append(connection)
        if answers[0] is THROUGH:
            kept.append(socket.create_connection(("127.0.0.1", POSTGRES)))
            for source, target in ((connection, kept[-1]), (kept[-1], connection)):
                threading.Thread(target=carry, args=(source, target), daemon=True).start()
        elif answers[0]:
            connection.recv(8)
            connection.sendall(answers[0])


def carry(source, target):
    while data := source.recv(65536):
        target.sendall(data)


def lines_about(database):
    with open(LOG, encoding="utf-8") as log:
        return [line for line in log if re.search(rf" S-\S+ {database}/", line)]


def cancel_lines():
    with open(LOG, encoding="utf-8") as log:
        return [line for line in log if "cancel request:" in line]


def closed_by_deadline(database):
    return any(re.search(r"closing because: connect timeout \(age=[12]s\)", line) for line in lines_about(database))


threading.Thread(target=serve, args=(socket.create_server(("127.0.0.1", SILENT)), []), daemon=True).start()
for number, (stage, answer) in enumerate(STAGES.items()):
    answers[0], database = answer, f"stage_{number}"
    client = socket.create_connection(("127.0.0.1", PORT), timeout=10)
    client.sendall(start_up("postgres", database))
    check(f"a server that falls silent {stage} is given up by connect timeout",
          eventually(lambda: closed_by_deadline(database), 5), lines_about(database))
    crashed = [line for line in lines_about(database) if "crashed" in line]
    check(f"a server that falls silent {stage} is not called crashed", not crashed, crashed)
    client.close()
console = RawClient(("127.0.0.1", PORT), "postgres", "pgbouncer")
logging_in = [row for row in console.query("SHOW SERVERS") if row[2].startswith("stage_")]
check("none of these servers is kept", not logging_in, logging_in)

answers[0] = THROUGH
busy = RawClient(("127.0.0.1", PORT), "postgres", "postgres")
busy.socket.sendall(message(b"Q", b"select pg_sleep(30)\0"))
for stage in list(STAGES)[:2]:
    answers[0] = STAGES[stage]
    before = len(cancel_lines())
    with socket.create_connection(("127.0.0.1", PORT)) as cancel:
        cancel.sendall(packet(80877102, busy.key))
    check(f"a cancel request to a server that falls silent {stage} is given up", eventually(lambda: len(cancel_lines()) > before, 5))
    check("… by connect timeout", "WARNING cancel request: connect timeout" in cancel_lines()[-1], cancel_lines())
finish()
