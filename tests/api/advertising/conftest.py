"""A show with episodes, two advertisers, and campaigns of theirs, for tests that talk to the API."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session, select

from models.advertising import Campaign, Placement, PlacementDay
from models.payouts import LineKind, RatePlan, SettledDay, Statement, StatementLine
from models.tables import Episode, Role, Show, User
from tests.factories import make_episode, make_show, make_user


def today() -> date:
    """The UTC day it is."""
    return datetime.now(UTC).date()


def day(offset: int) -> str:
    """The UTC day so many days from today, as the API writes it."""
    return str(today() + timedelta(days=offset))


@dataclass
class Market:
    """Who may ask: `mine` and `rival` are advertisers, `owner` and `other` creators, `admin`; and what there is."""

    client: TestClient
    engine: Engine
    keys: dict[str, str] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    advertisers: dict[str, str] = field(default_factory=dict)
    show: str = ""
    episode: str = ""
    """Ten minutes long, published 80 days ago."""

    def call(self, who: str, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """A request as `who`, with an idempotency key of its own; "nobody" sends no key."""
        headers = {"Idempotency-Key": uuid4().hex}
        if who != "nobody":
            headers["Authorization"] = f"Bearer {self.keys[who]}"
        return self.client.request(method, path, headers=headers, json=body, **more)

    def made(self, who: str, path: str, body: Any) -> dict[str, Any]:
        """What a POST that must succeed has made."""
        answer = self.call(who, "POST", path, body)
        assert answer.status_code in {200, 201}, answer.text
        return dict(answer.json())

    def terms(self, who: str = "mine", **fields: Any) -> dict[str, Any]:
        """A campaign that can be made."""
        return {
            "advertiser_id": self.advertisers[who],
            "name": f"Teas {uuid4().hex[:6]}",
            "price_cents": 2000,
            "currency": "EUR",
            "budget_cents": 100_000,
            "from_day": day(-20),
            "to_day": day(10),
            **fields,
        }

    def campaign(self, who: str = "mine", **fields: Any) -> dict[str, Any]:
        """A campaign of `who`'s, from 20 days ago to 10 days from now."""
        return self.made(who, "/v1/campaigns", self.terms(who, **fields))

    def spot(self, **fields: Any) -> dict[str, Any]:
        """A placement that can be made: half a minute in the usual episode."""
        return {"show_id": self.show, "episode_id": self.episode, "start_ms": 60_000, "end_ms": 90_000, **fields}

    def placement(self, campaign: dict[str, Any], who: str = "mine", **fields: Any) -> dict[str, Any]:
        """A placement that was made."""
        return self.made(who, f"/v1/campaigns/{campaign['id']}/placements", self.spot(**fields))

    def place(self, campaign: dict[str, Any], who: str = "mine", **fields: Any) -> Any:
        """The answer to a placement that may be refused."""
        return self.call(who, "POST", f"/v1/campaigns/{campaign['id']}/placements", self.spot(**fields))

    def add_episode(self, show: str | None = None, **fields: Any) -> str:
        """Another episode, by default of the usual show."""
        with Session(self.engine) as session:
            row = session.exec(select(Show).where(Show.uuid == UUID(show or self.show))).one()
            return str(make_episode(session, row, **fields).uuid)

    def count(self, placement: dict[str, Any], offset: int, **counts: int) -> None:
        """Put impressions of a day, as the worker would have counted them."""
        names = ("delivered", "started", "heard_25", "heard_50", "heard_75", "heard_100", "confirmed")
        with Session(self.engine) as session:
            row = session.exec(select(Placement).where(Placement.uuid == UUID(placement["id"]))).one()
            episode_id = row.episode_id or session.exec(select(Episode.id)).first()
            numbers = {**dict.fromkeys((*names, "offline_confirmed"), 0), **counts}
            on = today() + timedelta(days=offset)
            session.add(PlacementDay(placement_id=row.id, episode_id=episode_id, day=on, **numbers))
            session.commit()

    def settle(
        self, campaign: dict[str, Any], offset: int, quantity: int, gross_cents: int, state: str = "draft"
    ) -> None:
        """Put a statement that pays so many impressions of a day."""
        now, on = datetime.now(UTC), today() + timedelta(days=offset)
        with Session(self.engine) as session:
            bought = session.exec(select(Campaign).where(Campaign.uuid == UUID(campaign["id"]))).one()
            episode = session.exec(select(Episode).where(Episode.uuid == UUID(self.episode))).one()
            owner = session.exec(select(User).where(User.email == self.emails["owner"])).one()
            ids = {"created_by": owner.id, "created_at": now}
            money = {"currency": "EUR", "listen_price_cents": 0, "ad_share_bp": 7000}
            month = date(1971 + len(session.exec(select(Statement)).all()), 1, 1)
            plan = RatePlan(show_id=episode.show_id, from_day=month, **money, **ids)
            statement = Statement(
                creator_id=owner.id,
                currency="EUR",
                month=month,
                state=state,
                total_cents=0,
                rule_version="1",
                position="{}",
                inputs=b"",
                inputs_hash=bytes(32),
                drafted_at=now,
            )
            session.add_all([plan, statement])
            session.flush()
            numbers = {"counted": quantity, "held": 0, "void": 0, "unbilled": 0, "exact": 0, "amount_cents": 0}
            line = StatementLine(
                statement_id=statement.id,
                kind=LineKind.ADS,
                episode_id=episode.id,
                campaign_id=bought.id,
                plan_id=plan.id,
                month=statement.month,
                quantity=quantity,
                gross_cents=gross_cents,
                **numbers,
            )
            settled = {"episode_id": episode.id, "campaign_id": bought.id, "statement_id": statement.id}
            session.add_all([line, SettledDay(day=on, quantity=quantity, **settled)])
            session.commit()


@pytest.fixture
def market(client: TestClient, engine: Engine) -> Market:
    """Two advertisers with a member each, and a show with an episode."""
    market = Market(client, engine)
    roles = {
        "owner": Role.CREATOR,
        "other": Role.CREATOR,
        "admin": Role.ADMIN,
        "mine": Role.ADVERTISER,
        "rival": Role.ADVERTISER,
    }
    with Session(engine) as session:
        people = {name: make_user(session, role) for name, role in roles.items()}
        market.keys = {name: key for name, (_, key) in people.items()}
        market.emails = {name: user.email for name, (user, _) in people.items()}
        show = make_show(session, people["owner"][0])
        market.show, market.episode = str(show.uuid), str(make_episode(session, show).uuid)
    for who, name in (("mine", "Quiet Teas"), ("rival", "Loud Kettles")):
        market.advertisers[who] = market.made("admin", "/v1/advertisers", {"name": name})["id"]
        path = f"/v1/advertisers/{market.advertisers[who]}/members/{market.emails[who]}"
        assert market.call("admin", "PUT", path).status_code == 200
    return market
