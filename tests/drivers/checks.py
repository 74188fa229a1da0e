"""What the Python runs of tests/drivers share: the world they are called in, many clients at once, the line of a check."""
import asyncio
import inspect
import os
import sys
import threading

PROXY_PORT = int(os.environ["PGPORT"])
SERVER_PORT = int(os.environ["SERVER_PORT"])
DATABASE = os.environ["PGDATABASE"]
PASSWORD = os.environ["PGPASSWORD"]
CA_FILE = os.environ.get("PGSSLROOTCERT")                 # set: this run is over TLS
IN_SESSION_POOL = os.environ["POOL_MODE"] == "session"
CLIENTS, SERVERS = int(os.environ["CLIENTS"]), int(os.environ["SERVERS"])

URL_HOST = f"app:{PASSWORD}@127.0.0.1:{PROXY_PORT}/{DATABASE}"

# How many servers serve this database; one more row than the bound means that the proxy broke it.
COUNT_SERVERS = "select count(*) from pg_stat_activity where datname = current_database() and backend_type = 'client backend'"
COUNT_PREPARED = "select count(*) from pg_prepared_statements where not from_sql"


def on_many_clients(work, count=CLIENTS):
    """Runs work(number) on as many threads at once; the first exception is raised here."""
    errors, results = [], [None] * count

    def guarded(number):
        try:
            results[number] = work(number)
        except BaseException as error:  # noqa: B902 - carried over to the caller's thread
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
        assert not thread.is_alive(), "a client hangs"
    if errors:
        raise errors[0]
    return results


def assert_shared(pids):
    """pids: the servers that each of CLIENTS clients saw while all of them were connected."""
    used = len(set(pids))
    assert len(pids) >= CLIENTS and 1 <= used <= SERVERS, f"{len(pids)} clients used {used} servers"


def run(checks):
    failed = 0
    for check in checks:
        name = check.__name__.replace("_", " ")
        try:
            if inspect.iscoroutinefunction(check):
                asyncio.run(asyncio.wait_for(check(), 120))
            else:
                check()
            print("ok", name, flush=True)
        except Exception as error:
            failed += 1
            print(f"FAILED {name}: {type(error).__name__}: {error}".replace("\n", " "), flush=True)
    sys.exit(1 if failed else 0)
