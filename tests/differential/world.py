"""What a scenario lives in: one program with one pgbouncer.ini in front of the server, and the record of what was seen.

A scenario is a function that acts on a `World` and notes steps; it runs once for each contestant, each time with a
program of its own that nothing has happened to yet.
"""
import dataclasses
import itertools
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time

import wire

SCRIPTS = os.path.join(os.path.dirname(__file__), "..", "..", "scripts")


@dataclasses.dataclass
class Contestant:
    name: str
    program: str                                   # "": the server itself
    folder: str
    server_port: int


@dataclasses.dataclass
class Scenario:
    name: str
    play: object
    settings: dict
    databases: dict
    users: dict
    direct: bool                                   # the server itself plays it too, and says what is right


SCENARIOS = []


def scenario(modes=("transaction",), direct=False, databases=None, users=None, **settings):
    """Registers a function, once for each pool_mode."""
    def register(play):
        for mode in modes:
            name = play.__name__ if len(modes) == 1 else f"{play.__name__}@{mode}"
            SCENARIOS.append(Scenario(name, play, {"pool_mode": mode, **settings}, databases or {}, users or {}, direct))
        return play
    return register


def free_port():
    """Below the range that the kernel takes for outgoing connections."""
    while True:
        port = random.randint(10000, 32000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def in_order(lines):
    """Parameters that come together are in no particular order, so they are sorted by name."""
    ordered = []
    for of_parameters, group in itertools.groupby(lines, lambda line: line.startswith("S ")):
        ordered += sorted(group, key=str.lower) if of_parameters else group
    return ordered


class World:
    def __init__(self, contestant, told):
        self.contestant, self.scenario = contestant, told
        self.is_direct = not contestant.program
        self.port = contestant.server_port if self.is_direct else free_port()
        self.steps, self.connections, self.gates, self.process = [], [], [], None
        self.database = "app" if not self.is_direct else "app_" + contestant.name

    # -- the program ------------------------------------------------------------------------------------------------

    def config(self):
        server = f"host=127.0.0.1 port={self.contestant.server_port}"
        app = f"{server} dbname=app_{self.contestant.name}"
        databases = {"app": app, "other": app, "forced": f"{app} user=bob", "missing": f"{server} dbname=not_there",
                     "dead": "host=127.0.0.1 port=1 dbname=app",
                     **{name: value.format(app=app, server=server, name=self.contestant.name, gate=self.gate_port(value))
                        for name, value in self.scenario.databases.items()}}
        databases = {name: value for name, value in databases.items() if value != "(none)"}
        settings = {"listen_addr": "127.0.0.1", "listen_port": self.port, "unix_socket_dir": "", "auth_type": "trust",
                    "auth_file": f"{self.contestant.folder}/logins.txt", "admin_users": "admin", "stats_users": "watcher",
                    "default_pool_size": 1, "query_wait_timeout": 15, "server_login_retry": 1, "log_stats": 0,
                    "server_tls_sslmode": "disable", "max_prepared_statements": 200, **self.scenario.settings}
        sections = {"databases": databases, "users": self.scenario.users, "pgbouncer": settings}
        return "".join(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in section.items())
                       for name, section in sections.items())

    def gate_port(self, value):
        if "{gate}" not in value:
            return 0
        self.gates.append(Gate(self.contestant.server_port))
        return self.gates[-1].port

    def start(self):
        if self.is_direct:
            return
        path = f"{self.contestant.folder}/{self.contestant.name}-{self.scenario.name}"
        self.write_config(path + ".ini")
        with open(path + ".log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([f"{SCRIPTS}/as_user.sh", self.contestant.program, path + ".ini"],
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + wire.PATIENCE
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{path}.log: it did not start")
            time.sleep(0.01)

    def write_config(self, path):
        with open(path, "w", encoding="utf-8") as config:
            config.write(self.config())

    def rewrite(self, **changes):
        """Another file for RELOAD: settings, databases and users in place of those there were."""
        self.scenario = dataclasses.replace(self.scenario, **changes)
        self.write_config(f"{self.contestant.folder}/{self.contestant.name}-{self.scenario.name}.ini")

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def stop(self):
        for connection in self.connections:
            connection.close()
        if self.process:
            ended = self.process.poll()
            if ended is None:
                self.process.send_signal(signal.SIGQUIT)
                try:
                    self.process.wait(wire.PATIENCE)
                except subprocess.TimeoutExpired:
                    self.process.kill()
            elif not any(step[0].startswith("the program ends") for step in self.steps):
                self.note("the program ended by itself", [f"status {ended}"])
        for gate in self.gates:
            gate.close()

    # -- clients ----------------------------------------------------------------------------------------------------

    def connect(self, *first):
        self.connections.append(wire.Connection(self.port, b"".join(first)))
        return self.connections[-1]

    def client(self, step=None, user="alice", database=None, password="", **more):
        """A client that has logged in; with a step, what it was told is noted."""
        client = self.connect(wire.hello(user, database or self.database, **more))
        lines = client.log_in(user, password)
        if step:
            self.note(step, lines)
        return client

    def console(self, user="admin"):
        return self.client(user=user, database="pgbouncer")

    def ask(self, client, step, *messages, **how):
        """Sends in one go and notes what comes; a client that was closed before begins again."""
        if client.ended and client.who:
            client.begin_again()
        client.send(*messages)
        self.note(step, client.lines(**how))

    def quiet(self, client, step, seconds=0.3):
        self.note(step, client.lines(timeout=seconds))

    def order(self, console, sql, **how):
        self.ask(console, sql, wire.query(sql), **how)

    # -- the record -------------------------------------------------------------------------------------------------

    def note(self, step, lines):
        text = "\n".join(in_order(lines))
        self.steps.append((step, re.sub(r"\b(app|lone)_(pgbouncer|pgweir|server)\b", r"\1", text).replace(str(self.port), "PORT")
                           .replace(str(self.contestant.server_port), "SERVER_PORT")))

    # -- the server itself ------------------------------------------------------------------------------------------

    def server_sql(self, sql):
        """Runs as superuser, past the program; returns the rows."""
        connection = wire.Connection(self.contestant.server_port, wire.hello("postgres", "app_" + self.contestant.name))
        connection.log_in("postgres")
        connection.send(wire.query(sql))
        lines = connection.lines()
        connection.close()
        return [line[2:] for line in lines if line.startswith("D ")]

    def server_pid(self, client):
        client.send(wire.query("select pg_backend_pid()"))
        return next(int(line[2:]) for line in client.lines() if line.startswith("D "))


class Gate:
    """A way to the server that can be shut: what comes is refused, what is through is cut."""

    def __init__(self, server_port):
        self.server_port, self.port, self.pairs, self.listener = server_port, free_port(), [], None
        self.open()

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                inner, _ = listener.accept()
                outer = socket.create_connection(("127.0.0.1", self.server_port))
            except OSError:
                return
            self.pairs.append((inner, outer))
            for one, other in ((inner, outer), (outer, inner)):
                threading.Thread(target=self.carry, args=(one, other), daemon=True).start()

    @staticmethod
    def carry(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs = []
