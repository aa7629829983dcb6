"""Who heard which second: reads of the rollup `episode_heard`, for an episode and for what is usual in its show."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import BigInteger, cast, func, select
from sqlmodel import Session, col

from models import retention
from models.counting import EpisodeDay, EpisodeHeard
from models.tables import Episode


class Comparable(NamedTuple):
    """An episode that a typical curve may be made of."""

    episode_id: int
    duration_seconds: int
    playbacks: int


def get_retention(session: Session, episode: Episode, now: datetime) -> retention.Retention:
    """An episode's retention over all days, in four statements, however many days there are."""
    if episode.id is None:
        raise ValueError("this episode was never stored")
    seconds = get_per_second(session, episode.id, (episode.duration_ms or 0) // 1000)
    others = list_comparables(session, episode.show_id, episode.id, now)
    enough = len(others) >= retention.TYPICAL_LEAST_EPISODES
    curves = list_curves(session, others) if enough else []
    return retention.Retention(count_playbacks(session, episode.id), seconds, curves)


def count_playbacks(session: Session, episode_id: int) -> int:
    """The episode's starts, over all days."""
    starts = func.coalesce(func.sum(col(EpisodeDay.starts)), 0)
    statement = select(cast(starts, BigInteger)).where(col(EpisodeDay.episode_id) == episode_id)
    return int(session.execute(statement).scalar_one())


def get_per_second(session: Session, episode_id: int, duration_seconds: int) -> retention.PerSecond:
    """What playbacks did with each second of an episode."""
    table = EpisodeHeard
    columns = (col(table.chunk), col(table.heard), col(table.spanned), col(table.repeated))
    statement = select(*columns).where(col(table.episode_id) == episode_id)
    rows = session.execute(statement).all()
    heard, spanned, replayed = (
        retention.decode(((row[0], bytes(row[place])) for row in rows), duration_seconds) for place in (1, 2, 3)
    )
    return retention.PerSecond(heard, spanned - heard, replayed)


def list_comparables(session: Session, show_id: int, episode_id: int, now: datetime) -> list[Comparable]:
    """The show's other episodes that were published last and are heard enough to be compared with, newest first."""
    # Asked for each episode on the way back from the newest, until enough are found: a long history is not summed up.
    playbacks = (
        select(cast(func.sum(col(EpisodeDay.starts)), BigInteger))
        .where(col(EpisodeDay.episode_id) == col(Episode.id))
        .correlate(Episode)
        .scalar_subquery()
    )
    statement = (
        select(col(Episode.id), col(Episode.duration_ms), playbacks)
        .where(
            col(Episode.show_id) == show_id,
            col(Episode.id) != episode_id,
            col(Episode.deleted_at).is_(None),
            col(Episode.published_at) <= now,
            col(Episode.duration_ms) >= 1000,
            playbacks >= retention.TYPICAL_LEAST_PLAYBACKS,
        )
        .order_by(col(Episode.published_at).desc(), col(Episode.id).desc())
        .limit(retention.TYPICAL_EPISODES)
    )
    return [Comparable(row[0], row[1] // 1000, row[2]) for row in session.execute(statement)]


def list_curves(session: Session, episodes: Iterable[Comparable]) -> list[retention.Curve]:
    """How many playbacks heard each second of these episodes; one that the rollup does not know yet is left out."""
    by_id = {episode.episode_id: episode for episode in episodes}
    columns = (col(EpisodeHeard.episode_id), col(EpisodeHeard.chunk), col(EpisodeHeard.heard))
    statement = select(*columns).where(col(EpisodeHeard.episode_id).in_(by_id)).order_by(*columns[:2])
    curves = []
    for episode_id, rows in groupby(session.execute(statement), key=itemgetter(0)):
        chunks = ((row[1], bytes(row[2])) for row in rows)
        heard = retention.decode(chunks, by_id[episode_id].duration_seconds)
        curves.append(retention.Curve(heard, by_id[episode_id].playbacks))
    return curves
