"""Both subjects take the same traffic and come to the same counts; nothing is left behind."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import fold_log
from bench.folding import FOLD_PARTS, fill, fold
from bench.ingest import IngestRow, run_once
from bench.plan import QUICK, Bench
from bench.processes import BenchError, Loader, Processes
from bench.ratios import targets
from bench.subjects import Counting, order_for
from bench.traffic import Expected


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Real processes in the test's own folder."""
    with Processes(tmp_path) as group:
        yield group


@pytest.fixture
def bench(processes: Processes) -> Bench:
    """A bench that says nothing."""
    return Bench(QUICK, processes, Loader(processes), lambda _: None)


def test_ours_and_the_baseline_count_the_same_traffic_alike(bench: Bench) -> None:
    counting = Counting(bench.processes)
    naive, earshot = counting.naive, counting.earshot
    # With this seed one log ends with a download alone, which is no start.
    order = order_for(naive.server, naive.devices(8), naive.episodes, events=320, seed=1)
    result = bench.loader.send(order)
    assert (result.events, result.failures) == (320, {})
    assert naive.counted() == result.expected

    again = bench.loader.send(order)
    assert (again.failures, naive.counted()) == ({}, result.expected), "the baseline skips what it knows"

    expected = Expected()
    events = fill(bench, earshot, counting.server, expected, seed=1)
    folded = fold(bench, earshot, run=FOLD_PARTS)
    assert folded.events == events
    assert earshot.counted(counting.server) == expected
    assert set(fold_log.STEPS.values()) | {"read the log", "commit", "the rest"} == set(folded.parts)
    assert all(seconds >= 0 for seconds in folded.parts.values())
    assert folded.seconds == pytest.approx(sum(folded.parts.values()))

    earshot.start_worker()
    run = run_once(bench, counting.server, order_for(counting.server, earshot.devices(8), earshot.episodes, events=320))
    assert run.events_per_second > 0
    assert run.failures == {}


def test_the_steps_that_are_timed_exist() -> None:
    assert [name for module, name in fold_log.STEPS if not callable(getattr(module, name, None))] == []


def test_processes_end_with_the_bench(tmp_path: Path) -> None:
    with Processes(tmp_path) as group:
        process = group.start("-c", "import time; time.sleep(600)")
        assert process.poll() is None
    assert process.poll() is not None


def test_a_server_that_cannot_start_says_why(processes: Processes) -> None:
    with pytest.raises(BenchError, match="no good"):
        processes.serve("-c", "raise SystemExit('no good')", environment={})


def test_targets_are_met_or_missed_by_the_ratio_of_the_same_connections() -> None:
    def row(subject: str, connections: int, rate: float) -> IngestRow:
        return IngestRow(subject, 20, connections, rate, 1.0, 1.0, 1e6 / rate, 0.1, {}, [])

    rows = [row("earshot", 8, 50_000), row("naive", 8, 1000), row("earshot", 64, 49_000), row("naive", 64, 1000)]
    assert [(t.measured, t.target, t.is_met) for t in targets(rows, None)] == [(50.0, 50, True), (49.0, 50, False)]


def test_an_unknown_part_is_refused_by_name() -> None:
    ran = subprocess.run([sys.executable, "-m", "bench", "--only", "ingest,nothing"], capture_output=True, check=False)
    assert ran.returncode == 2
    assert b"nothing" in ran.stderr
