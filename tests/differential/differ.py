#!/usr/bin/env python3
"""Plays each scenario in front of PgBouncer and pgweir and compares what the clients saw (called by `run`).

usage: differ.py PGBOUNCER PGWEIR SERVER_PORT FOLDER [NAME...]     only scenarios whose name has one of these parts
"""
import concurrent.futures
import difflib
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path += [HERE, os.path.join(HERE, "..", "integration")]
sys.dont_write_bytecode = True

import expected  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402
from world import Contestant, World  # noqa: E402

AT_A_TIME = 16                                     # most of the time is waiting


def play(contestant, scenario):
    world = World(contestant, scenario)
    try:
        world.start()
        scenario.play(world)
    except Exception:  # pylint: disable=broad-except   whatever it was, it is the scenario's outcome
        world.note("the scenario broke off", traceback.format_exc().splitlines()[-6:])
    finally:
        world.stop()
    return world.steps


def compare(scenario, seen):
    """The steps that differ and should not, as lines; and the rules that were needed."""
    wrong, needed = [], set()
    theirs, ours = seen["pgbouncer"], seen["pgweir"]
    for number in range(max(len(theirs), len(ours))):
        step, left = theirs[number] if number < len(theirs) else ("(no such step)", "")
        other, right = ours[number] if number < len(ours) else ("(no such step)", "")
        direct = seen["server"][number][1] if number < len(seen.get("server", [])) else None
        as_the_server = right == direct
        left, right, rules = expected.agree(scenario.name, step, left, right, direct)
        needed |= rules
        if step != other or left != right:
            wrong.append(f"  step: {step}" + (f" / {other}" if step != other else ""))
            wrong += shown_difference(left, right, as_the_server)
    return wrong, needed


def shown_difference(left, right, as_the_server):
    diff = difflib.unified_diff(left.splitlines(), right.splitlines(), n=1, lineterm="")
    lines = ["    " + line for line in diff if not line.startswith(("---", "+++", "@@"))]
    if as_the_server:
        lines.append("    (pgweir does as the server does)")
    return lines


def main():
    pgbouncer, pgweir, server_port, folder = sys.argv[1:5]
    contestants = [Contestant("pgbouncer", pgbouncer, folder, int(server_port)),
                   Contestant("pgweir", pgweir, folder, int(server_port)), Contestant("server", "", folder, int(server_port))]
    chosen = [one for one in SCENARIOS if not sys.argv[5:] or any(part in one.name for part in sys.argv[5:])]
    began, needed, steps = time.monotonic(), set(), 0
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        playing = {one.name: {by.name: pool.submit(play, by, one) for by in contestants if by.program or one.direct}
                   for one in chosen}
        for one in chosen:
            seen = {name: future.result() for name, future in playing[one.name].items()}
            wrong, rules = compare(one, seen)
            needed |= rules
            steps += len(seen["pgweir"])
            print(f"FAILED {one.name}: the programs differ" if wrong else f"ok {one.name}", *wrong, sep="\n", flush=True)
    if not sys.argv[5:]:
        for rule in expected.RULES:
            if rule not in needed:
                print(f"no longer differs: {rule.scenario} | {rule.step}: {rule.reason}")
    for rule in expected.OPEN:
        if rule in needed:
            print(f"still open: {rule.reason}")
    print(f"{len(chosen)} scenarios, {steps} steps, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
