"""Series made by chance from a fixed seed: what no one thought of trying, the server itself says what is right."""
import random

from wire import (FLUSH, SYNC, bind, close_portal, close_statement, describe_portal, describe_statement, execute, parse,
                  query)
from world import scenario

NAMES, PORTALS = ("", "a", "b"), ("", "p")
TEXTS = ("select 1", "select $1::int", "select n from generate_series(1, 3) n", "selec", "select 1/0", "begin", "commit", "rollback",
         "", "select n/(n-2) from generate_series(1, 3) n", "set timezone to 'Asia/Tokyo'", "reset timezone", "deallocate all")
SERIES_OF_ONE_CLIENT = 12


def one_message(chance):
    name, portal = chance.choice(NAMES), chance.choice(PORTALS)
    return chance.choice((
        lambda: parse(name, chance.choice(TEXTS)), lambda: parse(name, chance.choice(TEXTS)), lambda: bind(portal, name),
        lambda: bind(portal, name, chance.choice((1, 0, "x"))), lambda: bind(portal, name), lambda: describe_statement(name),
        lambda: describe_portal(portal), lambda: execute(portal), lambda: execute(portal, 1), lambda: execute(portal),
        lambda: close_statement(name), lambda: close_portal(portal), lambda: FLUSH, lambda: SYNC,
        lambda: query(chance.choice(TEXTS))))()


def step_name(data):
    if data[:1] == b"P":
        return "P" + "=".join(part.decode() for part in data[5:].split(b"\0")[:2])
    return data[:1].decode() + data[5:].replace(b"\0", b" ").decode("latin-1").strip()


def by_chance(world, seed):
    chance = random.Random(seed)
    client = world.client()
    for number in range(SERIES_OF_ONE_CLIENT):
        messages = []
        for _ in range(chance.randint(1, 8)):
            message = one_message(chance)
            if message[:1] == b"P" and message[5:6] != b"\0":      # a name that is taken has scenarios of its own
                messages.append(close_statement(message[5:6].decode()))
            messages.append(message)
        messages.append(SYNC)
        if client.ended:
            client.begin_again()
        client.send(*messages, query("select 'end of the series'"))
        world.note(f"{number}: {' '.join(map(step_name, messages))}", up_to_the_end(client))


def up_to_the_end(client):
    """After an error the server reads no Query up to the next Sync, so how many answers come is not known before."""
    lines = []
    while "D end of the series" not in lines:
        lines += client.lines(timeout=5)
        if client.ended or lines[-1] == "(nothing more)":
            break
    return lines


def register(mode, seed):
    def play(world):
        by_chance(world, seed)
    play.__name__ = f"by_chance_{seed}_{mode}"
    scenario(modes=(mode,), direct=True)(play)


for each_mode in ("session", "transaction"):
    for each_seed in range(12):
        register(each_mode, each_seed)
