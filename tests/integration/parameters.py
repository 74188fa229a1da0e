#!/usr/bin/env python3
"""Parameters that follow their client, over more clients than servers (parameters.sh).

usage: parameters.py PROXY_PORT POSTGRES_PORT TRACKED,...
TRACKED: the reported parameters that the proxy keeps for each client
"""
import random
import sys

from checks import check, finish
from raw_client import RawClient

PORT, SERVER, TRACKED = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(",")
VALUES = {"TimeZone": ["Asia/Tokyo", "America/Lima", "UTC", "<+03>-03"], "DateStyle": ["ISO, DMY", "SQL, MDY", "German, DMY"],
          "client_encoding": ["UTF8", "LATIN1", "WIN1252"], "application_name": ["", "it''s a name", "back\\slash", "a semicolon; --"],
          "IntervalStyle": ["postgres", "iso_8601", "sql_standard"], "standard_conforming_strings": ["on", "off"],
          "search_path": ["public", "pg_catalog, public", '"Odd Name", public', "", '"$user", PUBLIC']}


def client(port=PORT, **parameters):
    return RawClient(("127.0.0.1", port), "postgres", "postgres", **parameters)


def outcome(connection, sql):
    try:
        connection.query(sql)
        return ""
    except RuntimeError as error:
        return str(error)


def shown(connection, name):
    return connection.query(f"show {name}")[0][0]


def set_statement(chance, name):
    value = chance.choice(VALUES[name])
    if name == "search_path" and value:
        return f"set {name} = {value}"
    return f"set {name} = E'{value}'".replace("\\", "\\\\")


# No letters beyond ASCII in application_name: the server replaces them by question marks.
# What a client may do to its values, as transactions. `{}` is a SET of any tracked parameter.
STEPS = ["{}", "{}; {}", "begin; {}; commit", "begin; {}; rollback", "begin; savepoint a; {}; rollback to a; commit", "begin; {local}; commit",
         "{}; select 1/0", "begin; {}; select 1/0; commit", "set timezone = 'No/Where'", "reset all", "begin; reset all; rollback", "reset timezone", "discard all",
         "select 1", "select set_config('TimeZone', 'Europe/Oslo', false)", "select set_config('TimeZone', 'Europe/Oslo', true)"]


def step(chance):
    text = chance.choice(STEPS)
    while "{}" in text or "{local}" in text:
        text = text.replace("{}", set_statement(chance, chance.choice(TRACKED)), 1)
        text = text.replace("{local}", set_statement(chance, chance.choice(TRACKED)).replace("set ", "set local "), 1)
    return text


def disagreements(one):
    return {name: (one.reported.get(name), value) for name in TRACKED if (value := shown(one, name)) != one.reported.get(name)}


# A search_path is told as the client spelt it until it is first served, so only such as the server would print.
def start_up_values(chance):
    values = {name: chance.choice(VALUES[name]).replace("''", "'") for name in TRACKED if chance.random() < 0.5}
    if "search_path" in values:
        values["search_path"] = chance.choice(VALUES["search_path"][:3])
    return values


def whatever_clients_do(seed):
    chance = random.Random(seed)
    clients = [client(**start_up_values(chance)) for _ in range(8)]
    wrong = []
    for _ in range(300):
        one, text = chance.choice(clients), step(chance)
        for part in text.split("; ") if chance.random() < 0.5 else [text]:
            outcome(one, part)
        outcome(one, "commit")
        other = chance.choice(clients)
        for who in (one, other):
            if found := disagreements(who):
                wrong.append((text, found))
    servers = {one.query("select pg_backend_pid()")[0][0] for one in clients}
    check(f"seed {seed}: what a client was told is what its server has, whoever used it before", not wrong, wrong[:3])
    check(f"seed {seed}: 8 clients had 3 servers at most", len(servers) <= 3, servers)
    for one in clients:
        one.close()


def at_login():
    one, two = client(TimeZone="Asia/Tokyo", application_name="one"), client(timezone="America/Lima", application_name="")
    check("a start-up parameter is told at the end of the login", one.reported["TimeZone"] == "Asia/Tokyo" and two.reported["TimeZone"] == "America/Lima", two.reported)
    seen = [(shown(who, "timezone"), shown(who, "application_name")) for _ in range(3) for who in (one, two)]
    check("… in any letter case, and is the client's wherever it is served", seen == [("Asia/Tokyo", "one"), ("America/Lima", "")] * 3, seen)
    by_options = client(options="-c TimeZone=Asia/Tokyo --IntervalStyle=iso_8601 -cDateStyle=SQL,\\ DMY  -c application_name=a\\\\b\\ c")
    direct = client(SERVER, options="-c TimeZone=Asia/Tokyo --IntervalStyle=iso_8601 -cDateStyle=SQL,\\ DMY  -c application_name=a\\\\b\\ c")
    names = ("timezone", "intervalstyle", "datestyle", "application_name")
    check("options mean what they mean to the server", [shown(by_options, n) for n in names] == [shown(direct, n) for n in names], [shown(by_options, n) for n in names])
    for options, wanted in (("-c work_mem=1MB", "42704 unsupported startup parameter in options: work_mem"),
                            ("-d 5", "42601 unsupported options startup parameter: only '-c config=val' and '--config=val' are allowed"),
                            ("-c", "42601 unsupported options startup parameter: only '-c config=val' and '--config=val' are allowed")):
        try:
            client(options=options)
            error = "no error"
        except RuntimeError as failure:
            error = str(failure)
        check(f"options {options!r} are refused", error == wanted, error)
    check("a long start-up value works", shown(client(application_name="x" * 60, options="-c TimeZone=UTC " + " " * 6000), "timezone") == "UTC")
    refused = client(TimeZone="No/Where")
    error = outcome(refused, "select 1")
    check("a start-up value that the server refuses ends the client, with no statement of its own run", error.startswith("22023 ") or error.startswith("08"), error)
    check("… and no other", shown(two, "timezone") == "America/Lima")


def plainly():
    one, other = client(), client()
    one.query("set timezone = 'Asia/Tokyo'")
    for text, wanted in (("begin; set timezone = 'UTC'; rollback", "Asia/Tokyo"), ("begin; set local timezone = 'UTC'; commit", "Asia/Tokyo"),
                         ("set timezone = 'No/Where'", "Asia/Tokyo"), ("set timezone = 'UTC'; select 1/0", "Asia/Tokyo")):
        outcome(one, text)
        other.query("set timezone = 'America/Lima'")
        check(f"after {text!r} the client has its value", shown(one, "timezone") == wanted == one.reported["TimeZone"], (shown(one, "timezone"), one.reported["TimeZone"]))
    one.query("reset all")
    check("RESET ALL gives the server's own values", shown(one, "timezone") == client(SERVER).reported["TimeZone"] == one.reported["TimeZone"], one.reported["TimeZone"])
    check("… and leaves other clients alone", shown(other, "timezone") == "America/Lima")


def in_letter_case():
    """"A" and "a" are two schemas, whoever had the server before."""
    direct = client(SERVER)
    direct.query('create schema "A"; create schema a; create table "A".t as select 1 as upper; create table a.t as select 2 as lower')
    crowd = [client() for _ in range(3)]
    for one, path in zip(crowd, ('"A"', "a", '"A"')):
        one.query(f"set search_path = {path}")
    seen = [[one.query("select * from t")[0][0] for one in crowd] for _ in range(3)]
    check("a search_path that differs in letter case only is the client's own", seen == [["1", "2", "1"]] * 3, seen)
    direct.query('drop schema "A", a cascade')


at_login()
plainly()
if "search_path" in TRACKED:
    in_letter_case()
for seed in (1, 2, 3):
    whatever_clients_do(seed)
finish()
