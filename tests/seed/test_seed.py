"""Seeding, from the command to the numbers: real processes, real HTTP, and every number compared."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, select
from typer.testing import CliRunner, Result

from api.cli import app
from models.advertising import Campaign, Placement, PlacementDay
from models.columns import day_number
from models.counting import PipelineDay
from models.downloads import HitOutcome
from models.engine import make_engine
from models.payouts import RatePlan, Statement
from models.periods import Period
from models.queries import stats
from models.spending import get_spending
from models.tables import Episode, Show
from seed import payouts
from seed.check import FIELDS, compare
from seed.expected import Counts
from tests.conftest import Processes

EARLIER, LATER = date(2020, 1, 1), date(2100, 1, 1)
"""Around everything that could be counted."""
Numbers = dict[tuple[str, int], dict[str, int]]
"""Episode's UUID and UTC day -> its five numbers."""


def seed(processes: Processes, *arguments: str) -> Result:
    """Run `earshot seed ARGUMENTS` to its end, in the environment that the processes have."""
    return CliRunner().invoke(app, ["seed", *arguments], env=processes.environment())


@dataclass
class Seeded:
    """A tiny set that was seeded through a running API and counted by a running worker."""

    processes: Processes
    url: str
    engine: Engine
    output: str
    report: dict[str, Any]

    @property
    def expected(self) -> Numbers:
        ids = {e["name"]: e["id"] for show in self.report["shows"] for e in show["episodes"]}
        rows = self.report["by_episode_day"]
        return {(ids[row["episode"]], row["day"]): {name: row[name] for name in FIELDS} for row in rows}

    def found(self) -> Numbers:
        """What the dashboard's queries say."""
        ids = {e["id"] for show in self.report["shows"] for e in show["episodes"]}
        period = Period(EARLIER, LATER)
        found: Numbers = {}
        with Session(self.engine) as session:
            for episode in session.exec(select(Episode)):
                assert str(episode.uuid) in ids
                for row in stats.list_day_sums_of_episode(session, episode.id or 0, period):
                    numbers = {name: getattr(row, name) for name in FIELDS}
                    found[str(episode.uuid), day_number(row.day)] = numbers
        return found


@pytest.fixture
def seeded(processes: Processes) -> Iterator[Seeded]:
    url, _ = processes.serve()
    processes.start("worker")
    done = seed(processes, "--size", "tiny", "--seed", "6", "--api-url", url, "--json")
    assert done.exit_code == 0, done.stderr
    engine = make_engine(processes.store_url)
    yield Seeded(processes, url, engine, done.stderr, json.loads(done.stdout))
    engine.dispose()


def test_every_number_is_as_expected_and_off_by_one_is_seen(seeded: Seeded) -> None:
    report = seeded.report
    assert report["total"]["listens"] > 100
    assert seeded.found() == seeded.expected
    _totals_by_show_agree(seeded)
    _hits_are_all_there_is(seeded)
    _pipeline_agrees(seeded)
    _sent_again_it_changes_no_number(seeded)
    _check_sees_one_listen_too_many(seeded)
    _campaigns_were_bought(seeded)
    _months_were_closed(seeded)
    _a_second_set_needs_force(seeded)
    _credentials_are_private(seeded)


def _totals_by_show_agree(seeded: Seeded) -> None:
    period = Period(EARLIER, LATER)
    with Session(seeded.engine) as session:
        for show in seeded.report["shows"]:
            row = session.exec(select(Show).where(Show.uuid == UUID(show["id"]))).one()
            sums = stats.list_episode_sums(session, row.id or 0, period)
            by_episode = {str(e.uuid): {name: getattr(e, name) for name in FIELDS} for e in sums}
            assert by_episode == {e["id"]: e["total"] for e in show["episodes"]}
            days = stats.list_day_sums(session, row.id or 0, period)
            assert {name: sum(getattr(day, name) for day in days) for name in FIELDS} == show["total"]


def _pipeline_agrees(seeded: Seeded) -> None:
    events = seeded.report["events"]
    outcomes: dict[str, int] = {}
    with Session(seeded.engine) as session:
        for row in session.exec(select(PipelineDay).where(PipelineDay.kind == "event")):
            outcomes[row.outcome] = outcomes.get(row.outcome, 0) + row.events
    expected = {"counted": events["counted"], "duplicate": events["duplicate"], **events["set_aside"]}
    assert outcomes == expected
    assert sum(outcomes.values()) == events["sent"]
    assert set(events["set_aside"]) == {
        "unknown_episode",
        "before_publication",
        "clock_ahead",
        "too_late",
        "faster_than_possible",
    }


def _sent_again_it_changes_no_number(seeded: Seeded) -> None:
    """All that pages show, save how many duplicates were received."""
    tables = ("episode_day", "arrival_day", "show_arrival", "episode_heard", "playback", "set_aside")
    tables += ("hit_outcome", "download_hour", "download_split", "download_consumers", "consumer_day")
    tables += ("placement_day", "placement_split", "campaign_device", "campaign_frequency")

    def shown() -> dict[str, list[tuple[Any, ...]]]:
        with seeded.engine.connect() as connection:
            return {table: sorted(map(tuple, connection.execute(text(f"SELECT * FROM {table}")))) for table in tables}

    before = shown()
    done = seed(seeded.processes, "--again", "--api-url", seeded.url, "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["events"] == seeded.report["events"]["sent"]
    assert json.loads(done.stdout)["new_hits"] == 0
    assert shown() == before
    assert seeded.found() == seeded.expected
    with seeded.engine.connect() as connection:
        received = connection.execute(text("SELECT sum(events) FROM pipeline_day WHERE kind = 'event'")).scalar_one()
    assert received == 2 * seeded.report["events"]["sent"]


def _check_sees_one_listen_too_many(seeded: Seeded) -> None:
    assert seed(seeded.processes, "--check", "--api-url", seeded.url).exit_code == 0
    path = seeded.processes.home / "seed-expected.json"
    report = json.loads(path.read_text())
    report["by_episode_day"][0]["listens"] += 1
    outcomes = next(row["outcomes"] for row in report["downloads"]["by_episode_day"] if "short" in row["outcomes"])
    outcomes["short"] += 1
    report["downloads"]["by_show"]["kettle-physics"]["country"]["DE"] += 1
    consumers = report["downloads"]["by_show"]["kettle-physics"]["consumers"]
    consumers[max(consumers)][1] += 1
    path.write_text(json.dumps(report))
    done = seed(seeded.processes, "--check", "--api-url", seeded.url)
    assert done.exit_code == 1
    assert done.stdout.count("listens expected") == 2, "the day and the episode"
    assert done.stdout.count("short: hits expected") == 1
    assert done.stdout.count("DE: downloads expected") == 1
    assert done.stdout.count("consumers expected") == 1


def _a_second_set_needs_force(seeded: Seeded) -> None:
    done = seed(seeded.processes, "--size", "tiny", "--api-url", seeded.url)
    assert done.exit_code == 1
    assert "--force" in done.stderr
    before = seeded.found()
    done = seed(seeded.processes, "--size", "tiny", "--seed", "6", "--api-url", seeded.url, "--force", "--json")
    assert done.exit_code == 0, done.stderr
    again = json.loads(done.stdout)
    same = ("seed", "today", "devices", "events", "total", "by_episode_day")
    if again["today"] == seeded.report["today"]:  # midnight may have passed meanwhile
        assert {name: again[name] for name in same} == {name: seeded.report[name] for name in same}
    assert {show["slug"] for show in again["shows"]} == {f"{show['slug']}-2" for show in seeded.report["shows"]}
    both = Seeded(seeded.processes, seeded.url, seeded.engine, "", {"shows": seeded.report["shows"] + again["shows"]})
    assert both.found() == {**before, **Seeded(seeded.processes, "", seeded.engine, "", again).expected}


def _hits_are_all_there_is(seeded: Seeded) -> None:
    """What is in the store is what is expected, and today's few requests."""
    expected = seeded.report["downloads"]
    today = date.fromisoformat(seeded.report["today"])
    with Session(seeded.engine) as session:
        rows = list(session.exec(select(HitOutcome)))
    past = Counter[str]()
    for row in rows:
        past[row.outcome] += row.hits if row.day < today else 0
    assert dict(past) == {**dict.fromkeys(past, 0), **expected["outcomes"]}
    assert sum(past.values()) == expected["hits"] > 2000
    assert any(row.day >= today for row in rows)


def _campaigns_were_bought(seeded: Seeded) -> None:
    """Four, with all that was heard counted, and nothing billed beyond a budget."""
    with Session(seeded.engine) as session:
        campaigns = list(session.exec(select(Campaign)))
        spent = {campaign.name: get_spending(session, campaign) for campaign in campaigns}
        placements = list(session.exec(select(Placement)))
        counted = list(session.exec(select(PlacementDay)))
    assert set(spent) == {"Umbrella weather", "Before it rains", "The dry commute", "Tin of the month"}
    assert all(spent[each.name].cents <= each.budget_cents for each in campaigns)
    assert [placement.episode_id for placement in placements].count(None) == 1
    assert [placement.is_counted_back for placement in placements].count(False) == 1
    assert sum(row.delivered for row in counted) > 0
    assert sum(row.confirmed for row in counted) > sum(row.offline_confirmed for row in counted) > 0
    buyers = seeded.processes.home / "seed-buyers.json"
    assert buyers.stat().st_mode & 0o077 == 0
    assert json.loads(buyers.read_text())["advertiser"]["password"] in seeded.output


def _months_were_closed(seeded: Seeded) -> None:
    """Drafts of nobody in particular, so that the one admin there is may approve them; and all shows have a plan."""
    months = payouts.months_over(date.fromisoformat(seeded.report["today"]))
    with Session(seeded.engine) as session:
        statements = list(session.exec(select(Statement)))
        planned = {plan.show_id for plan in session.exec(select(RatePlan))}
        assert planned == {show.id for show in session.exec(select(Show))}
    assert f"{max(row.month for row in statements):%Y-%m}" == months[-1]
    assert {(row.state, row.drafted_by) for row in statements} == {("draft", None)}
    assert max(row.total_cents for row in statements) > 0


def _credentials_are_private(seeded: Seeded) -> None:
    path = seeded.processes.home / "seed-creator.json"
    creator = json.loads(path.read_text())["creator"]
    assert path.stat().st_mode & 0o077 == 0
    assert creator["password"] in seeded.output


def test_an_unreadable_accounts_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    file.write_text("{}")
    done = seed(Processes(tmp_path, ""), "--accounts", str(file), "--api-url", "http://127.0.0.1:9")
    assert done.exit_code == 1
    assert "accounts.json" in done.stderr
    assert "api_key" in done.stderr


def test_an_unknown_size_is_named(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    file.write_text('{"creator": {"api_key": "k"}}')
    done = seed(Processes(tmp_path, ""), "--accounts", str(file), "--size", "huge", "--api-url", "http://127.0.0.1:9")
    assert done.exit_code == 1
    assert "small, medium or large" in done.stderr


def test_a_check_before_any_seeding_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    file.write_text('{"creator": {"api_key": "k"}}')
    done = seed(Processes(tmp_path, ""), "--check", "--accounts", str(file))
    assert done.exit_code == 1
    assert "seed-expected.json is not there: run `earshot seed`" in done.stderr


DIFFERENCES = {
    "equal": ({"a": Counts(1, 1, 0, 0, 30)}, {"a": Counts(1, 1, 0, 0, 30)}, 0),
    "zero is the same as absent": ({"a": Counts()}, {"b": Counts()}, 0),
    "one second more": ({"a": Counts(1, 1, 0, 0, 30)}, {"a": Counts(1, 1, 0, 0, 31)}, 1),
    "a day that nobody expected": ({}, {"a": Counts(1, 0, 0, 0, 3)}, 2),
    "a day that is missing": ({"a": Counts(1, 0, 0, 0, 3)}, {}, 2),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_differences_are_found(name: str) -> None:
    expected, found, lines = DIFFERENCES[name]
    assert len(compare("Show", expected, found)) == lines
