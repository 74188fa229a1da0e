"""Processes, and what the kernel says they cost. Nothing here knows what a proxy is."""

import os
import pathlib
import pwd
import random
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"


class Failed(Exception):
    """Something did not run as asked, so there is no number."""


def has_two_cores():
    return len(os.sched_getaffinity(0)) >= 2


def core(number):
    """The n-th core this process may use; what is measured gets 0, the load 1."""
    cores = sorted(os.sched_getaffinity(0))
    return {cores[number % len(cores)]}


def pinned(cores):
    """For subprocess's preexec_fn: None leaves the child where it is."""
    return (lambda: os.sched_setaffinity(0, cores)) if cores and has_two_cores() else None


def raise_open_files():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def unprivileged_user():
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise SystemExit("neither user postgres nor nobody exists")


def make_folder():
    """Open to the unprivileged user, with a path short enough for a socket."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pgweir-bench.", dir="/tmp"))
    folder.chmod(0o755)
    if user := unprivileged_user():
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    while True:
        port = random.randint(10000, 30000)  # below the range of outgoing connections
        if not answers(port):
            return port


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"timed out waiting for {what}")
        time.sleep(0.02)


def start_as_user(command, log, cores=None):
    """As the unprivileged user when root calls; the process id is the command's own."""
    return subprocess.Popen([SCRIPTS / "as_user.sh", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                            preexec_fn=pinned(cores))


def end(process, with_signal=signal.SIGQUIT, seconds=10):
    if process.poll() is None:
        process.send_signal(with_signal)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_nanoseconds(pid):
    """Time on a core so far, user and system, of all threads; finer than utime's ticks."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass  # a thread that ended meanwhile
    return total


def private_bytes(pid):
    total = 0
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(("Private_Clean:", "Private_Dirty:")):
            total += int(line.split()[1]) * 1024
    return total


class Postgres:
    """A throw-away server, scale 10, warm; proxies and rounds share it."""

    def __init__(self, folder):
        self.folder = folder / "postgres"
        self.port = int(self._script("start", "--max-connections", "300", "--conf", "shared_buffers = 512MB",
                                     "--conf", "autovacuum = off", "--conf", "max_wal_size = 4GB"))
        self.sql("create role bench superuser login", "postgres")
        self.sql("create database bench", "postgres")
        subprocess.run(["pgbench", "-i", "-q", "-s", "10", *self.address(), "bench"], check=True, capture_output=True)
        self.sql("create extension if not exists pg_prewarm; select pg_prewarm('pgbench_accounts')", "bench", required=False)

    def address(self):
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]

    def sql(self, text, database, required=True):
        subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", *self.address(), "-c", text, database], check=required, capture_output=True)

    def stop(self):
        self._script("stop")

    def _script(self, verb, *options):
        return subprocess.run([SCRIPTS / "throwaway_pg.sh", verb, self.folder, *options], check=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True).stdout


def description():
    """One line of what these numbers were taken on."""
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) // 1024 // 1024
    return f"{model}, {os.cpu_count()} cores, {memory} GiB, Linux {os.uname().release}"


def commit():
    if not shutil.which("git"):
        return "unknown"
    answer = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return answer.stdout.strip() or "none yet"
