"""A statement is proved from log and archive: what is not as they say is found; what they cannot say is no proof."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from api.events.records import Erase, pack
from api.payouts.verify import Outcome, Report
from api.settings import Settings
from models.advertising import HoldState
from models.columns import DAY_MS, day_number
from tests.proof_world import NOV, OCT, ProofWorld, lively, october


@pytest.fixture
def world(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProofWorld]:
    """October of a lively installation, not closed yet."""
    found = lively(ProofWorld(engine, settings, monkeypatch))
    yield found
    found.house.close()


def outcomes(report: Report) -> dict[str, Outcome]:
    """Each check's, but for those that agree."""
    return {check.name: check.outcome for check in report.checks if check.outcome != Outcome.AGREES}


def problems(report: Report) -> str:
    """What a person reads."""
    return "\n".join(f"{check.name}: {check.detail}" for check in report.checks)


def test_a_closed_month_agrees_whatever_comes_after_it(world: ProofWorld) -> None:
    (first,) = world.close(OCT)
    assert {(line.kind, line.quantity > 0) for line in world.lines_of(first)} == {("listens", True), ("ads", True)}
    assert sum(line.held for line in world.lines_of(first)) > 0
    assert sum(line.unbilled for line in world.lines_of(first)) == 2
    first = world.step("approve", first)
    report = world.verify(first)
    assert report.verdict is Outcome.AGREES, problems(report)
    assert len(report.lines) == 4

    world.house.housekeeper.tidy()
    assert world.house.log.start(0) > 0 or world.house.archive.end(0)
    for day in (3, 4, 28):
        world.hear(world.phones[0], world.saga, october(day), (0, 100))
    world.hear(world.phones[0], world.tale, NOV, (0, 100))
    world.decide(HoldState.VOID)
    world.change("UPDATE placement SET start_ms = 200000, end_ms = 210000")
    world.change("UPDATE episode SET duration_ms = 33000")
    world.change("UPDATE campaign SET price_cents = 1, billing = 'confirmed'")
    world.count()
    report = world.verify(first)
    assert report.verdict is Outcome.AGREES, problems(report)


def test_late_listens_and_what_was_decided_meanwhile_agree_in_the_next_statement(world: ProofWorld) -> None:
    (first,) = world.close(OCT)
    world.hear(world.phones[1], world.saga, october(2), (0, 100))
    world.hear(world.phones[2], world.tale, NOV, (0, 100))
    world.count()
    world.decide(HoldState.RELEASED)
    second = world.close(NOV)[-1]
    lines = world.lines_of(second)
    assert {line.month for line in lines} == {OCT, NOV}
    assert [world.verify(each).verdict for each in (first, second)] == [Outcome.AGREES] * 2
    world.step("void", world.step("approve", first), "A wrong price.")
    assert [world.verify(each).verdict for each in (first, second)] == [Outcome.AGREES] * 2


def test_devices_erased_since_are_spoken_of_and_are_no_disagreement(world: ProofWorld) -> None:
    (statement,) = world.close(OCT)
    for phone in (world.phones[0], world.cheat):
        world.house.append(phone.bytes, pack(Erase(phone.bytes)))
    world.count()
    world.house.housekeeper.erase()
    report = world.verify(statement)
    assert report.verdict is Outcome.AGREES, problems(report)
    assert "are of devices erased since" in problems(report)
    world.change("UPDATE statement_line SET counted = counted + 50 WHERE kind = 'listens'")
    assert world.verify(statement).verdict is Outcome.DIFFERS


def test_a_store_that_lost_its_playbacks_is_not_what_a_proof_rests_on(world: ProofWorld) -> None:
    (statement,) = world.close(OCT)
    world.change("DELETE FROM playback")
    world.change("UPDATE episode_day SET listens = listens + 7")
    world.change("DELETE FROM consumer_day")
    assert world.verify(statement).verdict is Outcome.AGREES


def test_a_number_that_the_store_made_up_is_found_in_its_line(world: ProofWorld) -> None:
    world.change("UPDATE episode_day SET listens = listens + 7 WHERE day = :day", day=20730)
    (statement,) = world.close(OCT)
    report = world.verify(statement)
    assert outcomes(report) == {"counts": Outcome.DIFFERS}
    assert report.counts is not None
    (difference,) = report.counts.wrong
    assert difference.pinned is not None
    assert difference.pinned[0] - difference.found[0] == 7
    found = {
        line.key.kind: (line.stated["quantity"] - line.recomputed["quantity"])
        for line in report.lines
        if line.stated and line.recomputed and line.key.episode_id == world.tale.id
    }
    assert found["listens"] == 7
    assert found["ads"] == 0


def test_the_archive_alone_is_enough_when_the_log_was_trimmed(world: ProofWorld) -> None:
    world.house.housekeeper.tidy()
    (statement,) = world.close(OCT)
    world.now = datetime(2027, 2, 1, tzinfo=UTC)
    world.house.housekeeper.tidy()
    assert world.house.log.start(0) == world.house.log.end(0)
    assert world.verify(statement).verdict is Outcome.AGREES


def test_budgets_and_caps_that_creators_share_agree_for_each_of_them(world: ProofWorld) -> None:
    other = world.office.show("dave")
    world.office.plan(other)
    theirs = world.office.episode(other)
    capped = world.office.campaign(from_day=OCT, price_cents=1777, daily_cap=4, impression_cap=20)
    for episode in (world.tale, theirs):
        world.place(capped, episode, 0, 10)
    world.count()
    for phone in world.phones:
        world.hear(phone, theirs, october(4), (0, 100))
    world.count()
    both = world.close(OCT)
    assert len(both) == 2
    assert all(sum(line.unbilled for line in world.lines_of(each)) for each in both)
    world.hear(world.phones[0], theirs, october(29), (0, 100))
    world.count()
    later = world.close(NOV)
    for each in (*both, *later):
        report = world.verify(each)
        assert report.verdict is Outcome.AGREES, problems(report)


def test_what_a_hold_had_flagged_that_ended_since_is_spoken_of(world: ProofWorld) -> None:
    phone = world.phone()
    for number in range(3):
        at_ms = day_number(october(15)) * DAY_MS + number * 1_000_000
        phone.write(world.saga.uuid, "pause", number * 50_000, number * 50_000 + 40_000, at_ms)
    world.send(phone, 1, 1)
    world.send(phone, 3, 3)
    world.count()
    (statement,) = world.close(OCT)
    assert sum(line.held for line in world.lines_of(statement) if line.kind == "listens") == 2
    assert world.verify(statement).verdict is Outcome.AGREES
    world.send(phone, 2, 2)
    world.count()
    world.house.housekeeper.look_for_fraud()
    report = world.verify(statement)
    assert report.verdict is Outcome.AGREES, problems(report)
    assert "1 that were held cannot be proved any more" in problems(report)
