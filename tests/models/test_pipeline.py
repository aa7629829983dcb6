"""What became of every event, on each engine."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from models.columns import DAY_MS, day_number
from models.conservation import DayBalance, balance, causes_of, missing_events
from models.counting import ArrivalDay, DeviceLog, ErasedDevice, PipelineDay, SetAside
from models.periods import Period
from models.queries import pipeline
from models.queries.pipeline import DayCount, LogTroubles, Outcome
from tests.factories import make_episode

FIRST = date(2026, 3, 1)
MARCH = Period(FIRST, date(2026, 3, 31))
MARCH_MS = day_number(FIRST) * DAY_MS


@pytest.fixture
def session(engine: Engine):
    """A session on a migrated store."""
    with Session(engine, expire_on_commit=False) as session:
        yield session


def put(session: Session, *rows: object) -> None:
    """Rows as the worker would leave them."""
    session.add_all(rows)
    session.commit()


def outcome(day: date, outcome: str, events: int, kind: str = "event") -> PipelineDay:
    """A row of the conservation table."""
    return PipelineDay(received_day=day, kind=kind, outcome=outcome, events=events)


def aside(number: int, cause: str, received_ms: int) -> SetAside:
    """An event that was set aside."""
    payload = json.dumps({"seq": number})
    return SetAside(
        event_id=bytes([number]) * 32, cause=cause, device=b"d" * 16, received_at_ms=received_ms, payload=payload
    )


def arrival(episode_id: int, received: date, day: date, events: int) -> ArrivalDay:
    """What a received day added to a day."""
    return ArrivalDay(
        episode_id=episode_id, received_day=received, day=day, events=events, starts=1, listens=1, heard_seconds=60,
        last_received_ms=0,
    )  # fmt: skip


def device_log(number: int, last_received_ms: int, missing: str = "[]", **is_so: bool) -> DeviceLog:
    """Where a device's chain stands."""
    troubles = {"is_broken": False, "is_forked": False, **is_so}
    return DeviceLog(
        device=bytes([number]) * 16, last_seq=9, last_id=b"i" * 32, missing=missing, last_received_ms=last_received_ms,
        **troubles,
    )  # fmt: skip


def test_outcomes_are_those_of_the_period_and_none_that_came_to_nothing(session: Session) -> None:
    put(
        session,
        outcome(FIRST, "counted", 7),
        outcome(FIRST, "unknown_episode", 0),
        outcome(FIRST, "counted", 3, kind="hit"),
        outcome(FIRST - timedelta(days=1), "counted", 100),
    )
    assert pipeline.list_outcomes(session, MARCH) == [
        Outcome(FIRST, "event", "counted", 7),
        Outcome(FIRST, "hit", "counted", 3),
    ]
    totals = pipeline.list_total_outcomes(session)
    assert totals == {("event", "counted"): 107, ("hit", "counted"): 3}
    assert all(type(events) is int for events in totals.values())


def test_arrivals_are_summed_by_the_day_they_came_in_over_all_episodes(session: Session) -> None:
    one, two = make_episode(session), make_episode(session)
    put(
        session,
        arrival(one.id, FIRST, FIRST, 5),
        arrival(one.id, FIRST, FIRST - timedelta(days=9), 2),
        arrival(two.id, FIRST, FIRST, 10),
        arrival(two.id, FIRST + timedelta(days=1), FIRST, 4),
        arrival(two.id, FIRST - timedelta(days=1), FIRST - timedelta(days=1), 900),
    )
    assert pipeline.list_arrived(session, MARCH) == [DayCount(FIRST, 17), DayCount(FIRST + timedelta(days=1), 4)]


def test_kept_events_are_counted_by_the_day_they_came_in(session: Session) -> None:
    put(
        session,
        aside(1, "too_late", MARCH_MS),
        aside(2, "clock_ahead", MARCH_MS + DAY_MS - 1),
        aside(3, "too_late", MARCH_MS + DAY_MS),
        aside(4, "too_late", MARCH_MS - 1),
        aside(6, "too_late", MARCH_MS + 31 * DAY_MS),
        aside(5, "undecodable", MARCH_MS),
    )
    kept = pipeline.list_kept(session, ["too_late", "clock_ahead"], MARCH)
    assert kept == [DayCount(FIRST, 2), DayCount(FIRST + timedelta(days=1), 1)]
    assert pipeline.list_kept(session, [], MARCH) == []


def test_samples_are_the_newest_of_their_cause(session: Session) -> None:
    put(session, *(aside(number, "too_late", MARCH_MS + number) for number in range(1, 6)))
    put(session, aside(9, "clock_ahead", MARCH_MS + 100))
    samples = pipeline.list_samples(session, "too_late", 2)
    assert [json.loads(sample.payload)["seq"] for sample in samples] == [5, 4]
    assert (samples[0].event_id, samples[0].device) == (b"\x05" * 32, b"d" * 16)


def test_only_logs_that_are_not_whole_are_listed_those_heard_from_last_first(session: Session) -> None:
    gap = json.dumps([[3, 4, "a", "b"], [7, 7, "c", "d"]])
    put(
        session,
        device_log(1, 100),
        device_log(2, 200, is_broken=True),
        device_log(3, 400, missing=gap),
        device_log(4, 300, missing=gap, is_forked=True),
    )
    assert [log.device[0] for log in pipeline.list_troubled_logs(session, 10)] == [3, 4, 2]
    assert [log.device[0] for log in pipeline.list_troubled_logs(session, 1)] == [3]
    assert pipeline.count_troubled_logs(session) == LogTroubles(devices=3, broken=1, forked=1, with_gaps=2)
    assert missing_events(json.loads(gap)) == 3


def test_a_store_without_troubles_has_none(session: Session) -> None:
    put(session, device_log(1, 100))
    assert pipeline.list_troubled_logs(session, 10) == []
    assert pipeline.count_troubled_logs(session) == LogTroubles(0, 0, 0, 0)
    assert pipeline.list_positions(session, "measurement") == []


def test_a_day_s_received_is_the_sum_of_what_became_of_it_without_requests_for_audio() -> None:
    outcomes = [
        Outcome(FIRST, "event", "counted", 10),
        Outcome(FIRST, "event", "duplicate", 3),
        Outcome(FIRST, "event", "too_late", 2),
        Outcome(FIRST, "record", "undecodable", 1),
        Outcome(FIRST, "hit", "counted", 500),
    ]
    (day,) = balance(
        outcomes, [DayCount(FIRST, 10)], [DayCount(FIRST, 3)], Period(FIRST, FIRST), today=FIRST, are_erased=False
    )
    assert day == DayBalance(FIRST, 10, 3, {"too_late": 2, "undecodable": 1}, arrived=10, kept=3)
    assert (day.received, day.aside, day.is_true) == (16, 3, True)


@pytest.mark.parametrize(("arrived", "kept"), [(9, 2), (11, 2), (10, 1), (10, 3)])
def test_a_day_does_not_hold_when_another_table_says_otherwise(arrived: int, kept: int) -> None:
    day = DayBalance(FIRST, 10, 3, {"too_late": 2}, arrived, kept)
    assert not day.is_true


def test_events_of_erased_devices_need_not_be_kept() -> None:
    day = DayBalance(FIRST, 10, 0, {"too_late": 2, "erased": 40}, arrived=10, kept=2)
    assert (day.is_true, day.keepable, day.received) == (True, 2, 52)


def test_once_a_device_was_erased_fewer_may_be_kept_and_never_more() -> None:
    day = DayBalance(FIRST, 10, 0, {"too_late": 2}, arrived=10, kept=1, is_lessened=True)
    assert day.is_true
    day.kept = 3
    assert not day.is_true
    day.kept, day.arrived = 2, 9
    assert not day.is_true


def test_whether_any_device_was_erased_is_known(session: Session) -> None:
    assert not pipeline.are_devices_erased(session)
    put(session, ErasedDevice(device_hash=b"h" * 32))
    assert pipeline.are_devices_erased(session)


def test_every_day_up_to_today_is_there_and_one_that_only_another_table_knows() -> None:
    days = balance([], [DayCount(MARCH.last, 4)], [], MARCH, today=FIRST + timedelta(days=2), are_erased=False)
    assert [day.received_day for day in days] == [*(FIRST + timedelta(days=n) for n in range(3)), MARCH.last]
    assert [day.is_true for day in days] == [True, True, True, False]


def test_causes_come_most_first_and_requests_for_audio_are_none() -> None:
    totals = {
        ("event", "counted"): 9,
        ("event", "too_late"): 2,
        ("event", "clock_ahead"): 5,
        ("record", "undecodable"): 5,
        ("hit", "unknown_episode"): 70,
    }
    assert list(causes_of(totals).items()) == [("clock_ahead", 5), ("undecodable", 5), ("too_late", 2)]
