#!/usr/bin/env python3
"""Servers that fall silent at each stage of a login: the log names the deadline, not a lost server (connecting.sh).

usage: connect_deadline.py PROXY_PORT SILENT_PORT PROXY_LOG
"""
import re
import socket
import sys
import threading

from checks import check, eventually, finish
from raw_client import RawClient, start_up

PORT, SILENT, LOG = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

# What the server says before it falls silent; the last one is PostgreSQL, and what hangs is its connect_query.
STAGES = {"before TLS": b"", "in the TLS handshake": b"S", "in the login": b"N", "in connect_query": None}
answers = [None]


def serve(listener, kept):
    while True:
        connection, _ = listener.accept()
        kept.append(connection)
        if answers[0]:
            connection.recv(8)
            connection.sendall(answers[0])


def lines_about(database):
    with open(LOG, encoding="utf-8") as log:
        return [line for line in log if re.search(rf" S-\S+ {database}/", line)]


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
finish()
