"""How many events per second become durable over HTTP, and how long a phone waits for its 202."""

from collections import defaultdict
from statistics import median

import msgspec

from bench.load import Order, Result
from bench.plan import BATCH_SIZES, CONNECTIONS, USUAL_BATCH, Bench
from bench.processes import Server
from bench.subjects import Earshot, Naive, order_for
from bench.traffic import Device

POOL_EVENTS = {1: 8_192, 20: 51_200, 500: 64_000}
"""Events built per batch size; sent again from the start when a run is through with them, since Earshot's request path
neither knows nor asks what it has taken before."""
OUR_DEVICES = 128
NAIVE_DEVICES = 64
NAIVE_MOST_PER_SECOND = 6000
"""More than the baseline takes; it gets new events for every run, because it skips those that it knows."""

Cell = tuple[str, int, int]
"""Subject, events a batch, connections."""


class Run(msgspec.Struct):
    """One run of one cell."""

    events_per_second: float
    p50_ms: float
    p99_ms: float
    server_cpu_us: float
    """CPU time of the server per event, all its threads."""
    load_cpu_share: float
    """Share of one core that the load generator used."""
    failures: dict[str, int]


class IngestRow(msgspec.Struct):
    """The median run of a cell, figure by figure."""

    subject: str
    batch_size: int
    connections: int
    events_per_second: float
    p50_ms: float
    p99_ms: float
    server_cpu_us: float
    load_cpu_share: float
    failures: dict[str, int]
    runs: list[Run]


def measure_ingest(bench: Bench) -> list[IngestRow]:
    """Every cell in turn, then all over again."""
    plan = bench.plan
    earshot = Earshot(bench.processes, "ingest")
    ours, naive = earshot.serve(), Naive(bench.processes, "naive-ingest", is_counting=False)
    our_devices, naive_devices = earshot.devices(OUR_DEVICES), naive.devices(NAIVE_DEVICES)
    runs: dict[Cell, list[Run]] = defaultdict(list)
    for repeat in range(plan.repeats):
        for connections in CONNECTIONS:
            bench.tell(f"ingest, round {repeat + 1} of {plan.repeats}, {connections} connections")
            seed = repeat * 100 + connections
            runs["naive", USUAL_BATCH, connections].append(run_naive(bench, naive, naive_devices, connections, seed))
            for size in BATCH_SIZES:
                order = order_for(ours, our_devices, earshot.episodes, events=POOL_EVENTS[size], batch_size=size,
                                  connections=connections, seconds=plan.seconds,
                                  warm_up_seconds=plan.warm_up_seconds)  # fmt: skip
                runs["earshot", size, connections].append(run_once(bench, ours, order))
    return [_row(*cell, runs[cell]) for cell in sorted(runs)]


def run_naive(bench: Bench, naive: Naive, devices: tuple[Device, ...], connections: int, seed: int) -> Run:
    """Send new events to the baseline for a while; if it counts, what it answers is in its rollup already."""
    plan = bench.plan
    seconds = plan.naive_seconds * (2 if connections > 8 else 1)
    events = round(NAIVE_MOST_PER_SECOND * (seconds + plan.naive_warm_up_seconds))
    order = order_for(naive.server, devices, naive.episodes, events=events, connections=connections, seed=seed,
                      seconds=seconds, warm_up_seconds=plan.naive_warm_up_seconds)  # fmt: skip
    return run_once(bench, naive.server, order)


def run_once(bench: Bench, server: Server, order: Order) -> Run:
    """Send for a while, and read the server's clock around it."""
    before = server.cpu_seconds()
    result = bench.loader.send(order)
    used = server.cpu_seconds() - before
    return Run(
        events_per_second=result.events_per_second,
        p50_ms=result.p50_ms,
        p99_ms=result.p99_ms,
        server_cpu_us=used / max(result.all_events, 1) * 1e6,
        load_cpu_share=_load_share(order, result),
        failures=result.failures,
    )


def _load_share(order: Order, result: Result) -> float:
    return result.cpu_seconds / (result.seconds + order.warm_up_seconds)


def _row(subject: str, batch_size: int, connections: int, runs: list[Run]) -> IngestRow:
    failures: dict[str, int] = defaultdict(int)
    for run in runs:
        for status, count in run.failures.items():
            failures[status] += count
    figures = ("events_per_second", "p50_ms", "p99_ms", "server_cpu_us", "load_cpu_share")
    medians = {name: median(getattr(run, name) for run in runs) for name in figures}
    return IngestRow(
        subject=subject,
        batch_size=batch_size,
        connections=connections,
        failures=dict(failures),
        runs=runs,
        **medians,
    )
