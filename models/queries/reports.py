"""What a campaign's report is made of: its impressions by day, by episode, and by app and country."""

from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, cast, func, select
from sqlmodel import Session, col

from models.advertising import Placement, PlacementDay, PlacementSplit
from models.periods import Period
from models.tables import Episode, Show


class Counts(NamedTuple):
    """Sums of impressions, as the columns of `PlacementDay`."""

    delivered: int
    started: int
    heard_25: int
    heard_50: int
    heard_75: int
    heard_100: int
    confirmed: int
    offline_confirmed: int


NONE = Counts(*[0] * len(Counts._fields))


class EpisodeCounts(NamedTuple):
    """Impressions in one episode."""

    uuid: UUID
    title: str
    show_uuid: UUID
    show_title: str
    counts: Counts


def _sums() -> list[Any]:
    return [cast(func.sum(getattr(PlacementDay, name)), BigInteger) for name in Counts._fields]


def _of(table: Any, campaign_id: int, period: Period) -> Any:
    placements = select(col(Placement.id)).where(col(Placement.campaign_id) == campaign_id)
    return col(table.placement_id).in_(placements) & col(table.day).between(period.first, period.last)


def list_days(session: Session, campaign_id: int, period: Period) -> dict[date, Counts]:
    """Impressions of each day that has any."""
    statement = (
        select(col(PlacementDay.day), *_sums())
        .where(_of(PlacementDay, campaign_id, period))
        .group_by(col(PlacementDay.day))
        .order_by(col(PlacementDay.day))
    )
    return {day: Counts(*counts) for day, *counts in session.execute(statement)}


def list_episodes(session: Session, campaign_id: int, period: Period) -> list[EpisodeCounts]:
    """Impressions of each episode that has any, most delivered first."""
    sums = (
        select(
            col(PlacementDay.episode_id),
            *(cell.label(name) for cell, name in zip(_sums(), Counts._fields, strict=True)),
        )
        .where(_of(PlacementDay, campaign_id, period))
        .group_by(col(PlacementDay.episode_id))
        .subquery()
    )
    about = (col(Episode.uuid), col(Episode.title), col(Show.uuid), col(Show.title))
    statement = (
        select(*about, *(sums.c[name] for name in Counts._fields))
        .join(sums, sums.c.episode_id == col(Episode.id))
        .join(Show, col(Show.id) == col(Episode.show_id))
        .order_by(sums.c.delivered.desc(), sums.c.confirmed.desc(), col(Episode.id))
    )
    found = (tuple(row) for row in session.execute(statement))
    episodes = [EpisodeCounts(row[0], row[1], row[2], row[3], Counts(*row[4:])) for row in found]
    return [row for row in episodes if any(row.counts)]


def list_split(session: Session, campaign_id: int, period: Period, kind: str) -> list[tuple[str, int]]:
    """Delivered impressions for each value of `app`, `device` or `country`, most first."""
    delivered = cast(func.sum(PlacementSplit.delivered), BigInteger)
    statement = (
        select(col(PlacementSplit.value), delivered)
        .where(_of(PlacementSplit, campaign_id, period), col(PlacementSplit.kind) == kind)
        .group_by(col(PlacementSplit.value))
        .having(delivered > 0)
        .order_by(delivered.desc(), col(PlacementSplit.value))
    )
    return [(value, number) for value, number in session.execute(statement)]
