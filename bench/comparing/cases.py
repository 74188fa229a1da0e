"""The questions. Each case measures one running proxy and returns a number for each of its metrics."""

import re
import signal
import subprocess
from dataclasses import dataclass

from comparing import load, machine
from comparing.contestants import USER, Proxy


@dataclass
class Metric:
    name: str
    title: str
    unit: str
    budget: float | None = None
    budget_is_absolute: bool = False


class Bench:
    """What all cases share: the server, a folder, the length of a run, and proxies that stay up between rounds."""

    def __init__(self, postgres, folder, seconds):
        self.postgres, self.folder, self.seconds = postgres, folder, seconds
        self._running = {}

    def proxy(self, contestant, **how):
        key = (contestant.name, tuple(sorted(how.items())))
        if key not in self._running:
            self._running[key] = self.fresh_proxy(contestant, **how)
            load.pgbench(self._running[key], "-S", "-c", 20, "-t", 50, user=USER)  # opens the servers
        return self._running[key]

    def fresh_proxy(self, contestant, **how):
        return Proxy(contestant, self.postgres, self.folder, **how)

    def stop(self):
        for proxy in self._running.values():
            proxy.stop()
        self._running = {}

    def script(self, name, text):
        path = self.folder / f"{name}.sql"
        path.write_text(text)
        return path


class Case:
    slow = False          # only when asked for by name or by its own option
    rounds_wanted = None  # None: as many as the run has

    metrics: list[Metric]

    def measure(self, bench, contestant):
        raise NotImplementedError


class CpuPerTransaction(Case):
    """Microseconds of a core for each transaction, at a load that keeps the proxy busy."""

    def __init__(self, name, title, options, budget=None, auth_type="trust", workers=1, script=None, tls=False):
        self.options, self.auth_type, self.workers, self.script, self.tls = options, auth_type, workers, script, tls
        self.metrics = [Metric(name, title, "µs CPU/tx", budget)]

    def measure(self, bench, contestant):
        proxy = bench.proxy(contestant, auth_type=self.auth_type, workers=self.workers, tls=self.tls)
        options = [*self.options, "-T", bench.seconds]
        if self.script:
            options += ["-f", bench.script(self.metrics[0].name, self.script)]
        before = proxy.cpu_nanoseconds()
        done = load.pgbench(proxy, *options, user=USER, pin=self.workers == 1)
        return [(proxy.cpu_nanoseconds() - before) / 1000 / done]


class CpuPerGigabyte(Case):
    """A result of 100 MB, thrown away by the client, in rows of a given size on the wire."""

    def __init__(self, row_bytes, budget=None, tls=False):
        self.row_bytes, self.tls = row_bytes, tls
        kind, words = ("tls_result", ", TLS") if tls else ("result", "")
        self.metrics = [Metric(f"{kind}_{row_bytes}", f"100 MB result, {row_bytes}-byte rows{words}", "ms CPU/GB", budget)]

    def measure(self, bench, contestant):
        proxy = bench.proxy(contestant, auth_type="trust", workers=1, tls=self.tls)
        head = 11  # type, length, columns, length of the one column
        sql = f"select repeat('x', {self.row_bytes - head}) from generate_series(1, {100_000_000 // self.row_bytes})"
        with load.log_in(proxy.port, tls=self.tls) as client:
            before = proxy.cpu_nanoseconds()
            received = load.drain_result(client, sql.encode())
            spent = proxy.cpu_nanoseconds() - before
        return [spent / 1e6 / (received / 1e9)]


class Latency(Case):
    """At a fixed rate far below what either can do; from when a transaction was due, so waiting counts."""

    def __init__(self, rate=2000):
        self.rate = rate
        self.metrics = [Metric("latency_p50", f"latency at {rate:,}/s, median", "µs"), Metric("latency_p99", f"latency at {rate:,}/s, 99 %", "µs", 1.1)]

    def measure(self, bench, contestant):
        proxy = bench.proxy(contestant, auth_type="trust", workers=1)
        values = load.latencies(bench.folder, proxy, "-S", "-c", 16, "-j", 1, "-R", self.rate, "-T", bench.seconds)
        return [values[len(values) // 2], values[len(values) * 99 // 100]]


class IdleClientMemory(Case):
    """Private bytes for each logged-in client that does nothing; of a fresh process, since freed memory stays with it."""

    rounds_wanted = 3

    def __init__(self, name, title, count, budget, tls=False, statement=None):
        self.count, self.how = count, {"tls": tls, "statement": statement}
        self.metrics = [Metric(name, f"private memory, {title} of {count:,}", "bytes", budget)]

    def measure(self, bench, contestant):
        count = min(self.count, machine.raise_open_files() - 1000)
        proxy = bench.fresh_proxy(contestant, tls=self.how["tls"])
        try:
            load.IdleClients(proxy.port, 200, **self.how).close()
            load.pgbench(proxy, "-S", "-c", 20, "-t", 50)
            before = machine.private_bytes(proxy.pid)
            clients = load.IdleClients(proxy.port, count, **self.how)
            grown = machine.private_bytes(proxy.pid) - before
            clients.close()
        finally:
            proxy.stop()
        return [grown / count]


class SystemCalls(Case):
    """Counted by strace over two run lengths; the difference has no start-up in it."""

    rounds_wanted = 3
    clients = 32

    def __init__(self):
        self.metrics = [Metric("system_calls", "system calls beside epoll_wait, simple", "calls/tx", 4.3, True),
                        Metric("epoll_waits", "epoll_wait, simple", "calls/tx")]

    def measure(self, bench, contestant):
        proxy = bench.proxy(contestant, auth_type="trust", workers=1)
        short, long = (self._counted(bench, proxy, turns) for turns in (50, 250))
        transactions = self.clients * 200
        waits = sum(long.get(name, 0) - short.get(name, 0) for name in ("epoll_wait", "epoll_pwait", "epoll_pwait2"))
        everything = sum(long.values()) - sum(short.values())
        return [(everything - waits) / transactions, waits / transactions]

    def _counted(self, bench, proxy, turns):
        output = bench.folder / "strace.txt"
        strace = subprocess.Popen(["strace", "-c", "-f", "-q", "-o", output, "-p", str(proxy.pid)], stderr=subprocess.DEVNULL)
        try:
            machine.wait_until(lambda: self._is_traced(proxy.pid), 10, "strace to attach")
            load.pgbench(proxy, "-S", "-c", self.clients, "-j", 1, "-t", turns)
        finally:
            machine.end(strace, signal.SIGINT)
        counts = {}
        for line in output.read_text().splitlines():
            fields = line.split()
            if len(fields) >= 5 and fields[0].replace(".", "").isdigit() and fields[-1] != "total":
                counts[fields[-1]] = int(fields[3])
        return counts

    @staticmethod
    def _is_traced(pid):
        return "TracerPid:\t0\n" not in open(f"/proc/{pid}/status").read()


class UnderValgrind(Case):
    """A number that valgrind prints at the end, for two lengths of the same work; the difference for each transaction."""

    slow = True
    rounds_wanted = 1
    lengths = (1000, 4000)

    def __init__(self, name, title, unit, tool, pattern, protocol="simple", budget=None):
        self.tool, self.pattern, self.protocol = tool, pattern, protocol
        self.metrics = [Metric(name, title, unit, budget, True)]

    def measure(self, bench, contestant):
        totals = [self._total(bench, contestant, length) for length in self.lengths]
        return [(totals[1] - totals[0]) / (self.lengths[1] - self.lengths[0])]

    def _total(self, bench, contestant, transactions):
        proxy = bench.fresh_proxy(contestant, under=["valgrind", *self.tool])
        try:
            load.pgbench(proxy, "-S", "-M", self.protocol, "-c", 1, "-t", transactions)
        finally:
            said = proxy.stop(with_signal=signal.SIGINT, seconds=60)
        found = re.search(self.pattern, said)
        if not found:
            raise machine.Failed(f"valgrind said no total: {said[-500:]}")
        return int(found.group(1).replace(",", ""))


def pipeline_of(statements):
    sets = "".join(f"\\set aid{n} random(1, 1000000)\n" for n in range(statements))
    selects = "".join(f"SELECT abalance FROM pgbench_accounts WHERE aid = :aid{n};\n" for n in range(statements))
    return f"{sets}\\startpipeline\n{selects}\\endpipeline\n"


def instructions(protocol, budget=None):
    return UnderValgrind(f"instructions_{protocol}", f"user instructions, {protocol}", "instr/tx",
                         ["--tool=callgrind", "--callgrind-out-file=/dev/null"], r"Collected : (\d+)", protocol, budget)


def all_cases():
    busy = ["-S", "-c", 32, "-j", 1]
    return [
        CpuPerTransaction("simple", "simple, 32 clients", [*busy, "-M", "simple"], 0.9),
        CpuPerTransaction("extended", "extended, 32 clients", [*busy, "-M", "extended"], 0.9),
        CpuPerTransaction("prepared", "prepared, 32 clients", [*busy, "-M", "prepared"], 0.85),
        CpuPerTransaction("tpcb", "TPC-B-like, 16 clients", ["-c", 16, "-j", 1], 0.85),
        CpuPerTransaction("tpcb_prepared", "TPC-B-like, prepared, 16 clients", ["-c", 16, "-j", 1, "-M", "prepared"], 0.85),
        CpuPerTransaction("clients_1000", "simple, 1,000 clients", ["-S", "-c", 1000, "-j", 1], 0.8),
        CpuPerTransaction("pipeline_extended", "pipelines of ten, extended", ["-c", 16, "-j", 1, "-M", "extended"], 0.9, script=pipeline_of(10)),
        CpuPerTransaction("pipeline_prepared", "pipelines of ten, prepared", ["-c", 16, "-j", 1, "-M", "prepared"], 0.3, script=pipeline_of(10)),
        CpuPerTransaction("churn_trust", "connection for each transaction, trust", ["-C", "-S", "-c", 8, "-j", 1], 1.0),
        CpuPerTransaction("churn_scram", "connection for each transaction, SCRAM", ["-C", "-S", "-c", 8, "-j", 1], 0.8, auth_type="scram-sha-256"),
        CpuPerGigabyte(1024, 0.45),
        CpuPerGigabyte(64, 0.75),
        CpuPerTransaction("tls_simple", "simple, 32 clients, TLS", [*busy, "-M", "simple"], 0.8, tls=True),
        CpuPerTransaction("tls_churn_trust", "connection for each transaction, TLS", ["-C", "-S", "-c", 8, "-j", 1], 0.8, tls=True),
        CpuPerTransaction("tls_churn_scram", "connection for each transaction, SCRAM over TLS", ["-C", "-S", "-c", 8, "-j", 1], 0.7,
                          auth_type="scram-sha-256", tls=True),
        CpuPerGigabyte(1024, 0.45, tls=True),
        Latency(),
        CpuPerTransaction("two_workers", "two workers / two processes, 4,000/s", ["-S", "-c", 32, "-j", 1, "-R", 4000], 1.0, workers=2),
        IdleClientMemory("idle_client", "idle client", 9000, 0.6),
        IdleClientMemory("idle_prepared_client", "idle client with a prepared statement", 9000, 0.6, statement="select 1"),
        IdleClientMemory("idle_tls_client", "idle TLS client", 3000, 0.9, tls=True),
        SystemCalls(),
        instructions("simple", 2000),
        instructions("extended"),
        instructions("prepared"),
        UnderValgrind("allocations", "heap allocations, simple", "allocs/tx", ["--tool=dhat", "--dhat-out-file=/dev/null"],
                      r"Total: +[\d,]+ bytes in ([\d,]+) blocks", budget=0),
    ]
