"""An advertiser with a campaign, as pages find it in the store."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from dashboard.calls import Answer
from models.advertising import Advertiser, AdvertiserMember, Campaign, Placement, PlacementDay
from models.tables import Episode, Show, User
from tests.factories import make_episode, make_show

NOW = datetime.now(UTC)
TODAY = NOW.date()


class Api:
    """Stands for the API: answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer = Answer(201, {})
        self.writes: list[tuple[str, str, Any]] = []
        self.keys: list[str | None] = []

    def ask(self, method: str, path: str, json: Any = None, *, key: str | None = None) -> Answer:
        """What `calls.ask` gives."""
        self.writes.append((method, path, json))
        self.keys.append(key)
        return self.answer


@dataclass(frozen=True)
class Advertised:
    """One campaign with what belongs to it."""

    advertiser: Advertiser
    campaign: Campaign
    show: Show
    episode: Episode


def put_advertiser(engine: Engine, member: User | None, name: str = "Teahouse & Sons") -> Advertiser:
    """A company, and whoever may see its campaigns."""
    with Session(engine, expire_on_commit=False) as session:
        advertiser = Advertiser(name=name, created_at=NOW)
        session.add(advertiser)
        session.flush()
        if member is not None:
            session.add(AdvertiserMember(advertiser_id=advertiser.id, user_id=member.id))
        session.commit()
        return advertiser


def put_campaign(engine: Engine, advertiser: Advertiser, by: User, **changes: Any) -> Advertised:
    """A campaign of ten days, half of them over, of 12.50 EUR for 1,000 and a budget of 100 EUR; and an episode."""
    fields = {
        "name": "Spring teas",
        "price_cents": 1250,
        "currency": "EUR",
        "budget_cents": 10_000,
        "from_day": TODAY - timedelta(days=5),
        "to_day": TODAY + timedelta(days=4),
        "billing": "confirmed",
        **changes,
    }
    with Session(engine, expire_on_commit=False) as session:
        campaign = Campaign(
            advertiser_id=advertiser.id, created_by=by.id, created_at=NOW, updated_at=NOW, **fields
        )  # fmt: skip
        session.add(campaign)
        session.commit()
        episode = make_episode(session, make_show(session))
        return Advertised(advertiser, campaign, session.get_one(Show, episode.show_id), episode)


def put_placement(engine: Engine, at: Advertised, **days: tuple[int, int, int]) -> Placement:
    """An ad from 1:00 to 1:30; `days`: (delivered, confirmed, offline) by how many days ago, as `ago_1=(9, 5, 2)`."""
    with Session(engine, expire_on_commit=False) as session:
        placement = Placement(
            campaign_id=at.campaign.id,
            show_id=at.show.id,
            episode_id=at.episode.id,
            start_ms=60_000,
            end_ms=90_000,
            from_day=at.campaign.from_day,
            to_day=at.campaign.to_day,
            created_by=at.campaign.created_by,
            created_at=NOW,
        )
        session.add(placement)
        session.flush()
        for name, (delivered, confirmed, offline) in days.items():
            day = TODAY - timedelta(days=int(name.removeprefix("ago_")))
            session.add(_placement_day(placement, at.episode, day, delivered, confirmed, offline))
        session.commit()
        return placement


def _placement_day(
    placement: Placement, episode: Episode, day: date, delivered: int, confirmed: int, offline: int
) -> PlacementDay:
    return PlacementDay(
        placement_id=placement.id,
        episode_id=episode.id,
        day=day,
        delivered=delivered,
        started=confirmed,
        heard_25=confirmed,
        heard_50=confirmed,
        heard_75=confirmed,
        heard_100=confirmed // 2,
        confirmed=confirmed,
        offline_confirmed=offline,
    )
