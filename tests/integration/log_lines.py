#!/usr/bin/env python3
"""Makes a proxy write log lines, with hostile names among them, and reads them back (log_lines.sh).

usage: log_lines.py PROXY_PORT text|json PROXY_LOG PROXY_PID
"""
import json
import re
import socket
import struct
import sys
import time

from checks import check, finish
from raw_client import RawClient

PORT, FORMAT, LOG, PID = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
LEVELS = {"FATAL", "ERROR", "WARNING", "LOG", "DEBUG", "NOISE"}
TEXT_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [A-Z+-][A-Z0-9+-]* \[(\d+)\] ([A-Z]+) \S.*", re.S)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:?\d\d")
NAMES = [b'quote"d', b"back\\slash", b"two\nlines", b"bell\x07", b"umlaut \xc3\xa4", b"not utf-8: \xff\xc3(\xe2\x82", b"\xed\xa0\x80 surrogate",
         b"\xf4\x90\x80\x80 beyond", b"\xc0\xaf overlong", b"del\x7f", b"2026-01-01 00:00:00.000 UTC [1] FATAL forged"]


def check(name, holds, why=""):
    global failures
    if holds:
        return print(f"ok {FORMAT}: {name}")
    failures += 1
    print(f"FAILED {FORMAT}: {name}: {why}")


def come_as(name):
    body = b"user\0" + name + b"\0database\0" + name + b"\0\0"
    with socket.create_connection(("127.0.0.1", PORT), timeout=10) as connection:
        connection.sendall(struct.pack("!ii", len(body) + 8, 196608) + body)
        while connection.recv(4096):
            pass


def as_json(line):
    try:
        entry = json.loads(line.decode("utf-8"))
    except ValueError as error:
        return f"{error}"
    good = (isinstance(entry, dict) and entry.get("level") in LEVELS and TIME.fullmatch(entry.get("time", ""))
            and entry.get("pid") == PID and isinstance(entry.get("message"), str) and entry["message"])
    return "" if good else f"fields of {entry}"


def as_text(line):
    found = TEXT_LINE.fullmatch(line.decode("utf-8", "replace"))
    return "" if found and int(found[1]) == PID and found[2] in LEVELS else "another shape"


for name in NAMES:
    come_as(name)
RawClient(("127.0.0.1", PORT), "postgres", "postgres").query("select 1")
time.sleep(0.3)
with open(LOG, "rb") as log:
    text = log.read()
# A line break within a message is followed by a tab, so such a line goes on.
lines = re.split(rb"\n(?!\t)", text.rstrip(b"\n")) if FORMAT == "text" else text.rstrip(b"\n").split(b"\n")
bad = [(why, line) for line in lines if (why := (as_json if FORMAT == "json" else as_text)(line))]
check(f"all {len(lines)} lines have the form", len(lines) > len(NAMES) and not bad, bad[:3])
if FORMAT == "json":
    messages = [json.loads(line.decode("utf-8", "replace"))["message"] for line in lines if not as_json(line)]
    for name in NAMES:
        shown = name.decode("utf-8", "replace") if b"\xff" not in name else "not utf-8: \ufffd"
        check(f"the name {name!r} is shown", any(shown[:12] in message for message in messages))
else:
    check("a name with a line break forges no line", b"\n2026-01-01" not in text and b"/two\n\tlines" in text)
finish()
