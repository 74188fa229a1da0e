"""What the Python runs of this folder share: the line of a check, a patient look, and one at a process."""
import sys
import time

failures = 0


def check(name, holds, why=""):
    global failures
    if holds:
        return print(f"ok {name}")
    failures += 1
    print(f"FAILED {name}: {why}")


def eventually(holds, seconds=10):
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def finish():
    sys.exit(1 if failures else 0)


def received_until_end(plain):
    """What a socket still gives up to its end, orderly or not."""
    got = b""
    try:
        while more := plain.recv(65536):
            got += more
    except ConnectionResetError:
        pass
    return got


def resident_kib(pid):
    """Always 0 under a sanitizer, whose own memory tells nothing."""
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps:
        if any("/libasan.so" in line or "/libtsan.so" in line for line in maps):
            return 0
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as maps:    # /proc/PID/status is kept loosely
        return next(int(line.split()[1]) for line in maps if line.startswith("Rss:"))
