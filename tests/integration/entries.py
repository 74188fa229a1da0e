#!/usr/bin/env python3
"""What each key of a line of [databases] and [users] does (settings.sh, which writes those lines).

usage: entries.py PROXY_PORT PROXY_LOG
"""
import sys
import time

from checks import check, eventually, finish
from proxy_file import named_rows, outcome
from raw_client import RawClient

PORT, LOG = int(sys.argv[1]), sys.argv[2]
ADMIN = RawClient(("127.0.0.1", PORT), "postgres", "pgbouncer")


def client(database, user="postgres", **more):
    return RawClient(("127.0.0.1", PORT), user, database, **more)


def error_of_login(database, user="postgres"):
    try:
        client(database, user).close()
        return ""
    except (RuntimeError, EOFError) as error:
        return str(error)


def pool(database, user="postgres"):
    rows = [row for row in named_rows(ADMIN, "SHOW POOLS") if (row["database"], row["user"]) == (database, user)]
    return {name: int(value) for name, value in rows[0].items() if name.startswith(("cl_", "sv_", "maxwait"))} if rows else {}


def log_has(text):
    with open(LOG, encoding="utf-8") as log:
        return text in log.read()


def in_transaction(database, user, count):
    """Clients that begin a transaction: those that got an answer, and those that wait."""
    clients = [client(database, user) for _ in range(count)]
    for one in clients:
        one.send("begin")
    served = []
    eventually(lambda: sum(one.answers_within(0) for one in clients) >= 1)
    time.sleep(0.3)
    for one in clients:
        if one.answers_within(0):
            one.rows()
            served.append(one)
    return served, [one for one in clients if one not in served]


def leave(clients):
    for one in clients:
        one.close()


def sizes():
    for name, database, user, size in (("a database's pool_size", "small", "postgres", 2), ("a user's pool_size wins", "small", "one_server", 1),
                                       ("max_db_connections", "few_servers", "postgres", 1), ("max_user_connections", "small", "few_servers", 1)):
        served, waiting = in_transaction(database, user, size + 1)
        check(f"{name} bounds the servers", len(served) == size and len(waiting) == 1, (len(served), len(waiting)))
        served[0].query("commit")
        check(f"{name}: whoever waits gets the first that is free", waiting[0].answers_within(10))
        leave(served + waiting)
    for name, database, user in (("a database's reserve_pool_size", "reserve", "postgres"), ("a user's reserve_pool_size wins", "small", "reserved")):
        served, waiting = in_transaction(database, user, 2)
        check(f"{name} is for later", len(served) == 1, len(served))
        check(f"{name} serves whoever has waited for reserve_pool_timeout", bool(waiting) and waiting[0].answers_within(10), len(waiting))
        leave(served + waiting)
    check("taking from the reserve is told", log_has("taking connection from reserve_pool"))
    check("min_pool_size is kept open, without a client where the user is forced", eventually(lambda: pool("minimum").get("sv_idle", 0) >= 2), pool("minimum"))


def evicts():
    first, other = client("few_servers"), client("few_servers", "one_server")
    first.query("select 1")
    check("an idle server of another pool makes room under max_db_connections", other.query("select current_user") == [["one_server"]] and log_has("closing because: evicted"))
    leave([first, other])


def modes():
    for name, database, user, wanted in (("a database's", "whole_session", "postgres", "session"), ("a user's", "small", "whole_session", "session"),
                                         ("the global", "small", "postgres", "transaction")):
        one = client(database, user)
        one.query("select 1")
        active = pool(database, user)["sv_active"]
        check(f"{name} pool_mode decides when a server is free", active == (wanted == "session"), active)
        one.close()
    one = client("single_statements")
    error = outcome(one, "begin")
    check("pool_mode=statement refuses a transaction", error.endswith(" transaction blocks not allowed in statement pooling mode"), error)


def client_bounds():
    for name, database, user in (("max_db_client_connections", "few_clients", "postgres"), ("max_user_client_connections", "small", "few_clients")):
        one = client(database, user)
        error = error_of_login(database, user)
        check(f"{name} refuses one more", error.endswith(f" client connections exceeded ({name})"), error)
        one.close()
        check(f"{name} has room again", eventually(lambda: not error_of_login(database, user)))


def at_servers():
    one = client("with_parameters")
    shown = [one.query(f"show {name}")[0][0] for name in ("client_encoding", "datestyle", "timezone", "application_name")]
    check("start-up parameters of an entry reach the server", shown == ["LATIN1", "SQL, DMY", "Asia/Tokyo", "by entry"], shown)
    check("connect_query runs once on a new server", client("with_query").query("show statement_timeout") == [["33s"]])
    check("a connect_query that fails is no obstacle", client("with_wrong_query").query("select 1") == [["1"]])
    check("… and is logged with the server's words", log_has('error while executing exec_on_query: ERROR: column "no_such_column" does not exist'))
    one = client("short_lived")
    before = one.query("select pg_backend_pid()")
    check("server_lifetime of an entry ends a server", eventually(lambda: pool("short_lived")["sv_idle"] == 0) and log_has("server lifetime over"))
    check("… and another takes its place", one.query("select pg_backend_pid()") != before)
    for database, user in (("forced", "forced_user"), ("forced_with_password", "scram_user"), ("forced_from_file", "file_user")):
        both = [client(database, login) for login in ("postgres", "one_server")]
        answers = [one.query("select current_user")[0][0] for one in both]
        check(f"{database}: all clients are {user}, in one pool", answers == [user, user] and pool(database, user)["cl_active"] == 2, (answers, pool(database, user)))
        leave(both)


def auto_databases():
    one = client("template1")
    check("a database that is not listed is served by *", one.query("select current_database()") == [["template1"]])
    check("an auto-database is told", log_has("registered new auto-database: template1"))
    one.close()
    gone = eventually(lambda: all(row["name"] != "template1" for row in named_rows(ADMIN, "SHOW DATABASES")))
    check("autodb_idle_timeout forgets it", gone)
    check("… and says so", log_has("dropping database 'template1' as it does not exist anymore or inactive auto-database"))
    check("… its counters too", all(row["database"] != "template1" for row in named_rows(ADMIN, "SHOW STATS")))
    check("it comes back when it is asked for", client("template1").query("select 1") == [["1"]])


# What a client does, and the FATAL that it then gets, from its own user's or database's timeout of one second.
def timeouts():
    def begun(user, database="small"):
        one = client(database, user)
        one.query("begin")
        return one
    holder, waiter, other = client("one"), client("one"), client("patient", "waits_less")
    ended = {"query_timeout": client("small", "query_timeout"), "idle_transaction_timeout": begun("idle_transaction_timeout"),
             "transaction_timeout": begun("transaction_timeout"), "client_idle_timeout": client("small", "client_idle_timeout"),
             "a database's query_wait_timeout": waiter, "a user's query_wait_timeout": other}
    holder.query("begin")
    also = client("patient", "waits_less")
    also.query("begin")
    for name, sql in (("query_timeout", "select pg_sleep(9)"), ("transaction_timeout", "select pg_sleep(9)")):
        ended[name].send(sql)
    waiter.send("select 1")
    other.send("select 1")
    texts = {"query_timeout": "query timeout", "idle_transaction_timeout": "idle transaction timeout", "transaction_timeout": "transaction timeout",
             "client_idle_timeout": "client_idle_timeout", "a database's query_wait_timeout": "query_wait_timeout", "a user's query_wait_timeout": "query_wait_timeout"}
    for name, one in ended.items():
        began = time.monotonic()
        try:
            one.rows()
            error = "no error"
        except (RuntimeError, EOFError) as failure:
            error = str(failure)
        check(f"{name} ends the client", error.endswith(" " + texts[name]) and time.monotonic() - began < 8, error)


sizes()
evicts()
modes()
client_bounds()
at_servers()
timeouts()
auto_databases()
finish()
