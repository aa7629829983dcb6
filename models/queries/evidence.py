"""What is behind a creator's month: what was heard and when it arrived, and what became of requests for audio."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import BigInteger, cast
from sqlmodel import Session, col, func, select

from models.counting import ArrivalDay, EpisodeDay
from models.downloads import ShowHitOutcome
from models.periods import Period
from models.tables import Episode, Show


class ListenDay(NamedTuple):
    """Listens of a UTC day."""

    day: date
    listens: int
    late: int
    """Of those, received on a later day."""


class Outcome(NamedTuple):
    """Requests for audio that came to the same: a download, or the cause why not."""

    outcome: str
    hits: int


def list_shows_of(session: Session, creator_id: int) -> list[Show]:
    """A creator's shows, deleted ones too."""
    return list(session.exec(select(Show).where(Show.owner_id == creator_id).order_by(Show.title, col(Show.id))))


def list_listens_by_day(session: Session, show_id: int, period: Period) -> dict[date, int]:
    """A show's listens of each day that has any."""
    statement = (
        select(col(EpisodeDay.day), cast(func.sum(col(EpisodeDay.listens)), BigInteger))
        .join(Episode, col(Episode.id) == col(EpisodeDay.episode_id))
        .where(Episode.show_id == show_id, col(EpisodeDay.day).between(period.first, period.last))
        .group_by(col(EpisodeDay.day))
        .order_by(col(EpisodeDay.day))
    )
    return dict(session.exec(statement).all())


def list_late_by_day(session: Session, creator_id: int, period: Period) -> dict[date, int]:
    """Listens of a creator's shows that were received after their UTC day, by their day."""
    statement = (
        select(col(ArrivalDay.day), cast(func.sum(col(ArrivalDay.listens)), BigInteger))
        .join(Episode, col(Episode.id) == col(ArrivalDay.episode_id))
        .join(Show, col(Show.id) == col(Episode.show_id))
        .where(
            Show.owner_id == creator_id,
            col(ArrivalDay.day).between(period.first, period.last),
            col(ArrivalDay.received_day) > col(ArrivalDay.day),
        )
        .group_by(col(ArrivalDay.day))
    )
    return dict(session.exec(statement).all())


def list_outcomes(session: Session, creator_id: int, period: Period) -> list[Outcome]:
    """Hits on a creator's shows by what became of them, the most frequent first."""
    hits = cast(func.sum(col(ShowHitOutcome.hits)), BigInteger)
    statement = (
        select(col(ShowHitOutcome.outcome), hits)
        .join(Show, col(Show.id) == col(ShowHitOutcome.show_id))
        .where(Show.owner_id == creator_id, col(ShowHitOutcome.day).between(period.first, period.last))
        .group_by(col(ShowHitOutcome.outcome))
        .order_by(hits.desc(), col(ShowHitOutcome.outcome))
    )
    return [Outcome(*row) for row in session.exec(statement)]
