"""What it takes to find out what a user agent and an address are: in CPU time, in this process."""

import random
import time
from collections.abc import Callable, Sequence
from statistics import median

import msgspec

from api.hits.agents import AgentLists, Agents, Entry
from api.hits.agents_table import LISTS
from api.hits.networks import Networks, parse_network
from bench.plan import Bench

DISTINCT = 20_000
"""User agents, and addresses; each asked for once, then again."""
PATTERNS = 2_000
"""As many as OPAWG's lists have."""
NETWORKS = 100_000
REPEATS = 5

KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
SHAPES = (
    "Podcasts/{0}.{1} CFNetwork/1568.{2}.51 Darwin/24.1.0",
    "AppleCoreMedia/1.0.0.22B{0} (iPhone; U; CPU OS 18_{1} like Mac OS X; en_{2})",
    "Spotify/8.9.{0} Android/{1} (SM-G{2})",
    "Overcast/{0}.{1}.{2} (+http://overcast.fm/; iOS podcast app)",
    "AntennaPod/{0}.{1}.{2}",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + KIT + " Chrome/{0}.0.{1}.{2} Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) " + KIT + " Chrome/{0}.0.{1}.{2} Mobile Safari/537.36",
    "Mozilla/5.0 (compatible; SomeBot/{0}.{1}; +https://bots.example/{2})",
    "NobodyKnows/{0}.{1} (build {2})",
)
"""What comes in a log, roughly as often; versions make them distinct."""


class AgentsRow(msgspec.Struct):
    """Microseconds of CPU time for one, medians of the repeats."""

    distinct: int
    patterns: dict[str, int]
    """List -> how many patterns it has."""
    cold_us: dict[str, float]
    """List -> for a user agent that was not seen before."""
    cached_us: float
    networks: int
    address_us: float
    networks_read_us: float
    """For one line of a list of networks."""


def measure_agents(bench: Bench) -> AgentsRow:
    """All in this process: no store, no log, no HTTP."""
    user_agents, hosts = make_user_agents(DISTINCT, seed=1), make_addresses(DISTINCT, seed=2)
    listed = {"own": LISTS, "long": long_lists(PATTERNS)}
    cold: dict[str, float] = {}
    for name, lists in listed.items():
        bench.tell(f"user agents, {name} list")
        cold[name] = median(_time(Agents(lists).find, user_agents) for _ in range(REPEATS))
    warm = Agents(LISTS)
    _time(warm.find, user_agents)
    bench.tell("networks")
    lines = [f"{host}/24" for host in make_addresses(NETWORKS, seed=3, step=256)]
    read = [_time(parse_network, lines) for _ in range(REPEATS)]
    found = Networks(map(parse_network, lines))
    return AgentsRow(
        distinct=DISTINCT,
        patterns={name: len(lists.entries) + len(lists.devices) for name, lists in listed.items()},
        cold_us=cold,
        cached_us=median(_time(warm.find, user_agents) for _ in range(REPEATS)),
        networks=NETWORKS,
        address_us=median(_time(found.covers, hosts) for _ in range(REPEATS)),
        networks_read_us=median(read),
    )


def make_user_agents(number: int, seed: int) -> list[str]:
    """So many, each another one."""
    dice = random.Random(seed)
    made = (SHAPES[n % len(SHAPES)].format(n, dice.randrange(1000), dice.randrange(1000)) for n in range(number))
    return list(made)


def make_addresses(number: int, seed: int, step: int = 1) -> list[str]:
    """So many IPv4 addresses from everywhere; multiples of `step`."""
    dice = random.Random(seed)
    numbers = (dice.randrange(1 << 24, 224 << 24) // step * step for _ in range(number))
    return [".".join(str(part) for part in one.to_bytes(4)) for one in numbers]


def long_lists(patterns: int) -> AgentLists:
    """Lists as long as OPAWG's, mostly of apps that nobody in the bench uses."""
    return AgentLists(
        [*(Entry(f"App {n}", f"^App{n}[ /]|OtherName{n}") for n in range(patterns)), *LISTS.entries], LISTS.devices
    )


def _time(ask: Callable[[str], object], questions: Sequence[str]) -> float:
    started = time.process_time()
    for question in questions:
        ask(question)
    return (time.process_time() - started) / len(questions) * 1e6
