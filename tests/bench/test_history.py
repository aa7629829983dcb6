"""The same traffic is folded with much and with little history, into stores that the worker itself has filled."""

from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import Engine, text

from bench.fold_log import Folded
from bench.history import HistoryRow, Size, measure_history, ratio
from bench.machine import Machine
from bench.past import PAST_DAYS, fill
from bench.plan import QUICK, Bench
from bench.processes import Loader, Processes
from bench.ratios import targets
from bench.report import Report, show
from bench.subjects import EPISODE_MS, Earshot
from bench.traffic import DAY_MS
from models.engine import make_engine
from tests.device import now_ms

SMALL = replace(QUICK, history_known=(2_000, 20_000), history_events=2_000, history_repeats=2)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Real processes in the test's own folder."""
    with Processes(tmp_path) as group:
        yield group


@pytest.fixture
def filled(processes: Processes) -> Iterator[tuple[Engine, int]]:
    """A store with a year of listening of 20 devices, and the instant at which the year ends."""
    earshot = Earshot(processes, "filled", published_days=PAST_DAYS + 30)
    engine = make_engine(earshot.store_url)
    devices = [bytes([number]) * 16 for number in range(20)]
    now = now_ms()
    chains = fill(
        engine, devices, earshot.episodes, events=10_000, now_ms=now, episode_ms=EPISODE_MS, tell=lambda _: None
    )
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT device, last_seq, last_id FROM device_log ORDER BY device"))
        stands = [(device, seq, last_id.hex()) for device, seq, last_id in stored]
    assert stands == [(device, chains[device].last_seq, chains[device].last_id) for device in devices]
    yield engine, now
    engine.dispose()


def test_the_past_is_a_year_in_which_all_of_it_counted(filled: tuple[Engine, int]) -> None:
    engine, now = filled
    with engine.connect() as connection:

        def find(statement: str) -> tuple:
            return tuple(connection.execute(text(statement)).one())

        (counted,) = find("SELECT sum(events) FROM pipeline_day WHERE outcome = 'counted'")
        assert 9_000 < counted < 11_000
        assert find("SELECT sum(events) FROM pipeline_day") == (counted,)
        assert find("SELECT sum(events) FROM arrival_day") == (counted,)
        first, last = find("SELECT min(received_day), max(received_day) FROM arrival_day")
        assert first == now // DAY_MS - PAST_DAYS
        # In the first hours of a UTC day perhaps nothing has come yet.
        assert last in {now // DAY_MS, now // DAY_MS - 1}
        (late,) = find("SELECT sum(events) FROM arrival_day WHERE day < received_day - 1")
        assert 0.15 * counted < late < 0.4 * counted
        assert find("SELECT count(*) FROM device_log WHERE missing <> '[]' OR is_forked OR is_broken") == (0,)
        assert find("SELECT next_offset FROM consumer_offset") == (0,)
        (playbacks,) = find("SELECT count(*) FROM playback")
        assert counted / 60 < playbacks < counted / 5


def test_both_stores_fold_the_same_traffic_and_their_sizes_are_known(processes: Processes) -> None:
    said: list[str] = []
    rows = measure_history(Bench(SMALL, processes, Loader(processes), said.append))
    assert [0.9 < row.size.known_events / known < 1.1 for row, known in zip(rows, SMALL.history_known, strict=True)]
    assert [row.events for row in rows] == [1600, 1600], "three quarters of the traffic, and a twentieth again"
    assert [len(row.runs) for row in rows] == [2, 2]
    few, many = (row.size for row in rows)
    assert many.playbacks > 5 * few.playbacks
    assert many.devices > few.devices
    assert many.file_bytes > many.playback_bytes > few.playback_bytes > 0
    assert any("20k events" in text for text in said)


def row(known: int, *seconds: float) -> HistoryRow:
    """A store, and how long its runs took; half of that on the CPU."""
    runs = [Folded(1000, second, second / 2) for second in seconds]
    return HistoryRow(Size(known, known // 20, known // 500, known * 20, None), 1000, 1000.0, 2000.0, runs)


def test_the_ratio_is_that_of_runs_that_were_made_one_after_the_other() -> None:
    # In the third round something else kept the machine busy; both runs of it suffered.
    rows = [row(100_000, 1.0, 1.0, 5.0), row(10_000_000, 1.25, 1.25, 5.0)]
    assert ratio(rows) == (0.8, 0.8)
    (target,) = targets(None, None, rows)
    assert (target.what, target.target, target.is_met) == ("folding at 10,000,000 known events / at 100,000", 0.7, True)
    (target,) = targets(None, None, [row(100_000, 1.0), row(10_000_000, 1.5)])
    assert not target.is_met


def test_the_report_has_bytes_per_playback() -> None:
    rows = [row(100_000, 1.0), row(10_000_000, 1.25)]
    report = Report(Machine("now", 2, "3.11", "test", 0.0, 1.0), history=rows, targets=targets(None, None, rows))
    printed_to = StringIO()
    show(report, Console(width=150, file=printed_to))
    printed = printed_to.getvalue()
    assert "10,000,000" in printed
    assert "500,000" in printed, "playbacks"
    assert "400" in printed, "bytes a playback"
    assert "0.80 x" in printed
