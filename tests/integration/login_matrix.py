#!/usr/bin/env python3
"""Logins through the proxy, for one auth_type; users and secrets are those of login_matrix.sh.

usage: login_matrix.py PROXY_PORT AUTH_TYPE PASSWORD PROXY_LOG

Logins that should work go through libpq; SQLSTATEs, which libpq keeps to itself at a login, are read by a login of our
own (raw_client.py). Prints `ok NAME` or `FAILED NAME: why`; exit status 1 after a failure.
"""
import sys

import psycopg2

from raw_client import login

PORT, AUTH, PASSWORD, LOG = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
METHODS, KINDS = ("trust", "password", "md5", "scram"), ("plain", "md5", "scram")
CHALLENGE = {"plain": "password authentication failed", "md5": "password authentication failed",
             "scram-sha-256": "SASL authentication failed"}
failures = 0


def check(name, seen, wanted):
    global failures
    if seen == wanted:
        return print(f"ok {AUTH}: {name}")
    failures += 1
    print(f"FAILED {AUTH}: {name}: {seen!r}, wanted {wanted!r}")


def connect(user, database="postgres", password=PASSWORD):
    connection = psycopg2.connect(host="127.0.0.1", port=PORT, user=user, dbname=database, password=password, connect_timeout=15)
    connection.autocommit = True
    return connection


def ask(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def outcome(user, **more):
    """The user that the server sees, or the first line of the refusal."""
    try:
        connection = connect(user, **more)
    except psycopg2.OperationalError as error:
        return str(error).splitlines()[0].split("FATAL:")[-1].strip()
    try:
        return ask(connection, "select current_user")
    finally:
        connection.close()


def expected(method, kind):
    user = f"{method}_{kind}"
    if AUTH == "scram-sha-256" and kind == "md5":
        return "SASL authentication failed"
    if method == "trust" or kind == "plain" or (method, kind) == ("md5", "md5"):
        return user
    if method == "password":                      # what is stored is sent as it is, and is not the password
        return f'password authentication failed for user "{user}"'
    if (method, kind) == ("scram", "scram") and AUTH != "trust":
        return user                               # pass-through: the client has proved the secret's keys
    return "server login failed: wrong password type"


def matrix():
    for method in METHODS:
        for kind in KINDS:
            check(f"stored {kind}, server asks by {method}", outcome(f"{method}_{kind}"), expected(method, kind))


def log_text():
    with open(LOG, encoding="utf-8") as log:
        return log.read()


def wrong_passwords():
    for kind in KINDS:
        as_scram = AUTH == "md5" and kind == "scram"    # md5 turns to SCRAM where a SCRAM secret is stored
        text = CHALLENGE["scram-sha-256" if as_scram else AUTH]
        before = log_text().count(f"closing because: {text}")
        check(f"a wrong password, stored {kind}", login(PORT, f"trust_{kind}", "postgres", "wrong-horse-17"), f"28P01 {text}")
        check(f"a wrong password, stored {kind}: one log line", log_text().count(f"closing because: {text}") - before, 1)
    empty = "empty password returned by client" if AUTH == "plain" else CHALLENGE[AUTH]    # an answer to a challenge never is
    check("an empty password", login(PORT, "trust_plain", "postgres", ""), f"28P01 {empty}")
    check("an unknown user fails like a wrong password", login(PORT, "mallory", "postgres", PASSWORD), f"28P01 {CHALLENGE[AUTH]}")
    check("an unknown database is not told to who has not logged in", login(PORT, "trust_plain", "nowhere", "wrong"),
          f"28P01 {CHALLENGE[AUTH]}")


def unknown_names():
    check("an unknown database", login(PORT, "trust_plain", "nowhere", PASSWORD), "3D000 no such database: nowhere")
    if AUTH == "trust":
        check("an unknown user", login(PORT, "mallory", "postgres", PASSWORD), '28000 "trust" authentication failed')


def pass_through_lasts():
    """Server connections come and go; the keys that a client has proved open the next ones."""
    client = connect("scram_scram")
    first = ask(client, "select pg_backend_pid()")
    console = connect("postgres", "pgbouncer")
    console.cursor().execute("RECONNECT")
    console.close()
    check("pass-through opens new server connections by itself", ask(client, "select pg_backend_pid()") != first, True)
    client.close()
    check("a wrong password does not profit from keys that another login has proved",
          outcome("scram_scram", password="wrong-horse-17"),
          "password authentication failed" if AUTH == "plain" else "SASL authentication failed")


def forced_users():
    check("a forced user logs in with its own stored password", outcome("trust_plain", database="forced"), "scram_plain")
    check("the entry's password goes before a stored one", outcome("trust_plain", database="own_password"), "scram_md5")


def main():
    check("the login of our own works", login(PORT, "trust_plain", "forced", PASSWORD), "ok")
    forced_users()
    if AUTH == "any":
        check("a database without a forced user", login(PORT, "whoever", "postgres", ""), "F0000 bouncer config error")
        check("whoever comes is the forced user", outcome("whoever", database="forced"), "scram_plain")
        return
    matrix()
    unknown_names()
    if AUTH != "trust":
        wrong_passwords()
        pass_through_lasts()


main()
sys.exit(1 if failures else 0)
