"""Ads in recordings, as the API leaves them in the store."""

from typing import Any
from uuid import uuid4

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from api import clock
from models.advertising import Advertiser, Campaign, Placement
from models.columns import day_from_number
from models.tables import Episode, User
from tests.factories import make_user


def make_campaign(engine: Engine, from_day: int, to_day: int, **fields: Any) -> int:
    """The id of a campaign of its own advertiser, for these UTC day numbers."""
    now = clock.now()
    with Session(engine) as session:
        user = session.exec(select(User).order_by(col(User.id))).first() or make_user(session)[0]
        advertiser = Advertiser(name=uuid4().hex, created_at=now)
        session.add(advertiser)
        session.flush()
        common = {"name": "Spring teas", "price_cents": 1000, "currency": "EUR", "budget_cents": 100_000}
        days = {"from_day": day_from_number(from_day), "to_day": day_from_number(to_day)}
        made = {"created_by": user.id, "created_at": now, "updated_at": now}
        campaign = Campaign(advertiser_id=advertiser.id, **(common | days | made | fields))
        session.add(campaign)
        session.commit()
        assert campaign.id is not None
        return campaign.id


def place(
    engine: Engine, campaign_id: int, episode: Episode | None, seconds: tuple[float, float], **fields: Any
) -> int:
    """The id of a placement in an episode, or with `show_id` in all of a show, for as long as the campaign lasts."""
    with Session(engine) as session:
        campaign = session.get_one(Campaign, campaign_id)
        where = {} if episode is None else {"show_id": episode.show_id, "episode_id": episode.id}
        days = {"from_day": campaign.from_day, "to_day": campaign.to_day}
        part = {"start_ms": round(seconds[0] * 1000), "end_ms": round(seconds[1] * 1000)}
        made = {"created_by": campaign.created_by, "created_at": campaign.created_at}
        placement = Placement(campaign_id=campaign_id, **(where | days | part | made | fields))
        session.add(placement)
        session.commit()
        assert placement.id is not None
        return placement.id


def change_placement(engine: Engine, placement_id: int, **fields: Any) -> None:
    """Change it, as the API would."""
    with Session(engine) as session:
        found = session.get_one(Placement, placement_id)
        for name, value in fields.items():
            setattr(found, name, value)
        session.add(found)
        session.commit()
