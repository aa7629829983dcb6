"""An installation in which somebody cheats."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from api import clock
from api.holds.deciding import decide
from api.holds.lookout import Lookout
from api.holds.scan import Outcome, scan
from api.settings import Settings
from models.advertising import Hold, HoldState
from models.columns import DAY_MS
from models.tables import Device, Episode, Role
from tests.api.measurement.conftest import tale
from tests.api.measurement.house import NOON_MS, House
from tests.device import Phone
from tests.factories import make_user

__all__ = ["tale"]


class Scene:
    """An installation, its listeners, and the looks that are taken at it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.today = house.today

    def phone(self, *, network: int | None = None, registered: datetime | None = None) -> Phone:
        """A registered device; long ago, unless told otherwise."""
        phone = Phone(str(uuid4()))
        at = registered or datetime.fromtimestamp((self.today - 200) * 86_400, UTC)
        with Session(self.house.engine) as session:
            session.add(Device(device=phone.bytes, app="Test", created_at=at, network=network))
            session.commit()
        return phone

    def hear(
        self,
        phone: Phone,
        episode: Episode,
        *spans: tuple[int, int],
        day: int = 0,
        wall_ms: int | None = None,
        offline: bool = False,
    ) -> None:
        """The phone hears these seconds on a day, counted from today, and sends at once."""
        self.house.day(max(0, day))
        first = len(phone.log) + 1
        for number, (start, end) in enumerate(spans):
            at_ms = (self.today + day) * DAY_MS + NOON_MS - 1_000_000 + number * 1000
            phone.write(episode.uuid, "pause", start * 1000, end * 1000, at_ms, wall_ms=wall_ms, offline=offline)
        self.house.send(phone, first, len(phone.log))

    def count(self) -> None:
        """The worker folds all there is."""
        self.house.count()

    def scan(self, *days: int) -> Outcome:
        """Look at days, counted from today; today alone when none is given."""
        numbers = [self.today + day for day in days or (0,)]
        with self.house.engine.begin() as connection:
            return scan(connection, numbers, datetime.fromtimestamp(self.house.now_ms / 1000, UTC))

    def look(self) -> Outcome:
        """What housekeeping does."""
        return Lookout().look(self.house.engine)

    def holds(self) -> list[Hold]:
        """All holds, in the order in which they were found."""
        with Session(self.house.engine) as session:
            return list(session.exec(select(Hold).order_by(Hold.id)))

    def rules(self) -> list[str]:
        """The rules that found something, once for each hold."""
        return [hold.rule for hold in self.holds()]

    def flagged(self, rule: str | None = None) -> set[bytes]:
        """The devices whose playbacks are flagged."""
        which = f"WHERE rule = '{rule}'" if rule else ""
        rows = self.house.rows(f"SELECT device FROM held_playback p JOIN hold h ON h.id = p.hold_id {which}")
        return {bytes(row[0]) for row in rows}

    def held(self, kind: str = "listens") -> dict[tuple[str, str], int]:
        """(state, rule) -> what is kept back."""
        rows = self.house.rows(
            f"SELECT state, rule, sum(number) FROM held_day WHERE kind = '{kind}' GROUP BY state, rule"
        )
        return {(state, rule): int(number) for state, rule, number in rows if number}

    def decide(self, state: str, number: int = 0) -> None:
        """An admin decides."""
        decide_as_admin(self, self.holds()[number].uuid, state)


def decide_as_admin(scene: Scene, uuid: UUID, state: str) -> None:
    """By the code that routes and commands call."""
    with Session(scene.house.engine) as session:
        admin, _ = make_user(session, Role.ADMIN)
        decide(session, admin, uuid, HoldState(state), "looked into it", clock.now())
        session.commit()


@pytest.fixture
def scene(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Store, log and archive with a clock of their own."""
    house = House(engine, settings, monkeypatch)
    yield Scene(house)
    house.close()
