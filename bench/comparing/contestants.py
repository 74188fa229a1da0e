"""The proxies: which program, with which configuration, as how many processes."""

import base64
import hashlib
import hmac
import shutil
import subprocess

from comparing import machine

USER, PASSWORD = "bench", "correct horse"


def scram_secret(password, salt=b"pgweir-bench-001", iterations=1):
    """What both get in their auth file, so that neither derives keys from a plain password in the measured time. A proxy does
    the same for any number of iterations, but the client's would take its core: at PostgreSQL's 4,096 some 100 connections a
    second are left, and what is measured is how a processor wakes up."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    text = [base64.b64encode(part).decode() for part in (salt, hashlib.sha256(client_key).digest(), server_key)]
    return f"SCRAM-SHA-256${iterations}:{text[0]}${text[1]}:{text[2]}"


def certificate_in(folder):
    """A key on P-256 and its certificate, made when first asked for."""
    key, certificate = folder / "bench.key", folder / "bench.crt"
    if not certificate.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                        "-subj", "/CN=localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        key.chmod(0o644)    # for the unprivileged user; it guards nothing
    return key, certificate


class Contestant:
    """A program that reads pgbouncer.ini."""

    def __init__(self, name, program, folder):
        self.name = name
        self.version = self._version(program)
        self.is_pgweir = "pgweir" in self.version.lower() or program.name.startswith("pgweir")
        self.program = program
        if self.is_pgweir:  # the unprivileged user may not see the checkout
            self.program = folder / f"{name}.program"
            shutil.copy(program, self.program)
            self.program.chmod(0o755)

    @staticmethod
    def _version(program):
        answer = subprocess.run([program, "--version"], capture_output=True, text=True)
        return (answer.stdout + answer.stderr).strip().splitlines()[0] if answer.stdout + answer.stderr else "?"


class Proxy:
    """One running contestant; `workers` is threads of one pgweir, or processes of a PgBouncer behind one port."""

    def __init__(self, contestant, postgres, folder, auth_type="trust", workers=1, under=(), pin=True, tls=False):
        self.contestant, self.port, self.tls = contestant, machine.free_port(), tls
        processes = 1 if contestant.is_pgweir else workers
        name = f"{contestant.name}-{auth_type}-{workers}-{self.port}"
        users = folder / "users.txt"
        users.write_text(f'"postgres" ""\n"{USER}" "{scram_secret(PASSWORD)}"\n')
        config = folder / f"{name}.ini"
        config.write_text(self._config(postgres, users, auth_type, workers, processes))
        self.log_path = folder / f"{name}.log"
        self.processes = []
        cores = machine.core(0) if pin and workers == 1 else None
        with self.log_path.open("w") as log:
            for _ in range(processes):
                self.processes.append(machine.start_as_user([*under, contestant.program, config], log, cores))
        try:
            machine.wait_until(lambda: self._ended() or machine.answers(self.port), 60 if under else 10, f"{name} to listen")
            if self._ended():
                raise machine.Failed(f"{name} ended at once")
        except machine.Failed as error:
            self.stop()
            raise machine.Failed(f"{error}: {self.log_path.read_text()[-2000:]}") from None

    def _config(self, postgres, users, auth_type, workers, processes):
        lines = ["[databases]", f"* = host=127.0.0.1 port={postgres.port}", "[pgbouncer]", "listen_addr = 127.0.0.1",
                 f"listen_port = {self.port}", "unix_socket_dir =", f"auth_type = {auth_type}", f"auth_file = {users}",
                 "pool_mode = transaction", f"default_pool_size = {20 // processes}", "max_client_conn = 19000",
                 "max_prepared_statements = 200", "log_connections = 0", "log_disconnections = 0"]
        if self.tls:
            key, certificate = certificate_in(users.parent)
            lines += ["client_tls_sslmode = require", f"client_tls_key_file = {key}", f"client_tls_cert_file = {certificate}"]
        if self.contestant.is_pgweir:
            lines += [f"worker_threads = {workers}", f"admin_http_addr = 127.0.0.1:{machine.free_port()}"]
        if processes > 1:
            lines += ["so_reuseport = 1"]
        return "\n".join(lines) + "\n"

    def _ended(self):
        return any(process.poll() is not None for process in self.processes)

    @property
    def pid(self):
        return self.processes[0].pid

    def cpu_nanoseconds(self):
        return sum(machine.cpu_nanoseconds(process.pid) for process in self.processes)

    def stop(self, **how):
        for process in self.processes:
            machine.end(process, **how)
        return self.log_path.read_text()
