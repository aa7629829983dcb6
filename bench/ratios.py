"""The targets, and whether this run met them."""

from statistics import median

import msgspec

from bench.folding import FoldingRow
from bench.history import HistoryRow, ratio
from bench.importing import ImportRow
from bench.ingest import IngestRow
from bench.plan import USUAL_BATCH
from bench.reach import TARGET_MS, ReachRow

INGEST_RATIO = 50
"""Durable HTTP ingest, times the baseline's, at 8 and at 64 connections."""
FOLDING_RATIO = 100
"""Folding, times the baseline's whole path."""
FOLDING_RATE = 100_000
"""Events per second on one core."""
HISTORY_RATIO = 0.7
"""Folding with much history, times folding with little."""

IMPORT_RATE = 100_000
"""Lines of a packed nginx log to committed downloads, per second on one core."""
IMPORT_RATIO = 1
"""The same, times a baseline that reads line by line and counts by simpler rules."""


class Target(msgspec.Struct):
    """One target beside what was measured."""

    what: str
    measured: float
    target: float
    unit: str
    is_met: bool
    by_cpu_time: float
    """The same from CPU times, on which other programs on the machine weigh less."""


def targets(
    ingest: list[IngestRow] | None,
    folding: FoldingRow | None,
    history: list[HistoryRow] | None = None,
    importing: ImportRow | None = None,
    reach: ReachRow | None = None,
) -> list[Target]:
    """Those that the measured parts can answer."""
    found = []
    if ingest:
        rows = {(row.subject, row.connections): row for row in ingest if row.batch_size == USUAL_BATCH}
        for connections in (8, 64):
            ours, naive = rows["earshot", connections], rows["naive", connections]
            ratio = ours.events_per_second / naive.events_per_second
            by_cpu = naive.server_cpu_us / ours.server_cpu_us
            found.append(_target(f"ingest / naive, {connections} connections", ratio, INGEST_RATIO, "x", by_cpu))
    if folding:
        ratio = folding.events_per_second / folding.naive_events_per_second
        by_cpu = folding.events_per_cpu_second * median(run.server_cpu_us for run in folding.naive_runs) / 1e6
        found.append(_target("folding / naive whole path", ratio, FOLDING_RATIO, "x", by_cpu))
        rate, by_cpu = folding.events_per_second, folding.events_per_cpu_second
        found.append(_target("folding, one core", rate, FOLDING_RATE, "events/s", by_cpu))
    if history:
        few, many = (f"{row.size.known_events:,}" for row in history)
        found.append(_target(f"folding at {many} known events / at {few}", *_history(history)))
    if importing:
        found += _importing(importing)
    if reach:
        found += _reach(reach)
    return found


def _importing(row: ImportRow) -> list[Target]:
    ratio = row.whole_per_second / row.naive_per_second
    return [
        _target("log to downloads, one core", row.whole_by_clock, IMPORT_RATE, "lines/s", row.whole_per_second),
        _target("log to downloads / naive", ratio, IMPORT_RATIO, "x", ratio),
    ]


def _reach(row: ReachRow) -> list[Target]:
    """Here less is better."""
    return [
        Target(f"{it.what}, at most", it.median_ms, TARGET_MS, "ms", it.median_ms <= TARGET_MS, it.cpu_ms)
        for it in row.answers
    ]


def _history(rows: list[HistoryRow]) -> tuple[float, float, str, float]:
    by_clock, by_cpu = ratio(rows)
    return by_clock, HISTORY_RATIO, "x", by_cpu


def _target(what: str, measured: float, target: float, unit: str, by_cpu_time: float) -> Target:
    return Target(what, measured, target, unit, measured >= target, by_cpu_time)
