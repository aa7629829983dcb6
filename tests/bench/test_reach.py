"""The bench of reach asks all of its questions of a store that it filled itself."""

from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench import reach_filling
from bench.machine import Machine
from bench.plan import QUICK, Bench
from bench.processes import Loader, Processes
from bench.ratios import targets
from bench.reach import TARGET_MS, ReachAnswer, ReachRow, measure_reach
from bench.report import Report, show

SMALL = replace(QUICK, reach_devices=5, reach_repeats=2)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Five devices a show and day, of few shows."""
    monkeypatch.setattr(reach_filling, "SHOWS", 3)
    with Processes(tmp_path) as processes:
        yield Bench(SMALL, processes, Loader(processes), lambda _: None)


def test_every_question_is_answered_and_nothing_is_left(bench: Bench) -> None:
    row = measure_reach(bench)
    assert (row.shows, row.days, row.devices_a_day) == (3, 365, 5)
    assert [len(answer.runs) for answer in row.answers] == [2] * 7
    assert all(answer.median_ms > 0 for answer in row.answers)
    assert list(bench.processes.folder.glob("reach.db")) == []


def test_the_report_says_which_answers_were_quick_enough() -> None:
    answers = [
        ReachAnswer("reach", TARGET_MS - 1, 400, 200, [TARGET_MS - 1.0]),
        ReachAnswer("overlap", TARGET_MS + 1, 400, 200, [TARGET_MS + 1.0]),
    ]
    row = ReachRow(50, 365, 10_000, 60.0, 400.0, answers)
    found = targets(None, None, reach=row)
    assert [target.is_met for target in found] == [True, False]
    text = StringIO()
    machine = Machine("2026-11-23T00:00:00Z", 2, "3.11", "Linux", 0.0, 1000.0)
    show(Report(machine, reach=row, targets=found), Console(file=text, width=120))
    assert "10,000 devices a show and day" in " ".join(text.getvalue().split())
    assert text.getvalue().count("missed") == 1
