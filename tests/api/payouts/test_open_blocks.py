"""What is pending is read from open blocks of days only: none that has something open is ever missing."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, event, text

from models.migrate import _config, migrate
from models.queries import open_blocks, payable
from models.queries.payable import Scope
from models.tables import Episode
from tests.api.payouts.conftest import Office

OCT_1, OCT_30 = date(2026, 10, 1), date(2026, 10, 30)


def block_count(office: Office) -> int:
    with office.engine.connect() as connection:
        assert open_blocks.list_unmarked_days(connection) == []
        return open_blocks.count_blocks(connection)


def numbers(office: Office) -> tuple[int, ...]:
    total = office.read("ada", "/v1/payouts/pending")["total"]
    return tuple(total[name] for name in ("counted", "settled", "pending", "held", "void", "unbilled", "no_plan"))


@pytest.fixture
def episode(office: Office) -> Episode:
    """Heard on two days of a closed October, of which the first one's block is over."""
    show = office.show("carol")
    episode = office.episode(show)
    office.plan(show)
    office.listens(episode, OCT_1, 1000)
    office.listens(episode, OCT_30, 200)
    assert (block_count(office), numbers(office)) == (2, (1200, 0, 1200, 0, 0, 0, 0))
    office.close("2026-10")
    assert (block_count(office), numbers(office)) == (1, (1200, 1200, 0, 0, 0, 0, 0))
    return episode


def test_what_arrives_late_opens_its_block_again_until_it_is_settled(
    office: Office, episode: Episode, now: list[datetime]
) -> None:
    office.listens(episode, OCT_1, 1001)
    assert (block_count(office), numbers(office)) == (2, (1201, 1200, 1, 0, 0, 0, 0))
    now[0] = datetime(2026, 12, 2, tzinfo=UTC)
    office.close("2026-11")
    assert (block_count(office), numbers(office)) == (0, (1201, 1201, 0, 0, 0, 0, 0))


def test_a_flag_on_a_settled_day_opens_its_block(office: Office, episode: Episode) -> None:
    office.held(episode, OCT_1, 100)
    assert (block_count(office), numbers(office)) == (2, (1200, 1200, -100, 100, 0, 0, 0))


def test_a_count_that_vanishes_opens_its_block(office: Office, episode: Episode) -> None:
    with office.engine.begin() as connection:
        connection.execute(text("DELETE FROM episode_day WHERE listens = 1000"))
    assert (block_count(office), numbers(office)) == (2, (200, 1200, -1000, 0, 0, 0, 0))


def test_an_impression_on_a_settled_day_opens_its_block(office: Office, episode: Episode) -> None:
    office.impressions(office.place(office.campaign(), episode), OCT_1, confirmed=3)
    assert (block_count(office), numbers(office)) == (2, (1203, 1200, 3, 0, 0, 0, 0))


def test_voiding_a_statement_opens_what_it_settled(office: Office, episode: Episode) -> None:
    (statement,) = office.read("ada", "/v1/statements")["items"]
    office.step("grace", statement, "void", reason="It was too early.")
    assert (block_count(office), numbers(office)) == (2, (1200, 0, 1200, 0, 0, 0, 0))


def test_other_terms_of_a_campaign_open_what_they_count(office: Office, episode: Episode, now: list[datetime]) -> None:
    campaign = office.campaign()
    office.impressions(office.place(campaign, episode), OCT_1, confirmed=0, delivered=7)
    now[0] = datetime(2026, 12, 2, tzinfo=UTC)
    office.close("2026-11")
    assert (block_count(office), numbers(office)) == (0, (1200, 1200, 0, 0, 0, 0, 0))
    with office.engine.begin() as connection:
        connection.execute(text("UPDATE campaign SET billing = 'delivered'"))
    assert (block_count(office), numbers(office)) == (1, (1207, 1200, 7, 0, 0, 0, 0))


def test_what_is_held_unpaid_or_without_a_plan_stays_open(office: Office, now: list[datetime]) -> None:
    planned, unplanned = office.show("carol"), office.show("dave")
    episodes = [office.episode(planned), office.episode(planned), office.episode(unplanned)]
    office.plan(planned)
    for episode in episodes:
        office.listens(episode, OCT_1, 10)
    office.held(episodes[1], OCT_1, 4, state="void")
    now[0] = datetime(2026, 12, 2, tzinfo=UTC)
    office.close("2026-10")
    assert (block_count(office), numbers(office)) == (2, (30, 16, 0, 0, 4, 0, 10))


def test_a_store_of_before_has_all_its_blocks_open_until_the_next_close(
    office: Office, episode: Episode, now: list[datetime]
) -> None:
    with office.engine.begin() as connection:
        command.downgrade(_config(connection), "0007")
    office.listens(episode, OCT_1, 1050)
    assert migrate(office.engine)
    assert (block_count(office), numbers(office)) == (2, (1250, 1200, 50, 0, 0, 0, 0))
    now[0] = datetime(2026, 12, 2, tzinfo=UTC)
    office.close("2026-11")
    assert block_count(office) == 0


@pytest.mark.parametrize(
    "scope", [Scope(), Scope(creator_id=1), Scope(campaigns=[1])], ids=["all", "creator", "campaign"]
)
def test_no_table_of_days_is_read_whole(sqlite_engine: Engine, scope: Scope) -> None:
    """How long an answer takes is no matter of a test; that it begins with the open blocks is."""
    with sqlite_engine.connect() as connection:
        asked: list[tuple[str, Any]] = []
        event.listen(connection, "before_cursor_execute", lambda *about: asked.append(about[2:4]))
        payable.list_day_counts(connection, scope, is_open_only=True)
        statement, values = asked[-1]
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    searches = [step for step in plan if step.startswith("SEARCH t ")]
    assert len(searches) == 4
    assert all("episode_id=? AND day>? AND day<?" in step for step in searches)
    assert {step for step in plan if step.startswith("SCAN")} <= {"SCAN b", "SCAN parts"}
