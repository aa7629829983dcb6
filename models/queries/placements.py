"""Placements: ads in recordings, what stands beside them, and what there is to place ads in."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, and_, cast, true
from sqlalchemy import select as select_rows
from sqlmodel import Session, col, func, select

from models.advertising import (
    Advertiser,
    AdvertiserMember,
    Campaign,
    Creative,
    Placement,
    PlacementDay,
)
from models.counting import Playback
from models.downloads import ConsumerDay
from models.tables import Episode, Show


class Placed(NamedTuple):
    """A placement and what it refers to."""

    placement: Placement
    show: Show
    episode: Episode | None
    creative: Creative | None


class Neighbour(NamedTuple):
    """A placement, of any campaign, that takes up the same part of a show's recordings on some of the same days."""

    placement: Placement
    episode: Episode | None
    campaign: Campaign
    advertiser: Advertiser


def append_placement(session: Session, placement: Placement) -> None:
    """Add a placement."""
    session.add(placement)
    session.flush()


def _placed() -> Any:
    return (
        select_rows(Placement, Show, Episode, Creative)
        .join(Show, col(Show.id) == Placement.show_id)
        .outerjoin(Episode, col(Episode.id) == Placement.episode_id)
        .outerjoin(Creative, col(Creative.id) == Placement.creative_id)
    )


def list_placements(session: Session, campaign_id: int) -> list[Placed]:
    """A campaign's placements, removed ones too, in the order they were made."""
    statement = _placed().where(col(Placement.campaign_id) == campaign_id).order_by(col(Placement.id))
    return [Placed(*row) for row in session.execute(statement)]


def get_placed(session: Session, placement_id: int) -> Placed:
    """A placement that is there, with what it refers to."""
    return Placed(*session.execute(_placed().where(col(Placement.id) == placement_id)).one())


def get_placement(session: Session, uuid: UUID, user_id: int | None) -> tuple[Placement, Campaign] | None:
    """A placement of this person's campaigns (None: of anybody's); both rows are kept from other writers."""
    own = select(AdvertiserMember.advertiser_id).where(AdvertiserMember.user_id == user_id)
    statement = (
        select(Placement, Campaign)
        .join(Campaign, col(Campaign.id) == Placement.campaign_id)
        .where(Placement.uuid == uuid, true() if user_id is None else col(Campaign.advertiser_id).in_(own))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return session.exec(statement).first()


def list_neighbours(session: Session, placement: Placement) -> list[Neighbour]:
    """What overlaps a placement's part and days in its show, in whichever recordings."""
    statement = (
        select(Placement, Episode, Campaign, Advertiser)
        .join(Campaign, col(Campaign.id) == Placement.campaign_id)
        .join(Advertiser, col(Advertiser.id) == Campaign.advertiser_id)
        .outerjoin(Episode, col(Episode.id) == Placement.episode_id)
        .where(
            col(Placement.show_id) == placement.show_id,
            col(Placement.uuid) != placement.uuid,
            col(Placement.start_ms) < placement.end_ms,
            col(Placement.end_ms) > placement.start_ms,
            # What was removed before it began has no days.
            col(Placement.from_day) <= col(Placement.to_day),
            col(Placement.from_day) <= placement.to_day,
            col(Placement.to_day) >= placement.from_day,
        )
        .order_by(col(Placement.id))
    )
    return [Neighbour(*row) for row in session.execute(statement)]


def get_outermost_days(session: Session, campaign_id: int) -> tuple[date, date] | None:
    """The first and last day of a campaign's placements; None without any."""
    statement = select(func.min(Placement.from_day), func.max(Placement.to_day)).where(
        Placement.campaign_id == campaign_id, col(Placement.from_day) <= col(Placement.to_day)
    )
    first, last = session.execute(statement).one()
    return None if first is None else (first, last)


# -- shows and recordings --------------------------------------------------------------------------------------------


def get_show(session: Session, uuid: UUID) -> Show | None:
    """A show that is not deleted; other placements in it wait until this one is committed."""
    statement = select(Show).where(Show.uuid == uuid, col(Show.deleted_at).is_(None)).with_for_update(key_share=True)
    return session.exec(statement).first()


def lock_show(session: Session, show_id: int) -> None:
    """Keep other placements in this show waiting."""
    session.exec(select(col(Show.id)).where(col(Show.id) == show_id).with_for_update(key_share=True)).one()


def get_episode(session: Session, uuid: UUID) -> Episode | None:
    """An episode of any show that is not deleted."""
    return session.exec(select(Episode).where(Episode.uuid == uuid, col(Episode.deleted_at).is_(None))).first()


def list_recordings(session: Session, show_id: int) -> list[Episode]:
    """A show's episodes that have a recording, drafts too, in the order they were made."""
    statement = select(Episode).where(
        Episode.show_id == show_id, col(Episode.deleted_at).is_(None), col(Episode.duration_ms).is_not(None)
    )
    return list(session.exec(statement.order_by(col(Episode.id))))


def get_first_kept_day(session: Session) -> date | None:
    """The first day of which playbacks or consumers' days are kept."""
    days = [session.execute(select(func.min(table.day))).scalar_one() for table in (Playback, ConsumerDay)]
    return min((day for day in days if day is not None), default=None)


def list_shows_to_buy(session: Session, uuid: UUID | None, *, limit: int, offset: int) -> tuple[list[Show], int]:
    """A page of shows in order of their titles, and how many there are; with `uuid` that one only."""
    wanted = and_(col(Show.deleted_at).is_(None), true() if uuid is None else col(Show.uuid) == uuid)
    shows = select(Show).where(wanted).order_by(Show.title, col(Show.id)).limit(limit).offset(offset)
    total = session.exec(select(func.count()).select_from(Show).where(wanted)).one()
    return list(session.exec(shows)), total


def list_episodes_to_buy(session: Session, show_ids: Sequence[int], now: datetime, most: int) -> list[Episode]:
    """The `most` newest public episodes with a recording of each of these shows, the newest first."""
    place = func.row_number().over(
        partition_by=col(Episode.show_id), order_by=[col(Episode.published_at).desc(), col(Episode.id).desc()]
    )
    numbered = (
        select(col(Episode.id).label("id"), place.label("place"))
        .where(
            col(Episode.show_id).in_(show_ids),
            col(Episode.deleted_at).is_(None),
            col(Episode.published_at) <= now,
            col(Episode.duration_ms) >= 1000,
        )
        .subquery()
    )
    statement = select(Episode).join(numbered, numbered.c.id == col(Episode.id)).where(numbered.c.place <= most)
    return list(session.exec(statement.order_by(col(Episode.published_at).desc(), col(Episode.id).desc())))


class InShow(NamedTuple):
    """A placement as its show's creator sees it."""

    placement: Placement
    episode: Episode | None
    creative: Creative | None
    campaign: Campaign
    advertiser: Advertiser
    delivered: int
    confirmed: int
    offline_confirmed: int


def list_placements_in_show(session: Session, show_id: int, *, limit: int, offset: int) -> list[InShow]:
    """All placements of a show, the last made first, with their sums over all days."""
    names = ("delivered", "confirmed", "offline_confirmed")
    sums = (
        select(
            col(PlacementDay.placement_id),
            *(cast(func.sum(getattr(PlacementDay, name)), BigInteger).label(name) for name in names),
        )
        .where(col(PlacementDay.placement_id).in_(select(Placement.id).where(Placement.show_id == show_id)))
        .group_by(col(PlacementDay.placement_id))
        .subquery()
    )
    statement = (
        select_rows(
            Placement,
            Episode,
            Creative,
            Campaign,
            Advertiser,
            *(func.coalesce(sums.c[name], 0) for name in names),
        )
        .join(Campaign, col(Campaign.id) == Placement.campaign_id)
        .join(Advertiser, col(Advertiser.id) == Campaign.advertiser_id)
        .outerjoin(Episode, col(Episode.id) == Placement.episode_id)
        .outerjoin(Creative, col(Creative.id) == Placement.creative_id)
        .outerjoin(sums, sums.c.placement_id == col(Placement.id))
        .where(col(Placement.show_id) == show_id)
        .order_by(col(Placement.id).desc())
        .limit(limit)
        .offset(offset)
    )
    return [InShow(*row) for row in session.execute(statement)]


def count_placements_in_show(session: Session, show_id: int) -> int:
    """How many placements `list_placements_in_show` has to give."""
    return session.exec(select(func.count()).select_from(Placement).where(Placement.show_id == show_id)).one()
