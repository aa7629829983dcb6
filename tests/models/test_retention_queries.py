"""Reading who heard which second, on each engine."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session

from models.counting import EpisodeDay
from models.queries import retention
from models.retention import TYPICAL_EPISODES, TYPICAL_LEAST_PLAYBACKS
from models.tables import Episode, Show
from tests.factories import make_episode, make_show
from tests.heard import Spans, brute_force, put_heard

NOW = datetime.now(UTC)
ENOUGH = TYPICAL_LEAST_PLAYBACKS


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session on a migrated store."""
    with Session(engine, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def show(session: Session) -> Show:
    """A show without episodes."""
    return make_show(session)


def heard(
    session: Session, show: Show, days_ago: float = 10, playbacks: int = ENOUGH, duration_seconds: int = 600
) -> Episode:
    """An episode that so many heard to its end."""
    episode = make_episode(
        session, show, duration_ms=duration_seconds * 1000 + 999, published_at=NOW - timedelta(days=days_ago)
    )
    put_heard(session, episode, [[(0, duration_seconds)]] * playbacks)
    return episode


def test_an_episode_s_seconds_are_its_own_and_of_all_its_days(session: Session, show: Show) -> None:
    playbacks: list[Spans] = [[(0, 300), (400, 600)], [(0, 280), (250, 290)], [(590, 600)]]
    episode = make_episode(session, show)
    put_heard(session, episode, playbacks)
    heard(session, show)
    long_ago = (NOW - timedelta(days=400)).date()
    counts = {"starts": 4, "listens": 0, "offline_listens": 0, "completions": 0, "heard_seconds": 0}
    session.add(EpisodeDay(episode_id=episode.id, day=long_ago, **counts))
    session.commit()
    found = retention.get_retention(session, episode, NOW)
    expected, spanned, repeated = brute_force(playbacks, 600)
    assert (found.playbacks, found.duration_seconds) == (3 + 4, 600)
    assert found.seconds.heard.tolist() == expected.tolist()
    assert found.seconds.skipped.tolist() == (spanned - expected).tolist()
    assert found.seconds.replayed.tolist() == repeated.tolist()


def test_an_episode_that_nobody_heard_has_zeros(session: Session, show: Show) -> None:
    found = retention.get_retention(session, make_episode(session, show), NOW)
    assert (found.playbacks, found.others) == (0, [])
    assert found.seconds.heard.tolist() == [0] * 600
    assert retention.get_retention(session, make_episode(session, show, duration_ms=None), NOW).duration_seconds == 0


def test_an_episode_is_compared_with_its_show_s_others(session: Session, show: Show) -> None:
    episode = heard(session, show)
    long, short = heard(session, show, 3, ENOUGH + 1, 900), heard(session, show, 5, duration_seconds=60)
    heard(session, make_show(session), 1)
    others = retention.list_comparables(session, show.id, episode.id, NOW)
    assert others == [(long.id, 900, ENOUGH + 1), (short.id, 60, ENOUGH)]
    curves = {len(curve.heard): curve for curve in retention.list_curves(session, others)}
    assert curves[900].heard.tolist() == [ENOUGH + 1] * 900
    assert (curves[60].heard.tolist(), curves[60].playbacks) == ([ENOUGH] * 60, ENOUGH)


def test_only_public_episodes_that_were_heard_enough_are_compared_with(session: Session, show: Show) -> None:
    heard(session, show, playbacks=ENOUGH - 1)
    heard(session, show, days_ago=-1)
    draft, deleted = heard(session, show), heard(session, show)
    draft.published_at, deleted.deleted_at = None, NOW
    session.add_all([draft, deleted])
    session.commit()
    make_episode(session, show)
    kept = heard(session, show)
    assert [other.episode_id for other in retention.list_comparables(session, show.id, 0, NOW)] == [kept.id]


def test_no_more_than_the_newest_are_compared_with(session: Session, show: Show) -> None:
    made = [heard(session, show, days_ago=1 + age, duration_seconds=2) for age in range(TYPICAL_EPISODES + 2)]
    others = retention.list_comparables(session, show.id, made[0].id, NOW)
    assert [other.episode_id for other in others] == [episode.id for episode in made[1 : 1 + TYPICAL_EPISODES]]


def test_an_episode_that_the_rollup_does_not_know_yet_is_left_out(session: Session, show: Show) -> None:
    known = retention.Comparable(heard(session, show).id, 600, ENOUGH)
    assert len(retention.list_curves(session, [known, known._replace(episode_id=known.episode_id + 1)])) == 1


def test_the_statements_are_as_many_for_a_long_history(session: Session, show: Show, engine: Engine) -> None:
    for age in range(6):
        heard(session, show, age + 1)
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _cursor, statement, *_: statements.append(statement))
    episode = heard(session, show)
    statements.clear()
    assert len(retention.get_retention(session, episode, NOW).others) == 6
    assert sum(statement.startswith("SELECT") for statement in statements) == 4
