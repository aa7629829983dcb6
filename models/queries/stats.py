"""What was heard: sums over the rollup `episode_day`. API and pages share these, so their numbers cannot differ."""

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Label, cast, func, select
from sqlmodel import Session, col

from models.columns import day_number
from models.counting import EpisodeDay
from models.metrics import ADDITIVE_SLUGS
from models.periods import Period
from models.tables import Episode


class DaySums(NamedTuple):
    """One UTC day's sums; fields as in `episode_day`."""

    day: date
    starts: int
    listens: int
    offline_listens: int
    completions: int
    heard_seconds: int


class EpisodeSums(NamedTuple):
    """One episode, drafts and deleted ones too, and its sums over a period, 0 where nothing was counted."""

    episode_id: int
    uuid: UUID
    title: str
    published_at: datetime | None
    deleted_at: datetime | None
    duration_ms: int | None
    starts: int
    listens: int
    offline_listens: int
    completions: int
    heard_seconds: int

    @property
    def is_counted(self) -> bool:
        """Whether anything of it was counted in the period."""
        return bool(self.starts or self.listens or self.heard_seconds)


class TrendPoint(NamedTuple):
    """Listens of one episode in one stretch of days."""

    episode_id: int
    stretch: int
    """0 for the first `step_days` days of the period, and so on."""
    listens: int


def _sums() -> list[Label[Any]]:
    # PostgreSQL sums bigint to numeric, which would come back as Decimal.
    return [
        cast(func.coalesce(func.sum(getattr(EpisodeDay, slug)), 0), BigInteger).label(slug) for slug in ADDITIVE_SLUGS
    ]


def _days(period: Period) -> Any:
    return col(EpisodeDay.day).between(period.first, period.last)


def _of_show(show_id: int) -> Any:
    return col(EpisodeDay.episode_id).in_(select(col(Episode.id)).where(col(Episode.show_id) == show_id))


def list_day_sums(session: Session, show_id: int, period: Period) -> list[DaySums]:
    """The show's sums for each day that has any, in order."""
    statement = (
        select(col(EpisodeDay.day), *_sums())
        .where(_of_show(show_id), _days(period))
        .group_by(col(EpisodeDay.day))
        .order_by(col(EpisodeDay.day))
    )
    return [DaySums(*row) for row in session.execute(statement)]


def list_day_sums_of_episode(session: Session, episode_id: int, period: Period) -> list[DaySums]:
    """One episode's counts for each day that has any, in order."""
    statement = (
        select(col(EpisodeDay.day), *_sums())
        .where(col(EpisodeDay.episode_id) == episode_id, _days(period))
        .group_by(col(EpisodeDay.day))
        .order_by(col(EpisodeDay.day))
    )
    return [DaySums(*row) for row in session.execute(statement)]


def list_episode_sums(session: Session, show_id: int, period: Period) -> list[EpisodeSums]:
    """Every episode of the show with its sums, most heard first."""
    # Summed before the titles are joined: grouping by all of an episode's columns took twice as long.
    sums = (
        select(col(EpisodeDay.episode_id), *_sums())
        .where(_of_show(show_id), _days(period))
        .group_by(col(EpisodeDay.episode_id))
        .subquery()
    )
    counts = [func.coalesce(sums.c[slug], 0).label(slug) for slug in ADDITIVE_SLUGS]
    about = [getattr(Episode, name) for name in ("id", "uuid", "title", "published_at", "deleted_at", "duration_ms")]
    statement = (
        select(*about, *counts)
        .outerjoin(sums, sums.c.episode_id == col(Episode.id))
        .where(col(Episode.show_id) == show_id)
        .order_by(counts[ADDITIVE_SLUGS.index("listens")].desc(), col(Episode.id).desc())
    )
    return [EpisodeSums(*row) for row in session.execute(statement)]


def list_trends(session: Session, show_id: int, period: Period, step_days: int) -> list[TrendPoint]:
    """Each episode's listens in stretches of `step_days` days; stretches without any are left out."""
    stretch = (cast(col(EpisodeDay.day), BigInteger) - day_number(period.first)) // step_days
    listens = cast(func.sum(col(EpisodeDay.listens)), BigInteger)
    statement = (
        select(col(EpisodeDay.episode_id), stretch.label("stretch"), listens)
        .where(_of_show(show_id), _days(period))
        .group_by(col(EpisodeDay.episode_id), "stretch")
    )
    return [TrendPoint(*row) for row in session.execute(statement)]


def fill_days(rows: list[DaySums], period: Period, today: date) -> list[DaySums]:
    """The same rows with zeros for days without any; days after `today` are only there when something was counted."""
    by_day = {row.day: row for row in rows}
    return [by_day.get(day, DaySums(day, 0, 0, 0, 0, 0)) for day in period.each_day() if day <= today or day in by_day]
