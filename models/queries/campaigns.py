"""Advertisers, their members, campaigns and creatives.

`user_id` narrows to the advertisers that a person is a member of; None means everybody's, for admins.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, true
from sqlmodel import Session, col, delete, func, select

from models.advertising import Advertiser, AdvertiserMember, Campaign, Creative
from models.tables import User

# -- advertisers -----------------------------------------------------------------------------------------------------


def append_advertiser(session: Session, advertiser: Advertiser) -> None:
    """Add an advertiser; raises IntegrityError when the name is taken."""
    session.add(advertiser)
    session.flush()


def _visible(user_id: int | None) -> ColumnElement[bool]:
    if user_id is None:
        return true()
    own = select(AdvertiserMember.advertiser_id).where(AdvertiserMember.user_id == user_id)
    return col(Advertiser.id).in_(own)


def list_advertisers(session: Session, user_id: int | None, *, limit: int, offset: int) -> list[Advertiser]:
    """Advertisers in order of their names."""
    statement = select(Advertiser).where(_visible(user_id)).order_by(Advertiser.name)
    return list(session.exec(statement.limit(limit).offset(offset)))


def count_advertisers(session: Session, user_id: int | None) -> int:
    """How many advertisers `list_advertisers` has to give."""
    return session.exec(select(func.count()).select_from(Advertiser).where(_visible(user_id))).one()


def get_advertiser(session: Session, uuid: UUID, user_id: int | None) -> Advertiser | None:
    """An advertiser by the id that the API uses."""
    return session.exec(select(Advertiser).where(Advertiser.uuid == uuid, _visible(user_id))).first()


def put_member(session: Session, advertiser_id: int, user_id: int) -> bool:
    """Let an account see and change an advertiser's campaigns; False when it could already."""
    if session.get(AdvertiserMember, (advertiser_id, user_id)) is not None:
        return False
    session.add(AdvertiserMember(advertiser_id=advertiser_id, user_id=user_id))
    session.flush()
    return True


def delete_member(session: Session, advertiser_id: int, user_id: int) -> bool:
    """The opposite; False when there was nothing to take away."""
    statement = delete(AdvertiserMember).where(
        col(AdvertiserMember.advertiser_id) == advertiser_id, col(AdvertiserMember.user_id) == user_id
    )
    return bool(session.exec(statement).rowcount)


def list_members(session: Session, advertiser_ids: list[int]) -> list[tuple[int, User]]:
    """Each of these advertisers' members, in order of e-mail address."""
    statement = (
        select(AdvertiserMember.advertiser_id, User)
        .join(User, col(User.id) == AdvertiserMember.user_id)
        .where(col(AdvertiserMember.advertiser_id).in_(advertiser_ids))
        .order_by(User.email)
    )
    return [(advertiser_id, user) for advertiser_id, user in session.exec(statement)]


# -- campaigns -------------------------------------------------------------------------------------------------------


def append_campaign(session: Session, campaign: Campaign) -> None:
    """Add a campaign; raises IntegrityError when the advertiser has one of this name."""
    session.add(campaign)
    session.flush()


def list_campaigns(
    session: Session, user_id: int | None, advertiser: UUID | None, *, limit: int, offset: int
) -> list[tuple[Campaign, Advertiser]]:
    """Campaigns with their advertisers, the last made first."""
    statement = (
        select(Campaign, Advertiser)
        .join(Advertiser, col(Advertiser.id) == Campaign.advertiser_id)
        .where(_visible(user_id), _of(advertiser))
        .order_by(col(Campaign.id).desc())
    )
    return [(campaign, owner) for campaign, owner in session.exec(statement.limit(limit).offset(offset))]


def count_campaigns(session: Session, user_id: int | None, advertiser: UUID | None) -> int:
    """How many campaigns `list_campaigns` has to give."""
    statement = (
        select(func.count()).select_from(Campaign).join(Advertiser, col(Advertiser.id) == Campaign.advertiser_id)
    )
    return session.exec(statement.where(_visible(user_id), _of(advertiser))).one()


def _of(advertiser: UUID | None) -> ColumnElement[bool]:
    return true() if advertiser is None else col(Advertiser.uuid) == advertiser


def get_campaign(
    session: Session, uuid: UUID, user_id: int | None, *, for_update: bool = False
) -> tuple[Campaign, Advertiser] | None:
    """A campaign and its advertiser; `for_update` keeps other writers of this campaign waiting."""
    statement = (
        select(Campaign, Advertiser)
        .join(Advertiser, col(Advertiser.id) == Campaign.advertiser_id)
        .where(Campaign.uuid == uuid, _visible(user_id))
    )
    if for_update:
        # Not its key: rows that refer to it may be added meanwhile.
        statement = statement.with_for_update(of=Campaign, key_share=True).execution_options(populate_existing=True)
    return session.exec(statement).first()


# -- creatives -------------------------------------------------------------------------------------------------------


def append_creative(session: Session, creative: Creative) -> None:
    """Add a creative; raises IntegrityError when the campaign has one of this name."""
    session.add(creative)
    session.flush()


def list_creatives(session: Session, campaign_id: int) -> list[Creative]:
    """A campaign's creatives, in the order they were made."""
    statement = select(Creative).where(Creative.campaign_id == campaign_id).order_by(col(Creative.id))
    return list(session.exec(statement))


def get_creative(session: Session, uuid: UUID, campaign_id: int) -> Creative | None:
    """A creative of this campaign."""
    statement = select(Creative).where(Creative.uuid == uuid, Creative.campaign_id == campaign_id)
    return session.exec(statement).first()
