"""An installation of which all is true: log, archive, a worker, a look for fraud, closes; on a clock of its own."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, select

from api import proving
from api.events.records import Hit, pack
from api.holds.deciding import decide
from api.payouts import close, statements
from api.payouts.verify import Report
from api.proving import Sources
from api.settings import Settings
from models.advertising import Campaign, Hold, HoldState, Placement
from models.columns import DAY_MS, day_number
from models.payouts import Statement, StatementLine
from models.queries.statements import list_lines
from models.tables import Device, Episode
from tests.api.measurement.house import House
from tests.api.payouts.conftest import LONG_AGO, Office, staff
from tests.break_in import drop_triggers
from tests.device import Phone

OCT = date(2026, 10, 1)
NOV = date(2026, 11, 1)
OVER_A_DAY_MS = 25 * 3_600_000


def october(day: int) -> date:
    """A day of October."""
    return OCT.replace(day=day)


class ProofWorld:
    """One creator with a show and a plan; phones, apps and advertisers."""

    tale: Episode
    saga: Episode
    tea: Campaign
    oats: Campaign
    phones: list[Phone]
    cheat: Phone
    theirs: Episode

    def __init__(self, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, client: Any = None) -> None:
        self.engine = engine
        self.settings = settings
        self.house = House(engine, settings, monkeypatch)
        self.now = datetime(2026, 10, 30, 12, tzinfo=UTC)
        monkeypatch.setattr("api.clock.now", lambda: self.now)
        monkeypatch.setattr("api.clock.now_ms", lambda: int(self.now.timestamp() * 1000))
        self.office = staff(Office(engine, client))
        self.show = self.office.show("carol")
        self.office.plan(self.show, listen_price_cents=777)

    # -- what happens ------------------------------------------------------------------------------------------------

    def phone(self) -> Phone:
        """A device that registered long ago."""
        phone = Phone(str(uuid4()))
        with Session(self.engine) as session:
            session.add(Device(device=phone.bytes, app="Test", created_at=LONG_AGO, network=None))
            session.commit()
        return phone

    def hear(
        self, phone: Phone, episode: Episode, day: date, *spans: tuple[int, int], offline: bool = False, **more: Any
    ) -> None:
        """The phone hears these seconds on a day, and sends it now."""
        first = len(phone.log) + 1
        for number, (start, end) in enumerate(spans):
            at_ms = day_number(day) * DAY_MS + 8 * 3_600_000 + number * 1000
            phone.write(episode.uuid, "pause", start * 1000, end * 1000, at_ms, offline=offline, **more)
        self.send(phone, first, len(phone.log))

    def send(self, phone: Phone, first: int, last: int) -> None:
        """A stretch of the phone's log arrives now."""
        self.house.now_ms = int(self.now.timestamp() * 1000)
        self.house.send(phone, first, last)

    def fetch(self, episode: Episode, day: date, seconds: int = 600) -> None:
        """Somebody's app fetches the first seconds of an episode."""
        size, consumer = seconds * 16_000, uuid4().bytes
        at_ms = day_number(day) * DAY_MS + 9 * 3_600_000
        asked = f"bytes=0-{size - 1}"
        hit = Hit(at_ms, str(episode.uuid), consumer, "GET", 206, asked, size, "Castaway/7.1", "", "f" * 64)
        self.house.append(consumer[:8], pack(hit))

    def place(self, campaign: Campaign, episode: Episode, first: int, end: int) -> Placement:
        """An ad in an episode, for as long as the campaign lasts."""
        row = Placement(
            campaign_id=campaign.id,
            show_id=episode.show_id,
            episode_id=episode.id,
            start_ms=first * 1000,
            end_ms=end * 1000,
            from_day=campaign.from_day,
            to_day=campaign.to_day,
            created_by=self.office.users["ada"].id,
            created_at=LONG_AGO,
        )
        return self.office._keep(row)

    def count(self) -> None:
        """The worker folds all there is."""
        self.house.count()

    def close(self, month: date) -> list[Statement]:
        """Close a month on the tenth of the next."""
        after = (month.replace(day=28) + (OCT - date(2026, 9, 21))).replace(day=10)
        self.now = datetime(after.year, after.month, 10, 12, tzinfo=UTC)
        with Session(self.engine, expire_on_commit=False) as session:
            closed = close.close(session, month, self.office.users["ada"])
            session.commit()
            return closed.statements

    def step(self, step: str, statement: Statement, *arguments: Any) -> Statement:
        """Approve, void, pay, ... by another admin."""
        with Session(self.engine, expire_on_commit=False) as session:
            current = session.exec(select(Statement).where(Statement.uuid == statement.uuid)).one()
            admin = self.office.users["grace"]
            found = getattr(statements, step)(session, admin, statement.uuid, current.revision, *arguments)
            session.commit()
            return found.statement

    def decide(self, state: HoldState) -> None:
        """Decide every open hold so."""
        with Session(self.engine) as session:
            for hold in session.exec(select(Hold).where(Hold.state == HoldState.OPEN)).all():
                decide(session, self.office.users["grace"], hold.uuid, state, "We looked.", self.now)
            session.commit()

    def change(self, statement: str, **values: Any) -> None:
        """Change the store behind Earshot's back, as somebody who owns its tables."""
        with self.engine.begin() as connection:
            drop_triggers(connection)
            assert connection.execute(text(statement), values).rowcount > 0

    def lines_of(self, statement: Statement) -> list[StatementLine]:
        """A statement's lines."""
        with Session(self.engine) as session:
            return list_lines(session, statement.id or 0)

    # -- what is asked -----------------------------------------------------------------------------------------------

    @property
    def sources(self) -> Sources:
        """Store, log and archive."""
        return Sources(self.engine, self.house.log, self.house.archive)

    def found(self, uuid: UUID) -> statements.Found:
        """A statement as it is now."""
        with Session(self.engine, expire_on_commit=False) as session:
            found = statements.find(session, str(uuid))
        assert found is not None
        return found

    def verify(self, statement: Statement) -> Report:
        """What verifying finds."""
        return proving.verify_statement(self.sources, self.found(statement.uuid))

    def export(self, statement: Statement, path: Path) -> Path:
        """The creator's file."""
        with path.open("wb") as file:
            proving.export_statement(self.sources, self.found(statement.uuid), file)
        return path


def lively(world: ProofWorld) -> ProofWorld:
    """October: listens of some days, offline ones too; ads paid by what was heard and by what was delivered; somebody
    who played for longer than a day has; days in the archive, days in the log. Nothing is closed."""
    world.tale, world.saga = (world.office.episode(world.show) for _ in range(2))
    world.tea = world.office.campaign(price_cents=2345, from_day=OCT)
    world.oats = world.office.campaign(price_cents=1999, from_day=OCT, billing="delivered", budget_cents=5)
    world.place(world.tea, world.tale, 60, 90)
    world.place(world.tea, world.tale, 300, 330)
    world.place(world.oats, world.tale, 10, 20)
    world.count()
    phones = world.phones = [world.phone() for _ in range(6)]
    for number, phone in enumerate(phones):
        for day in range(3, 9 + number):
            world.hear(phone, world.tale, october(day), (0, 40), (50, 80 + number), offline=day % 2 == 0)
        world.hear(phone, world.saga, october(20 + number), (5, 30 + number))
    for day in (4, 4, 5, 12):
        world.fetch(world.tale, october(day))
    world.fetch(world.tale, october(12), seconds=15)
    world.cheat = world.phone()
    world.hear(world.cheat, world.tale, october(6), (0, 200), wall_ms=OVER_A_DAY_MS)
    world.count()
    return world
