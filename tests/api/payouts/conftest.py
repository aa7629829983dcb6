"""An office that pays: creators with shows and rate plans, advertisers, two admins, and counts as a worker leaves
them."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine, text
from sqlmodel import Session, col, select

from api.consumers import MEASUREMENT
from models.advertising import Advertiser, Campaign, HeldDay, Placement, PlacementDay
from models.counting import EpisodeDay
from models.payouts import RatePlan, SettledDay, Statement, StatementLine
from models.queries import offsets
from models.tables import Episode, Role, Show, User
from tests.factories import make_episode, make_show, make_user

LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass
class Office:
    """The store of an installation that pays, and its people's keys."""

    engine: Engine
    client: TestClient
    users: dict[str, User] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def hire(self, name: str, role: Role) -> User:
        """Somebody with an API key."""
        with Session(self.engine, expire_on_commit=False) as session:
            self.users[name], self.keys[name] = make_user(session, role, f"{name}@example.com")
        return self.users[name]

    def show(self, owner: str) -> Show:
        """A show."""
        with Session(self.engine, expire_on_commit=False) as session:
            return make_show(session, self.users[owner])

    def episode(self, show: Show) -> Episode:
        """Ten minutes, published long ago."""
        with Session(self.engine, expire_on_commit=False) as session:
            return make_episode(session, show, published_at=LONG_AGO)

    def plan(self, show: Show, from_day: date = date(2026, 1, 1), **terms) -> RatePlan:
        """A rate plan, put into the store."""
        known = {"currency": "EUR", "listen_price_cents": 1000, "ad_share_bp": 7000, "minimum_cents": 0}
        row = RatePlan(
            show_id=show.id,
            from_day=from_day,
            created_by=self.users["ada"].id,
            created_at=LONG_AGO,
            **(known | terms),
        )
        return self._keep(row)

    def campaign(self, **terms) -> Campaign:
        """A campaign of a new advertiser."""
        advertiser = self._keep(Advertiser(name=f"Kettles {uuid4().hex[:6]}", created_at=LONG_AGO))
        known = {
            "price_cents": 2000,
            "currency": "EUR",
            "budget_cents": 1_000_000,
            "from_day": date(2026, 1, 1),
            "to_day": date(2027, 12, 31),
        }
        row = Campaign(
            advertiser_id=advertiser.id,
            name="Tea",
            created_by=self.users["ada"].id,
            created_at=LONG_AGO,
            updated_at=LONG_AGO,
            **(known | terms),
        )
        return self._keep(row)

    def place(self, campaign: Campaign, episode: Episode) -> Placement:
        """An ad's first half minute in an episode."""
        row = Placement(
            campaign_id=campaign.id,
            show_id=episode.show_id,
            episode_id=episode.id,
            start_ms=0,
            end_ms=30_000,
            from_day=campaign.from_day,
            to_day=campaign.to_day,
            created_by=self.users["ada"].id,
            created_at=LONG_AGO,
        )
        return self._keep(row)

    def _keep(self, row):
        with Session(self.engine, expire_on_commit=False) as session:
            session.add(row)
            session.commit()
            session.refresh(row)
        return row

    # -- what the worker and the scan leave -------------------------------------------------------------------------

    def listens(self, episode: Episode, day: date, number: int) -> None:
        """So many listens of a day by now."""
        row = EpisodeDay(
            episode_id=episode.id,
            day=day,
            starts=number,
            listens=number,
            offline_listens=0,
            completions=0,
            heard_seconds=number * 60,
        )
        self.put(row)

    def impressions(self, placement: Placement, day: date, confirmed: int, delivered: int = 0) -> None:
        """So many impressions of a day by now."""
        zeros = dict.fromkeys(("heard_25", "heard_50", "heard_75", "heard_100", "offline_confirmed"), 0)
        row = PlacementDay(
            placement_id=placement.id,
            episode_id=placement.episode_id,
            day=day,
            delivered=delivered,
            started=confirmed,
            confirmed=confirmed,
            **zeros,
        )
        self.put(row)

    def held(
        self, episode: Episode, day: date, number: int, state: str = "open", placement: Placement | None = None, **more
    ) -> None:
        """So many of a day held or void; put there as if something were flagged."""
        kind = more.pop("kind", "listens" if placement is None else "confirmed")
        rule = more.pop("rule", "over_24_hours")
        key = {"placement_id": placement.id if placement else 0, "kind": kind, "state": state, "rule": rule}
        self.put(HeldDay(episode_id=episode.id, day=day, number=number, **key))

    def put(self, row) -> None:
        """A row in the place of the one with the same key."""
        with Session(self.engine) as session:
            session.merge(row)
            session.commit()

    # -- what is asked of the API ------------------------------------------------------------------------------------

    def call(self, who: str, method: str, path: str, key: str | None = None, **more) -> Response:
        """A request as somebody; writing ones with a key of their own."""
        headers = {"Authorization": f"Bearer {self.keys[who]}"}
        if method != "GET":
            headers["Idempotency-Key"] = key or uuid4().hex
        return self.client.request(method, path, headers=headers, **more)

    def close(self, month: str, who: str = "ada") -> list[dict]:
        """The statements of a month after its close."""
        answer = self.call(who, "POST", "/v1/payouts/close", json={"month": month})
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    def step(self, who: str, statement: dict, step: str, status: int = 200, **body) -> dict:
        """Approve, hold, release, void or pay."""
        sent = {"revision": statement["revision"], **body}
        answer = self.call(who, "POST", f"/v1/statements/{statement['id']}/{step}", json=sent)
        assert answer.status_code == status, answer.text
        return answer.json()

    def read(self, who: str, path: str) -> dict:
        """What somebody is shown."""
        answer = self.call(who, "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def lines(self, statement: dict) -> list[dict]:
        """Of a statement."""
        return self.read("ada", f"/v1/statements/{statement['id']}")["lines"]

    # -- what is in the store ----------------------------------------------------------------------------------------

    def balances(self) -> dict[str, int]:
        """What accounts come to, straight from the rows; those that are even are left out."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                text("SELECT account, SUM(amount_cents) FROM ledger_entry GROUP BY account")
            ).all()
        return {account: int(cents) for account, cents in rows if cents}

    def rows(self, statement: str, **values) -> list[tuple]:
        """What a statement finds."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def settled(self) -> dict[tuple[int, int, date], int]:
        """What statements that stand pay by (episode, campaign, day)."""
        found: dict[tuple[int, int, date], int] = {}
        with Session(self.engine) as session:
            rows = select(SettledDay).join(Statement, col(Statement.id) == SettledDay.statement_id)
            for row in session.exec(rows.where(Statement.state != "void")):
                key = row.episode_id, row.campaign_id, row.day
                found[key] = found.get(key, 0) + row.quantity
        return found

    def gross(self, campaign: Campaign) -> int:
        """What the advertiser is charged by statements that stand."""
        with Session(self.engine) as session:
            rows = select(StatementLine).join(Statement, col(Statement.id) == StatementLine.statement_id)
            rows = rows.where(StatementLine.campaign_id == campaign.id, Statement.state != "void")
            return sum(row.gross_cents for row in session.exec(rows))

    def statement(self, uuid: str) -> Statement:
        """A row."""
        with Session(self.engine) as session:
            return session.exec(select(Statement).where(Statement.uuid == UUID(uuid))).one()


def staff(office: Office) -> Office:
    """Two admins, two creators; a worker that has counted up to some place in the log."""
    office.hire("ada", Role.ADMIN)
    office.hire("grace", Role.ADMIN)
    office.hire("carol", Role.CREATOR)
    office.hire("dave", Role.CREATOR)
    with office.engine.begin() as connection:
        offsets.append_consumer(connection, MEASUREMENT, 0)
    return office


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """What time it is: an instant that a test may replace. It begins on 10 November 2026."""
    current = [datetime(2026, 11, 10, 12, tzinfo=UTC)]
    monkeypatch.setattr("api.clock.now", lambda: current[0])
    monkeypatch.setattr("api.clock.now_ms", lambda: int(current[0].timestamp() * 1000))
    return current


@pytest.fixture
def office(client: TestClient, engine: Engine, now: list[datetime], monkeypatch: pytest.MonkeyPatch) -> Office:
    """The office, on each engine. What is held is what a test puts there: nobody looks for fraud."""
    monkeypatch.setattr("api.payouts.close.scan", lambda *_: None)
    return staff(Office(engine, client))
