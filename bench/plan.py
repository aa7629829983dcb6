"""How much is measured, and what with."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.processes import Loader, Processes

BATCH_SIZES = (1, 20, 500)
CONNECTIONS = (1, 8, 64)
USUAL_BATCH = 20
"""Events in the batches that ratios are about."""


@dataclass(frozen=True)
class Plan:
    """Repetitions are interleaved, ours and the baseline's in turn, so that noise hits both; medians are shown."""

    repeats: int
    seconds: float
    """One run of one cell of the ingest table."""
    naive_seconds: float
    """The baseline answers so rarely that its runs must be longer, twice as long with 64 connections."""
    naive_warm_up_seconds: float
    """Until its first answers are out; a rate taken before would be too low."""
    warm_up_seconds: float
    fold_repeats: int
    fold_events: int
    path_tries: int
    path_repeats: int
    path_events: int
    import_lines: int
    import_repeats: int
    history_known: tuple[int, int]
    """Events that the two stores know before the same traffic is folded into both."""
    history_events: int
    history_repeats: int
    reach_devices: int
    """Of each show and day."""
    reach_repeats: int


FULL = Plan(
    repeats=5,
    seconds=1.0,
    naive_seconds=2.0,
    naive_warm_up_seconds=1.0,
    warm_up_seconds=0.2,
    fold_repeats=3,
    fold_events=300_000,
    path_tries=50,
    path_repeats=3,
    path_events=100_000,
    import_lines=1_000_000,
    import_repeats=5,
    history_known=(100_000, 10_000_000),
    history_events=200_000,
    history_repeats=7,
    reach_devices=10_000,
    reach_repeats=7,
)
QUICK = Plan(
    repeats=3,
    seconds=0.3,
    naive_seconds=1.0,
    naive_warm_up_seconds=0.7,
    warm_up_seconds=0.1,
    fold_repeats=1,
    fold_events=60_000,
    path_tries=15,
    path_repeats=1,
    path_events=20_000,
    import_lines=200_000,
    import_repeats=3,
    history_known=(20_000, 400_000),
    history_events=60_000,
    history_repeats=3,
    reach_devices=1_000,
    reach_repeats=3,
)


@dataclass(frozen=True)
class Bench:
    """What every measure needs."""

    plan: Plan
    processes: Processes
    loader: Loader
    tell: Callable[[str], None]
    """Shows what is being done."""
