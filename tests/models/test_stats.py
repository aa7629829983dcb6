"""Sums over the rollups, on each engine."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from models.counting import ArrivalDay, EpisodeDay
from models.metrics import ADDITIVE_SLUGS
from models.periods import Period, ending
from models.queries import live, stats
from models.tables import Episode, Show
from tests.factories import make_episode, make_show

FIRST = date(2026, 3, 1)
MARCH = Period(FIRST, date(2026, 3, 31))


def put_day(session: Session, episode: Episode, day: date, listens: int, offline: int = 0) -> None:
    """A rollup row whose five counts all differ."""
    session.add(
        EpisodeDay(
            episode_id=episode.id,
            day=day,
            starts=listens * 2,
            listens=listens,
            offline_listens=offline,
            completions=listens // 2,
            heard_seconds=listens * 300,
        )
    )
    session.commit()


def put_arrival(session: Session, episode: Episode, received: date, day: date, listens: int, at_ms: int) -> None:
    """What a received day added to a day."""
    session.add(
        ArrivalDay(
            episode_id=episode.id,
            received_day=received,
            day=day,
            events=listens * 10,
            starts=listens,
            listens=listens,
            heard_seconds=listens * 60,
            last_received_ms=at_ms,
        )
    )
    session.commit()


@pytest.fixture
def session(engine: Engine):
    """A session on a migrated store."""
    with Session(engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def show(session: Session) -> Show:
    """Two episodes heard in March, one of them also in February, and another show heard on the same days."""
    show = make_show(session)
    old, new = make_episode(session, show), make_episode(session, show)
    put_day(session, old, FIRST - timedelta(days=1), 1000)
    put_day(session, old, FIRST, 4, offline=1)
    put_day(session, old, FIRST + timedelta(days=30), 6)
    put_day(session, new, FIRST, 20, offline=5)
    put_day(session, make_episode(session), FIRST, 500)
    return show


def test_a_day_sums_the_shows_episodes_and_nobody_elses(session: Session, show: Show) -> None:
    rows = stats.list_day_sums(session, show.id, MARCH)
    assert rows == [
        stats.DaySums(FIRST, 48, 24, 6, 12, 7200),
        stats.DaySums(date(2026, 3, 31), 12, 6, 0, 3, 1800),
    ]
    assert all(type(value) is int for value in rows[0][1:])


def test_sums_by_day_equal_sums_by_episode(session: Session, show: Show) -> None:
    by_day = stats.list_day_sums(session, show.id, MARCH)
    by_episode = stats.list_episode_sums(session, show.id, MARCH)
    for slug in ADDITIVE_SLUGS:
        assert sum(getattr(row, slug) for row in by_day) == sum(getattr(row, slug) for row in by_episode) > 0


def test_episodes_come_most_heard_first_and_unheard_ones_have_zeros(session: Session, show: Show) -> None:
    draft = make_episode(session, show, published_at=None)
    rows = stats.list_episode_sums(session, show.id, MARCH)
    assert [row.listens for row in rows] == [20, 10, 0]
    assert rows[2].uuid == draft.uuid
    assert [row.is_counted for row in rows] == [True, True, False]
    assert all(type(getattr(row, slug)) is int for row in rows for slug in ADDITIVE_SLUGS)


def test_a_deleted_episodes_listens_stay_in_the_sums(session: Session, show: Show) -> None:
    before = stats.list_day_sums(session, show.id, MARCH)
    episode = session.get(Episode, stats.list_episode_sums(session, show.id, MARCH)[0].episode_id)
    episode.deleted_at = datetime.now(UTC)
    session.commit()
    assert stats.list_day_sums(session, show.id, MARCH) == before
    assert stats.list_episode_sums(session, show.id, MARCH)[0].listens == 20


def test_one_episodes_days_are_its_own(session: Session, show: Show) -> None:
    newest = stats.list_episode_sums(session, show.id, MARCH)[0].episode_id
    rows = stats.list_day_sums_of_episode(session, newest, MARCH)
    assert rows == [stats.DaySums(FIRST, 40, 20, 5, 10, 6000)]


def test_a_trend_adds_up_to_the_episodes_listens(session: Session, show: Show) -> None:
    points = stats.list_trends(session, show.id, MARCH, step_days=10)
    newest, oldest = [row.episode_id for row in stats.list_episode_sums(session, show.id, MARCH)]
    assert sorted(points) == sorted(
        [stats.TrendPoint(oldest, 0, 4), stats.TrendPoint(oldest, 3, 6), stats.TrendPoint(newest, 0, 20)]
    )


def test_days_without_playbacks_become_zeros_up_to_today(session: Session, show: Show) -> None:
    rows = stats.fill_days(stats.list_day_sums(session, show.id, MARCH), MARCH, today=date(2026, 3, 20))
    assert [row.day for row in rows] == [*(FIRST + timedelta(days=n) for n in range(20)), date(2026, 3, 31)]
    assert rows[1] == stats.DaySums(FIRST + timedelta(days=1), 0, 0, 0, 0, 0)
    assert sum(row.listens for row in rows) == 30


def test_arrivals_of_a_day_name_the_late_ones_and_the_last_receipt(session: Session, show: Show) -> None:
    episode = make_episode(session, show)
    put_arrival(session, episode, FIRST, FIRST, 7, at_ms=1_000)
    put_arrival(session, episode, FIRST, FIRST - timedelta(days=3), 2, at_ms=5_000)
    put_arrival(session, episode, FIRST - timedelta(days=1), FIRST - timedelta(days=1), 90, at_ms=500)
    put_arrival(session, make_episode(session), FIRST, FIRST, 40, at_ms=9_000)
    assert live.get_arrivals(session, show.id, FIRST) == live.Arrivals(90, 9, 2, 5_000)


def test_a_day_that_brought_nothing_has_zeros_and_no_receipt(session: Session, show: Show) -> None:
    assert live.get_arrivals(session, show.id, FIRST) == live.Arrivals(0, 0, 0, None)


def test_the_period_before_is_as_long_and_ends_the_day_before() -> None:
    assert ending(date(2026, 3, 7), 7) == Period(FIRST, date(2026, 3, 7))
    assert Period(FIRST, date(2026, 3, 7)).before() == Period(date(2026, 2, 22), date(2026, 2, 28))


def test_a_period_that_ends_before_it_begins_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        Period(date(2026, 3, 2), FIRST)
