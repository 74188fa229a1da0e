"""How a connection begins: start-up packets good and bad, and each way to prove who one is."""
import struct

import wire
from raw_client import message, packet
from wire import hello
from world import scenario

SSL_REQUEST, GSS_REQUEST = packet(80877103), packet(80877104)


def attempt(world, step, *first, password="", user="alice"):
    connection = world.connect(*first)
    world.note(step, connection.log_in(user, password))
    connection.close()


def every_password(world):
    for user, password in (("alice", "wonderland"), ("bob", "builder"), ("carol", "christmas"), ("nobody", ""), ("stranger", "x")):
        for given in dict.fromkeys((password, "wrong", "")):
            attempt(world, f"{user} says {given!r}", hello(user, "app"), user=user, password=given)


@scenario(auth_type="plain")
def plain_passwords(world):
    every_password(world)


@scenario(auth_type="md5")
def md5_passwords(world):
    every_password(world)


@scenario(auth_type="scram-sha-256")
def scram_passwords(world):
    every_password(world)


@scenario(auth_type="trust")
def trusted(world):
    every_password(world)
    attempt(world, "a console user who is in no list", hello("alice", "pgbouncer"))
    attempt(world, "an admin", hello("admin", "pgbouncer"))
    attempt(world, "one who may watch", hello("watcher", "pgbouncer"))


@scenario(auth_type="any", databases={"forced": "{app} user=bob"})
def anybody(world):
    attempt(world, "a database without a forced user", hello("alice", "app"))
    attempt(world, "a database with one", hello("stranger", "forced"))
    attempt(world, "a console", hello("stranger", "pgbouncer"))


@scenario(modes=("transaction",), auth_type="md5")
def unknown_databases(world):
    attempt(world, "right password", hello("alice", "nowhere"), password="wonderland")
    attempt(world, "wrong password", hello("alice", "nowhere"), password="wrong")
    attempt(world, "not at the server", hello("alice", "missing"), password="wonderland")
    attempt(world, "not at the server, again at once", hello("alice", "missing"), password="wonderland")


@scenario(databases={"*": "{server}"})
def databases_without_a_line(world):
    attempt(world, "not at the server", hello("alice", "not_there"))
    attempt(world, "user's own", hello("alice", ""))
    connection = world.connect(packet(196608, b"user\0alice\0\0"))
    world.note("no database named", connection.log_in("alice"))


@scenario()
def start_up_parameters(world):
    for name, value in (("application_name", "a'b\\c"), ("client_encoding", "LATIN1"), ("client_encoding", "nonsense"),
                        ("DateStyle", "German, DMY"), ("TimeZone", "Asia/Tokyo"), ("timezone", "nowhere/town"),
                        ("standard_conforming_strings", "off"), ("IntervalStyle", "iso_8601"), ("search_path", "x"),
                        ("extra_float_digits", "3"), ("work_mem", "1MB"), ("replication", "false"), ("replication", "x"),
                        ("application_name", ""), ("APPLICATION_NAME", "upper")):
        client = world.client(f"{name}={value}", **{name: value})
        world.ask(client, f"{name}={value}: a query",
                  wire.query("select current_setting('application_name'), current_setting('datestyle'),"
                             " current_setting('timezone'), current_setting('client_encoding'), '1 day 2 hours'::interval"))
        client.close()


@scenario(ignore_startup_parameters="extra_float_digits, work_mem")
def ignored_parameters(world):
    for name in ("extra_float_digits", "work_mem", "search_path"):
        client = world.client(f"{name} is given", **{name: "1"})
        world.ask(client, f"{name}: its value", wire.query("show work_mem"))


OPTIONS = ("-c DateStyle=German", "-cDateStyle=German", "--DateStyle=German", "-c DateStyle=German  -c TimeZone=GMT",
           "-c application_name=a\\ b\\\\c", "-c search_path=x", "--search_path=x", "-d 5", "-c", "nonsense", "", " ", "-c x",
           "--", "-c =", "-c DateStyle=", "-c work_mem=1MB -c DateStyle=German", "-e", "-c\tTimeZone=GMT", "-c=", "-c=x", "--=", "--=x", "--a-b=1",
           "--date-style=ISO", "-c DATESTYLE=sql", "-c DateStyle=German -e")


def every_option(world):
    for options in OPTIONS:
        client = world.client(f"options={options!r}", options=options)
        world.ask(client, f"options={options!r}: a query", wire.query(
            "select current_setting('datestyle'), current_setting('timezone'), current_setting('application_name')"))
        client.close()


@scenario()
def options(world):
    every_option(world)


@scenario(ignore_startup_parameters="options")
def ignored_options(world):
    every_option(world)


@scenario(application_name_add_host="1")
def host_in_application_name(world):
    for more in ({}, {"application_name": "tool"}):
        client = world.client(**more)
        world.ask(client, f"with {more}: its value", wire.query(
            "select regexp_replace(current_setting('application_name'), ':\\d+$', ':N')"))


@scenario(login_notify_message="Be welcome; it's a 'test'")
def login_notice(world):
    world.client("a client")
    world.client("a console", user="admin", database="pgbouncer")


@scenario()
def broken_start(world):
    good = hello("alice", "app")
    packets = {
        "an SSLRequest": SSL_REQUEST, "two of them": SSL_REQUEST * 2, "a GSSENCRequest": GSS_REQUEST,
        "with a start-up packet behind it": SSL_REQUEST + good, "GSSENCRequest and more": GSS_REQUEST + good,
        "protocol 2": packet(131072, b"user\0alice\0\0"), "protocol 4": packet(262144, b"user\0alice\0\0"),
        "protocol 1": packet(65536, b"user\0alice\0\0"), "protocol 0": packet(0, b"user\0alice\0\0"),
        "an unknown request": packet(80877199), "no user": packet(196608, b"database\0app\0\0"),
        "an empty user": packet(196608, b"user\0\0database\0app\0\0"), "no parameters": packet(196608, b"\0"),
        "no terminator": packet(196608, b"user\0alice\0database\0app\0"), "an odd name": packet(196608, b"user\0alice\0database\0"),
        "no end of a string": packet(196608, b"user\0alice"), "an empty body": packet(196608, b""),
        "bytes behind the terminator": packet(196608, b"user\0alice\0database\0app\0\0more"),
        "a length of zero": struct.pack("!ii", 0, 196608), "a length of four": struct.pack("!ii", 4, 196608),
        "a length of seven": struct.pack("!ii", 7, 196608), "a negative length": struct.pack("!ii", -1, 196608),
        "a huge length": struct.pack("!ii", 0x7fffffff, 196608), "1 MB announced": struct.pack("!ii", 1 << 20, 196608),
        "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "zeros": b"\0" * 64, "ones": b"\xff" * 64,
        "a query": wire.query("select 1"), "the user twice": packet(196608, b"user\0bob\0user\0alice\0database\0app\0\0"),
        "a user name of 127 bytes": hello("x" * 127, "app"), "of 128": hello("x" * 128, "app"), "of 2,000": hello("x" * 2000, "app"),
        "a database of 200 bytes": hello("alice", "x" * 200), "a parameter of 3,000": hello("alice", "app", application_name="y" * 3000),
        "of 20,000": hello("alice", "app", application_name="y" * 20000),
        "a name with blanks": hello("al ice", "app"), "quotes": hello('al"ice', "app"), "a line break": hello("al\nice", "app"),
    }
    for step, data in packets.items():
        connection = world.connect(data)
        if data[4:8] in (SSL_REQUEST[4:8], GSS_REQUEST[4:8]):
            world.note(step + ": first byte", [connection.raw(1)])
        world.note(step, [line for line in connection.lines(timeout=0.5) if not line.startswith("S ")])
        connection.close()


@scenario()
def after_a_refused_encryption(world):
    for step, requests in {"SSL": (SSL_REQUEST,), "GSS": (GSS_REQUEST,), "SSL twice": (SSL_REQUEST, SSL_REQUEST),
                           "GSS then SSL": (GSS_REQUEST, SSL_REQUEST), "SSL then GSS": (SSL_REQUEST, GSS_REQUEST),
                           "GSS twice": (GSS_REQUEST, GSS_REQUEST)}.items():
        connection = world.connect()
        answers = []
        for request in requests:
            connection.send(request)
            answers.append(connection.raw(1, timeout=2))
        world.note(step, answers)
        connection.send(hello("alice", "app"))
        world.note(step + ", then the start-up packet", connection.log_in("alice"))


@scenario()
def protocol_versions(world):
    pairs = b"user\0alice\0database\0app\0"
    for step, data in {"3.1": packet(196609, pairs + b"\0"), "3.2": packet(196610, pairs + b"\0"),
                       "3.9999": packet(196608 + 9999, pairs + b"\0"),
                       "3.0 with an extension": packet(196608, pairs + b"_pq_.wish\x001\0\0"),
                       "3.2 with two": packet(196610, pairs + b"_pq_.wish\x001\0_pq_.other\0x\0\0")}.items():
        attempt(world, step, data)


@scenario(modes=("transaction",), auth_type="md5")
def messages_instead_of_a_password(world):
    for step, data in {"a query": wire.query("select 1"), "a Sync": wire.SYNC, "Terminate": wire.TERMINATE,
                       "no terminator": message(b"p", b"abc"), "an empty body": message(b"p", b""),
                       "a second start": hello("alice", "app"), "1 MB": message(b"p", b"x" * (1 << 20) + b"\0"),
                       "2 GB announced": b"p" + struct.pack("!i", 0x7fffffff), "an unknown type": message(b"?", b"")}.items():
        connection = world.connect(hello("alice", "app"))
        connection.one()
        world.ask(connection, step, data, timeout=1)
        connection.close()


@scenario(modes=("transaction",), auth_type="scram-sha-256")
def broken_scram(world):
    def first(mechanism, data):
        return message(b"p", mechanism + b"\0" + struct.pack("!i", len(data)) + data)
    for step, data in {"no nonce": first(b"SCRAM-SHA-256", b"n,,n=,r="), "another mechanism": first(b"SCRAM-SHA-1", b"n,,n=,r=abc"),
                       "channel binding": first(b"SCRAM-SHA-256", b"p=tls-server-end-point,,n=,r=abc"),
                       "an authorization name": first(b"SCRAM-SHA-256", b"n,a=alice,n=,r=abc"),
                       "a mandatory extension": first(b"SCRAM-SHA-256", b"n,,m=x,n=,r=abc"), "nonsense": first(b"SCRAM-SHA-256", b"hello"),
                       "length too long": message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", 99) + b"n,,n=,r=abc"),
                       "no data": message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", -1)), "empty": message(b"p", b""),
                       "y flag": first(b"SCRAM-SHA-256", b"y,,n=,r=abc")}.items():
        connection = world.connect(hello("alice", "app"))
        connection.one()
        connection.send(data)
        kind, body = connection.one(2)
        world.note(step, [wire.shown(kind, body[:4] if kind == b"R" else body) if kind else "closed"])
        connection.send(message(b"p", b"c=biws,r=abc,p=AAAA"))
        world.note(step + ", then a wrong final", connection.lines(timeout=2))
        connection.close()


@scenario(auth_type="scram-sha-256")
def a_second_start_during_scram(world):
    for database in ("app", "nowhere"):
        for step, wait in (("at once", False), ("after the first message", True)):
            connection = world.connect(hello("alice", database))
            if wait:
                connection.one()
            world.ask(connection, f"{database}: {step}", hello("carol", "app"), timeout=2, kinds=b"E", ready=0)
            world.note(f"{database}: {step}, then", connection.lines(timeout=2))


@scenario()
def unknown_cancel_requests(world):
    for step, data in {"a key of nobody": wire.cancel_request(b"\1\2\3\4\5\6\7\x08"), "a short key": wire.cancel_request(b"\1\2"),
                       "a long key": wire.cancel_request(b"\1" * 40), "no key": packet(80877102)}.items():
        connection = world.connect(data)
        world.note(step, connection.lines(timeout=2))
