"""`earshot audit`: what the report says of a store that is known row by row."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel

from api.hits.networks import ListError
from api.measurement.audit import Audit, default_period, make_audit
from api.measurement.audit_anomalies import find, score
from api.measurement.audit_report import to_json, to_markdown
from api.settings import Settings
from models.downloads import (
    ConsumerDay,
    CountingRule,
    DownloadHour,
    DownloadSplit,
    HitOutcome,
    ImportOutcome,
    LogImport,
)
from models.periods import Period
from models.queries.audit import ShowDay
from tests.conftest import Processes
from tests.factories import make_episode, make_show

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DAY = date(2026, 11, 2)
PERIOD = Period(date(2026, 11, 1), date(2026, 11, 21))
EPOCH = date(1970, 1, 1)


@pytest.fixture
def put(engine: Engine) -> Callable[..., None]:
    """Stores rows."""

    def put(*rows: SQLModel) -> None:
        with Session(engine) as session:
            session.add_all(rows)
            session.commit()

    return put


@pytest.fixture
def episode(engine: Engine) -> int:
    """An episode's key."""
    with Session(engine) as session:
        show = make_show(session)
        show.title = "Pipes | <b>Valves</b>"
        session.add(show)
        session.commit()
        return make_episode(session, show, published_at=datetime(2026, 10, 1, tzinfo=UTC)).id or 0


def audit_of(engine: Engine, period: Period = PERIOD, **settings: Any) -> Audit:
    """The report on a store."""
    with Session(engine) as session:
        return make_audit(session, Settings(**settings), period, NOW)


def outcome(episode: int, day: date, name: str, hits: int) -> HitOutcome:
    """A row of the rollup."""
    return HitOutcome(episode_id=episode, day=day, outcome=name, hits=hits, sent_bytes=1000 * hits)


def downloads(episode: int, day: date, number: int, app: str = "Castaway") -> list[SQLModel]:
    """So many downloads, in every rollup."""
    splits = {"app": app, "device": "phone", "country": "AT"}
    return [
        outcome(episode, day, "download", number),
        DownloadHour(episode_id=episode, hour=(day - EPOCH).days * 24 + 23, downloads=number),
        *(
            DownloadSplit(episode_id=episode, day=day, kind=kind, value=value, downloads=number)
            for kind, value in splits.items()
        ),
    ]


def consumer(episode: int, day: date, address: int, agent: int, *, is_eligible: bool = True) -> ConsumerDay:
    """One consumer's day."""
    texts = {"app": "", "device_class": "", "country": ""}
    numbers = {"day": day, "address": address, "agent": agent, "episode_id": episode, "earlier": 0, "downloads": agent}
    return ConsumerDay(hits=b"", is_eligible=is_eligible, **numbers, **texts)


def test_hits_add_up_to_all_and_the_rollups_agree(engine: Engine, put: Callable[..., None], episode: int) -> None:
    put(*downloads(episode, DAY, 7), outcome(episode, DAY, "bot", 2), outcome(episode, DAY, "short", 1))
    put(*downloads(episode, PERIOD.first - timedelta(days=1), 50), *downloads(episode, PERIOD.last, 3))
    put(*downloads(episode, PERIOD.last + timedelta(days=1), 50))
    found = audit_of(engine)
    assert [(o.outcome, o.hits, o.sent_bytes) for o in found.outcomes] == [
        ("download", 10, 10_000),
        ("bot", 2, 2000),
        ("short", 1, 1000),
    ]
    assert (found.hits, found.downloads) == (13, 10)
    assert [check.found for check in found.checks] == [10, 10, 10, 10]
    assert "| **all hits** | **13** | 100.0 % | 13,000 |" in to_markdown(found)
    assert "differ" not in to_markdown(found)


def test_a_rollup_that_lost_a_row_is_told(engine: Engine, put: Callable[..., None], episode: int) -> None:
    put(*downloads(episode, DAY, 7)[:2])
    wrong = [check.name for check in audit_of(engine).checks if not check.is_right]
    assert wrong == ["Downloads by apps", "Downloads by device classes", "Downloads by countries"]
    assert "Downloads by apps: 0, **differ by -7: run `earshot recount`**" in to_markdown(audit_of(engine))


def test_the_rules_of_the_store_are_told_and_those_that_wait_for_a_recount(
    engine: Engine, put: Callable[..., None]
) -> None:
    put(CountingRule(name="download_window", value="last_touch"), CountingRule(name="excess_cap", value="5"))
    found = audit_of(engine, excess_cap=5)
    assert (found.window, found.excess_cap) == ("last_touch", 5)
    assert found.pending == {"download_window": "calendar"}
    assert "`download_window` = `calendar`**, which takes effect with `earshot recount --apply`" in to_markdown(found)


def test_addresses_at_the_cap_are_told_by_their_hash(engine: Engine, put: Callable[..., None], episode: int) -> None:
    put(*(consumer(episode, DAY, -2, agent) for agent in range(3)))
    put(*(consumer(episode, DAY, 5, agent) for agent in range(2)))
    put(*(consumer(episode, DAY, 6, agent, is_eligible=agent < 2) for agent in range(3)))
    found = audit_of(engine, excess_cap=3)
    assert [tuple(row) for row in found.addresses] == [(DAY, -2, 3, 3, 1, 3)]
    assert to_json(found)["addresses"][0]["address"] == "fffffffffffffffe"
    assert "| 2026-11-02 | `fffffffffffffffe` | 3 | 3 | 1 | 3 |" in to_markdown(found)


def test_without_a_cap_no_address_is_told(engine: Engine, put: Callable[..., None], episode: int) -> None:
    put(consumer(episode, DAY, 1, 1))
    found = audit_of(engine, excess_cap=0)
    assert list(found.addresses) == []
    assert "There is no cap" in to_markdown(found)


@pytest.mark.parametrize(
    ("validated", "state"),
    [
        ("2026-11-22", "valid"),
        ("2026-09-08", "valid"),
        ("2026-09-07", "due"),
        ("2026-08-24", "due"),
        ("2026-08-23", "lapsed"),
    ],
)
def test_an_inclusion_lapses_after_ninety_days(engine: Engine, tmp_path: Path, validated: str, state: str) -> None:
    (tmp_path / "list").write_text(f"203.0.113.0/24 {validated} halls | east\n")
    found = audit_of(engine, inclusions=str(tmp_path / "list"))
    assert [(entry.network, entry.state) for entry in found.inclusions] == [("203.0.113.0/24", state)]
    assert "halls \\| east" in to_markdown(found)


def test_a_broken_inclusion_list_is_refused(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("203.0.113.0/24 yesterday\n")
    with pytest.raises(ListError, match="line 1"):
        audit_of(engine, inclusions=str(tmp_path / "list"))


def test_unknown_and_new_apps_are_told(engine: Engine, put: Callable[..., None], episode: int) -> None:
    put(*downloads(episode, PERIOD.first - timedelta(days=40), 9, "Castaway"))
    put(*downloads(episode, DAY, 6, "Castaway"))
    extra = {"Lantern": 3, "": 1}
    put(*(DownloadSplit(episode_id=episode, day=DAY, kind="app", value=a, downloads=n) for a, n in extra.items()))
    put(outcome(episode, DAY + timedelta(days=1), "download", 4))
    found = audit_of(engine)
    assert found.unknown_downloads == 1
    assert [tuple(app) for app in found.new_apps] == [("Lantern", DAY, 3)]
    assert "Downloads by an unknown app: 1 of 10 (10.0 %)." in to_markdown(found)


def test_imports_and_what_could_not_be_read_are_told(engine: Engine, put: Callable[..., None]) -> None:
    for number, has_ranges in enumerate([True, True, False]):
        fields = {"unpacked_bytes": 1, "digest": b"", "started_at": NOW, "updated_at": NOW}
        source = bytes([number]) * 16
        put(LogImport(source=source, name="a.log", format="combined", has_ranges=has_ranges, lines=100, **fields))
        put(ImportOutcome(source=source, outcome="unreadable", hits=number))
    found = audit_of(engine)
    assert [tuple(row) for row in found.imports] == [("combined", False, 1, 100), ("combined", True, 2, 200)]
    assert "Lines that could not be read: 3." in to_markdown(found)


def test_the_half_year_ends_yesterday() -> None:
    period = default_period(date(2026, 11, 22))
    assert (period.first, period.last, period.days) == (date(2026, 5, 23), date(2026, 11, 21), 183)


# -- days that stand out ---------------------------------------------------------------------------------------------


def days_of(counts: list[int], show_id: int = 1) -> list[ShowDay]:
    """A show's days, the last of which is the last of the period."""
    begin = PERIOD.last - timedelta(days=len(counts) - 1)
    return [
        ShowDay(show_id, "The Quiet Hour", begin + timedelta(days=place), number)
        for place, number in enumerate(counts)
        if number
    ]


def test_a_spike_and_a_drop_stand_out_and_chance_does_not() -> None:
    usual = [100, 104, 96, 101, 99, 103, 97] * 4
    last_day = Period(PERIOD.last, PERIOD.last)
    for downloads_then, stands_out in {100: False, 120: False, 180: True, 40: True, 0: True}.items():
        found = find(days_of([*usual, downloads_then]), set(), last_day)
        assert [anomaly.downloads for anomaly in found] == ([downloads_then] if stands_out else []), downloads_then
        assert all((anomaly.score > 0) is (downloads_then > 100) for anomaly in found)


def test_small_numbers_scatter_without_standing_out() -> None:
    assert score([3] * 28, 5) < 3.5
    assert score([0] * 28, 3) < 3.5
    assert score([3] * 28, 40) > 3.5


def test_a_day_of_a_young_show_is_not_judged() -> None:
    last_day = Period(PERIOD.last, PERIOD.last)
    assert find(days_of([*[100] * 13, 900]), set(), last_day) == []
    assert len(find(days_of([*[100] * 14, 900]), set(), last_day)) == 1


def test_one_spike_does_not_hide_the_next() -> None:
    counts = [100] * 28
    counts[20] = 100_000
    found = find(days_of([*counts, 400]), set(), Period(PERIOD.last, PERIOD.last))
    assert [anomaly.downloads for anomaly in found] == [400]


def test_a_release_explains_its_day_and_the_next() -> None:
    rows = days_of([*[100] * 28, 900])
    period = Period(PERIOD.last, PERIOD.last)
    for days_before, is_release in {0: True, 1: True, 2: False}.items():
        released = {(1, PERIOD.last - timedelta(days=days_before)), (2, PERIOD.last)}
        assert [anomaly.is_release for anomaly in find(rows, released, period)] == [is_release]


def test_the_report_names_the_show_and_the_day(engine: Engine, put: Callable[..., None], episode: int) -> None:
    for place in range(20):
        put(*downloads(episode, PERIOD.first + timedelta(days=place), 300 if place == 19 else 20))
    report = to_markdown(audit_of(engine))
    assert "| 2026-11-20 | Pipes \\| &lt;b>Valves&lt;/b> | 300 | 20 | +62.6 | **no** |" in report


def test_today_is_no_drop(engine: Engine, put: Callable[..., None], episode: int) -> None:
    for place in range(1, 29):
        put(*downloads(episode, NOW.date() - timedelta(days=place), 100))
    ahead = Period(NOW.date() - timedelta(days=5), NOW.date() + timedelta(days=5))
    assert list(audit_of(engine, ahead).anomalies) == []
    assert list(audit_of(engine, Period(NOW.date(), NOW.date())).anomalies) == []


# -- the command -----------------------------------------------------------------------------------------------------


def run(processes: Processes, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`earshot audit` with these arguments."""
    return subprocess.run(
        [sys.executable, "-m", "api", "audit", *arguments],
        env=processes.environment(**environment),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_writes_a_file_for_people_and_json_for_programs(
    processes: Processes, put: Callable[..., None], episode: int, tmp_path: Path
) -> None:
    put(*downloads(episode, DAY, 7))
    span = ("--from", "2026-11-01", "--to", "2026-11-21")
    file = tmp_path / "audit.txt"
    done = run(processes, *span, "-o", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Written to {file}: 7 hits, 7 downloads.\n"
    assert file.read_text().startswith("# Self-audit of download counting, 2026-11-01 to 2026-11-21\n")
    told = json.loads(run(processes, *span, "--json").stdout)
    assert told["period"] == {"from": "2026-11-01", "to": "2026-11-21"}
    assert (told["hits"], told["downloads"], told["window"]) == (7, 7, "calendar")


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["--from", "2026-11-05", "--to", "2026-11-01"], {}, "Days are written YYYY-MM-DD"),
        (["--from", "soon"], {}, "Days are written YYYY-MM-DD"),
        (["-o", "/nowhere/at/all"], {}, "/nowhere/at/all cannot be written"),
        ([], {"EARSHOT_INCLUSIONS": "/nowhere/list"}, "EARSHOT_INCLUSIONS: /nowhere/list cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said(
    processes: Processes, arguments: list[str], environment: dict[str, str], message: str
) -> None:
    done = run(processes, *arguments, **environment)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
