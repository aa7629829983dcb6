"""From a phone's POST to the number a creator sees: how long, and how many events per second."""

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import msgspec

from bench.folding import WHOLE_PATH_CONNECTIONS, add
from bench.ingest import NAIVE_DEVICES, Run, run_naive
from bench.load import HOST, build
from bench.plan import Bench
from bench.processes import BenchError, Server
from bench.subjects import Counting, order_for
from bench.traffic import Device, Expected

POLL_SECONDS = 0.005
"""Between two looks at the rollup."""
GIVE_UP_SECONDS = 60


@dataclass(frozen=True)
class Subject:
    """Ours or the baseline's: where to send, and where to look."""

    server: Server
    episodes: tuple[str, ...]
    devices: Callable[[int], tuple[Device, ...]]
    counted: Callable[[], Expected]


class PathRow(msgspec.Struct):
    """Latencies in ms over all tries; throughput as the median of the repeats."""

    p50_ms: float
    p99_ms: float
    naive_p50_ms: float
    naive_p99_ms: float
    events_per_second: float
    naive_events_per_second: float
    latencies_ms: list[float]
    naive_latencies_ms: list[float]
    runs: list[float]
    naive_runs: list[Run]


def measure_path(bench: Bench, counting: Counting) -> PathRow:
    """With API and worker running side by side, as in an installation."""
    plan = bench.plan
    earshot, server, naive = counting.earshot, counting.server, counting.naive
    earshot.start_worker()

    ours = Subject(server, earshot.episodes, earshot.devices, lambda: earshot.counted(server))
    theirs = Subject(naive.server, naive.episodes, naive.devices, naive.counted)
    latencies = _latencies(bench, ours, "whole path, one batch at a time")
    naive_latencies = _latencies(bench, theirs, "the same, naive")
    runs, naive_runs = [], []
    for repeat in range(plan.path_repeats):
        bench.tell(f"whole path under load, round {repeat + 1} of {plan.path_repeats}")
        runs.append(_throughput(bench, ours, plan.path_events, repeat))
        devices = naive.devices(NAIVE_DEVICES)
        naive_runs.append(run_naive(bench, naive, devices, WHOLE_PATH_CONNECTIONS, seed=repeat))
    return PathRow(
        *_percentiles(latencies),
        *_percentiles(naive_latencies),
        events_per_second=median(runs),
        naive_events_per_second=median(run.events_per_second for run in naive_runs),
        latencies_ms=latencies,
        naive_latencies_ms=naive_latencies,
        runs=runs,
        naive_runs=naive_runs,
    )


def _latencies(bench: Bench, subject: Subject, what: str) -> list[float]:
    """One batch of a new device, then look until its start is counted; ms from before the POST, try by try."""
    tries = bench.plan.path_tries
    order = order_for(subject.server, subject.devices(tries), subject.episodes, events=tries * 20, seed=7)
    connection = http.client.HTTPConnection(HOST, subject.server.port, timeout=30)
    latencies = []
    for number, request in enumerate(build(order).requests, 1):
        bench.tell(f"{what}, {number} of {tries}")
        before = subject.counted()
        started = time.perf_counter()
        _post(connection, request)
        _wait_until(lambda before=before: subject.counted().starts > before.starts)
        latencies.append((time.perf_counter() - started) * 1000)
    connection.close()
    return latencies


def _post(connection: http.client.HTTPConnection, request: bytes) -> None:
    if connection.sock is None:
        connection.connect()
    connection.sock.sendall(request)
    answer = http.client.HTTPResponse(connection.sock, method="POST")
    answer.begin()
    text = answer.read()
    if answer.status != 202:
        raise BenchError(f"POST /v1/sync got {answer.status}: {text[:300]!r}")


def _throughput(bench: Bench, subject: Subject, events: int, seed: int) -> float:
    """Events per second from the first POST until the last event is counted."""
    expected = subject.counted()
    devices = subject.devices(max(events // 100, WHOLE_PATH_CONNECTIONS))
    order = order_for(
        subject.server, devices, subject.episodes, events=events, connections=WHOLE_PATH_CONNECTIONS, seed=1000 + seed
    )
    result = bench.loader.send(order)
    if result.failures:
        raise BenchError(f"sending failed: {result.failures}")
    sent = time.perf_counter()
    add(expected, result.expected)
    _wait_until(lambda: subject.counted() == expected)
    return result.events / (result.seconds + time.perf_counter() - sent)


def _wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while not is_true():
        if time.monotonic() > deadline:
            raise BenchError(f"the counts were not what they must be after {GIVE_UP_SECONDS} s")
        time.sleep(POLL_SECONDS)


def _percentiles(latencies: list[float]) -> tuple[float, float]:
    ordered = sorted(latencies)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
