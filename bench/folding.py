"""How fast the worker folds a log that is there already, beside the baseline that counts in the request."""

import subprocess
import sys
from statistics import median

import msgspec

from bench.fold_log import Folded
from bench.ingest import NAIVE_DEVICES, Run, run_naive
from bench.plan import Bench
from bench.processes import BenchError, Server
from bench.subjects import Counting, Earshot, order_for
from bench.traffic import Expected

FOLD_DEVICES = 1024
WHOLE_PATH_CONNECTIONS = 8
FOLD = ("-m", "bench.fold_log")
FOLD_PARTS = (*FOLD, "--parts")
FOLD_SECONDS = 300
"""A fold that takes longer has gone wrong."""


class FoldingRow(msgspec.Struct):
    """The median of the repeats, and the time's parts from one more run."""

    events: int
    """In the log, per repeat."""
    events_per_second: float
    events_per_cpu_second: float
    naive_events_per_second: float
    """The baseline's whole path: received, kept and counted, over HTTP at 8 connections."""
    runs: list[Folded]
    naive_runs: list[Run]
    parts: dict[str, float]
    """Seconds by step, of one run."""


def measure_folding(bench: Bench, counting: Counting) -> FoldingRow:
    """Fill the log over HTTP, fold it, check the numbers; the baseline in between."""
    plan = bench.plan
    earshot, server, naive = counting.earshot, counting.server, counting.naive
    runs, naive_runs, expected = [], [], earshot.counted(server)
    for repeat in range(plan.fold_repeats + 1):
        is_extra = repeat == plan.fold_repeats
        bench.tell(f"folding, {'where the time goes' if is_extra else f'round {repeat + 1} of {plan.fold_repeats}'}")
        events = fill(bench, earshot, server, expected, seed=repeat)
        runs.append(fold(bench, earshot, run=FOLD_PARTS if is_extra else FOLD))
        _check(earshot.counted(server), expected, runs[-1].events, events)
        if not is_extra:
            naive_runs.append(
                run_naive(bench, naive, naive.devices(NAIVE_DEVICES), WHOLE_PATH_CONNECTIONS, seed=repeat)
            )
    *runs, extra = runs
    return FoldingRow(
        events=events,
        events_per_second=median(run.events / run.seconds for run in runs),
        events_per_cpu_second=median(run.events / run.cpu_seconds for run in runs),
        naive_events_per_second=median(run.events_per_second for run in naive_runs),
        runs=runs,
        naive_runs=naive_runs,
        parts=extra.parts,
    )


def fill(bench: Bench, earshot: Earshot, server: Server, expected: Expected, seed: int) -> int:
    """Put new devices' events into the log, and what they must count to into `expected`; how many events."""
    devices = earshot.devices(FOLD_DEVICES)
    order = order_for(server, devices, earshot.episodes, events=bench.plan.fold_events, connections=64, seed=seed)
    result = bench.loader.send(order)
    if result.failures:
        raise BenchError(f"filling the log failed: {result.failures}")
    add(expected, result.expected)
    return result.events


def fold(bench: Bench, earshot: Earshot, run: tuple[str, ...] = FOLD) -> Folded:
    """Fold what is in the log, in a process of its own."""
    process = bench.processes.start(*run, environment=earshot.environment, pipes=True, log="fold.log")
    try:
        printed, _ = process.communicate(timeout=FOLD_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"folding took over {FOLD_SECONDS} s") from error
    if process.returncode:
        sys.stderr.write((bench.processes.folder / "fold.log").read_text())
        raise BenchError(f"folding ended with {process.returncode}")
    return msgspec.json.decode(printed, type=Folded)


def _check(counted: Expected, expected: Expected, folded: int, events: int) -> None:
    if counted != expected or folded != events:
        raise BenchError(f"the counts are wrong: {folded} of {events} events gave {counted}, expected {expected}")


def add(total: Expected, more: Expected) -> None:
    """Counts of other devices."""
    total.starts += more.starts
    total.listens += more.listens
    total.heard_seconds += more.heard_seconds
