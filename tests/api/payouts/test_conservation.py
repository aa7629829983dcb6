"""Months of random listening and deciding: after every step no cent and no listen is lost, and none is there twice."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from api.errors import ApiError
from api.holds import deciding, held_days
from api.payouts import close, plans, statements
from api.settings import Settings
from models import statements as rules
from models.advertising import Campaign, Hold, HoldState
from models.columns import DAY_MS, day_from_number
from models.engine import read_only
from models.payouts import Statement, StatementLine
from models.pending import list_pending, sum_cells
from models.queries import holds, open_blocks
from models.queries import statements as store
from models.queries.payable import Scope
from models.spending import get_spending
from models.statements import month_of
from tests.api.measurement.house import House
from tests.api.payouts.conftest import Office, staff
from tests.api.payouts.oracle import Key, Oracle
from tests.device import Phone

BEGIN = datetime(2026, 1, 20, 12, tzinfo=UTC)
PHONES = 12
EVERY = ("approve", "pay", "hold", "release", "void")
SENSIBLE = {
    "draft": ("approve",) * 6 + ("hold", "void"),
    "approved": ("pay",) * 3 + ("hold", "void"),
    "held": ("release",) * 3 + ("void",),
}
"""State -> what admins mostly do with it."""


class World:
    """Two creators with two shows each, three campaigns, some phones, two admins; everything else is chance."""

    def __init__(self, engine: Engine, house: House, seed: int) -> None:
        self.house = house
        self.chance = random.Random(seed)
        self.office = staff(Office(engine, client=None))
        self.engine = engine
        self.oracle = Oracle(engine)
        self.most_payable: dict[Key, int] = {}
        self.is_taken_back_voided = False
        self.told: list[str] = []
        self.verified = 0
        """The last statement that was worked out again."""
        self.shows = [self.office.show(owner) for owner in ("carol", "carol", "dave", "dave")]
        self.episodes = [self.office.episode(show) for show in self.shows for _ in range(2)]
        self.office.plan(self.shows[0], date(2026, 1, 1), listen_price_cents=33_333, minimum_cents=1_000)
        self.office.plan(self.shows[1], date(2026, 2, 5), listen_price_cents=77_777, ad_share_bp=3_333)
        self.office.plan(
            self.shows[2], date(2025, 12, 1), listen_price_cents=12_345, currency="USD", minimum_cents=3_000
        )
        self.campaigns = [
            self.office.campaign(price_cents=99_999, budget_cents=1_500, from_day=date(2025, 12, 1)),
            self.office.campaign(price_cents=7_777, budget_cents=10_000, daily_cap=1, impression_cap=9),
            self.office.campaign(price_cents=50_001, budget_cents=90_000, currency="USD", confirm_percent=100),
        ]
        for campaign in self.campaigns:
            for episode in self.chance.sample(self.episodes, 5):
                self.office.place(campaign, episode)
        self.phones = [Phone(str(UUID(int=self.chance.getrandbits(128)))) for _ in range(PHONES)]
        self.sent = dict.fromkeys(range(PHONES), 0)

    @property
    def has_voids(self) -> bool:
        """Then a campaign's charge may be off by a cent until its next one."""
        return bool(self.oracle.rows("SELECT id FROM statement WHERE state = 'void'"))

    @property
    def today(self) -> date:
        return datetime.fromtimestamp(self.house.now_ms / 1000, UTC).date()

    def step(self) -> None:
        """Something happens."""
        weights: dict[Callable[[], None], int] = {
            self.listen: 22,
            self.arrive: 14,
            self.pass_time: 14,
            self.flag: 6,
            self.decide_hold: 10,
            self.close: 14,
            self.decide_statement: 26,
            self.change_plan: 2,
            self.change_campaign: 2,
        }
        (work,) = self.chance.choices(list(weights), list(weights.values()))
        self.told.append(f"{self.today} {work.__name__}")
        work()

    # -- what happens -------------------------------------------------------------------------------------------------

    def listen(self) -> None:
        """Some phones hear parts of episodes, today or in the last weeks, and keep it to themselves for now."""
        for _ in range(self.chance.randrange(4, 16)):
            phone = self.chance.choice(self.phones)
            age = self.chance.choice((0, 0, 0, 1, 2, 5, 20, 40))
            start = self.chance.choice((0, 0, 10_000, 40_000))
            heard = self.chance.choice((5_000, 20_000, 31_000, 60_000))
            at_ms = self.house.now_ms - age * DAY_MS - self.chance.randrange(3_600_000)
            episode = self.chance.choice(self.episodes).uuid
            phone.write(episode, "progress", start, start + heard, at_ms=at_ms, offline=age > 0)

    def arrive(self) -> None:
        """Some phones send what they kept, and the worker counts it."""
        for number in self.chance.sample(range(PHONES), 5):
            phone, first = self.phones[number], self.sent[number] + 1
            if first <= len(phone.log):
                self.house.send(phone, first, len(phone.log))
                self.sent[number] = len(phone.log)
        self.house.count()

    def pass_time(self) -> None:
        """Some days go by."""
        self.house.now_ms += self.chance.choice((3, 7, 15)) * DAY_MS

    def flag(self) -> None:
        """A rule finds something: some playbacks of a day."""
        days = self.oracle.rows("SELECT DISTINCT day FROM playback ORDER BY day")
        if not days:
            return
        ((day,),) = self.chance.sample(days, 1)
        found = self.oracle.rows(
            f"SELECT episode_id, device FROM playback WHERE day = {day} ORDER BY device, episode_id"
        )
        some = self.chance.sample(found, self.chance.randrange(1, len(found) + 1))
        now = datetime.fromtimestamp(self.house.now_ms / 1000, UTC)
        with self.engine.begin() as connection:
            hold = Hold(rule="by_hand", day=day_from_number(day), subject=uuid4().hex, evidence="{}", found_at=now)
            number = holds.append_hold(connection, hold)
            holds.append_held_playbacks(connection, number, day, [(row[0], bytes(row[1])) for row in some], now)
            held_days.recount_days(connection, [day])

    def decide_hold(self) -> None:
        """An admin releases or voids a hold; some change their mind."""
        with Session(self.engine, expire_on_commit=False) as session:
            found = list(session.exec(select(Hold).order_by(Hold.id)))
            if not found:
                return
            hold = self.chance.choice(found)
            state = self.chance.choice((HoldState.RELEASED, HoldState.VOID))
            with suppress(ApiError):
                deciding.decide(session, self.admin(), hold.uuid, state, "Looked at.", self.now())
                session.commit()

    def close(self) -> None:
        """A month that is over is closed, most often the last one."""
        month = month_of(month_of(self.today) - timedelta(days=self.chance.choice((1, 1, 1, 40))))
        with Session(self.engine) as session:
            before = {(row.creator_id, row.currency) for row in store.list_standing(session, month)}
            closed = close.close(session, month, self.chance.choice((self.admin(), None)))
            made = len(closed.made)
            session.commit()
        self.told[-1] += f" {month:%Y-%m}: {made} made"
        if not before:
            self.check_nothing_is_left(month)

    def decide_statement(self) -> None:
        """An admin takes a statement one step further, or tries to."""
        with Session(self.engine, expire_on_commit=False) as session:
            found = list(session.exec(select(Statement).order_by(Statement.id)))
            if not found:
                return
            row, user = self.chance.choice(found), self.admin()
            name = self.chance.choice(SENSIBLE.get(row.state, EVERY) if self.chance.random() < 0.9 else EVERY)
            words = [] if name == "approve" else [f"{name} {len(self.told)}"]
            try:
                getattr(statements, name)(session, user, row.uuid, row.revision, *words)
                session.commit()
            except ApiError as error:
                self.told[-1] += f" {name} refused: {error.code}"
                return
            self.told[-1] += f" {name} {row.month:%Y-%m}"
            if name == "void" and self.took_back(session, row):
                self.is_taken_back_voided = True

    def took_back(self, session: Session, row: Statement) -> bool:
        lines = session.exec(select(StatementLine).where(StatementLine.statement_id == row.id))
        return any(line.quantity < 0 for line in lines)

    def change_plan(self) -> None:
        """A show's next plan, or its first."""
        show = self.chance.choice(self.shows)
        fields = {
            "from_day": self.today + timedelta(days=self.chance.randrange(-40, 20)),
            "currency": "USD" if show in self.shows[2:] else "EUR",
            "listen_price_cents": self.chance.randrange(90_000),
            "ad_share_bp": self.chance.randrange(10_001),
            "minimum_cents": self.chance.choice((0, 500, 2_000)),
        }
        with Session(self.engine) as session, suppress(ApiError):
            plans.add_plan(session, self.admin(), show.uuid, fields)
            session.commit()

    def change_campaign(self) -> None:
        """More money, or another daily cap."""
        with Session(self.engine) as session:
            campaign = session.get(Campaign, self.chance.choice(self.campaigns).id)
            campaign.budget_cents += self.chance.choice((0, 500, 5_000))
            campaign.daily_cap = self.chance.choice((None, 1, 3))
            session.commit()

    def admin(self):
        return self.office.users[self.chance.choice(("ada", "grace"))]

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.house.now_ms / 1000, UTC)

    # -- what must hold -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Everything, against the oracle."""
        fates = self.oracle.fates()
        for key, fate in fates.items():
            assert fate.accounted == fate.counted, key
            self.most_payable[key] = max(self.most_payable.get(key, 0), fate.payable)
            assert 0 <= fate.settled <= self.most_payable[key], f"{key} is paid more often than it was ever payable"
        self.check_views(fates)
        self.check_ledger()
        self.check_statements()
        self.check_campaigns()

    def check_views(self, fates: dict[Key, object]) -> None:
        names = ("counted", "settled", "pending", "held", "void", "unbilled", "unplanned")
        with Session(read_only(self.engine)) as session:
            everybody = list_pending(session, Scope())
            creators = [
                list_pending(session, Scope(creator_id=self.office.users[name].id)) for name in ("carol", "dave")
            ]
        expected: dict[tuple, list[int]] = {}
        for (episode, campaign, day), fate in fates.items():
            row = expected.setdefault((month_of(day), episode, campaign), [0] * len(names))
            for place, name in enumerate(names):
                row[place] += getattr(fate, name)
        found = {tuple(key): [getattr(cell, name) for name in names] for key, cell in everybody.cells.items()}
        assert {key: row for key, row in found.items() if any(row)} == {
            key: row for key, row in expected.items() if any(row)
        }
        assert dict(everybody.cells) == {key: cell for mine in creators for key, cell in mine.cells.items()}
        with read_only(self.engine).connect() as connection:
            assert open_blocks.list_unmarked_days(connection) == []
        whole = sum_cells(everybody.cells.values())
        assert whole.settled == sum(self.oracle.settled().values())

    def check_ledger(self) -> None:
        balances = self.oracle.balances()
        creators = {key: cents for key, cents in balances.items() if key[0].startswith("creator:")}
        assert creators == self.oracle.owed()

    def check_statements(self) -> None:
        for number, total, inputs, inputs_hash in self.oracle.rows(
            f"SELECT id, total_cents, inputs, inputs_hash FROM statement WHERE id > {self.verified} ORDER BY id"
        ):
            self.verified = number
            pinned = rules.unpack(bytes(inputs))
            assert sha256(rules.canonical(pinned)).digest() == bytes(inputs_hash)
            worked = rules.work_out(pinned)
            lines = self.oracle.rows(
                "SELECT quantity, amount_cents, gross_cents FROM statement_line "
                f"WHERE statement_id = {number} ORDER BY id"
            )
            assert [(line.quantity, line.amount_cents, line.gross_cents) for line in worked.lines] == lines
            assert sum(line[1] for line in lines) == total == worked.total_cents
            ((settled,),) = self.oracle.rows(
                f"SELECT COALESCE(SUM(quantity), 0) FROM settled_day WHERE statement_id = {number}"
            )
            assert settled == sum(line[0] for line in lines)

    def check_campaigns(self) -> None:
        booked = {account: cents for (account, _), cents in self.oracle.balances().items()}
        with Session(read_only(self.engine)) as session:
            charged = store.list_charged(session, [campaign.id for campaign in self.campaigns])
            for campaign, advertiser in store.list_campaigns(session, charged).values():
                mine = charged[campaign.id]
                settled = sum(get_spending(session, campaign).settled.values())
                assert settled == sum(n for key, n in self.oracle.settled().items() if key[1] == campaign.id)
                assert self.has_voids or mine == settled * campaign.price_cents // 1000
                if not self.is_taken_back_voided:
                    assert mine <= campaign.budget_cents
                ((standing,),) = self.oracle.rows(
                    "SELECT COALESCE(SUM(l.gross_cents), 0) FROM statement_line l JOIN statement s ON "
                    f"s.id = l.statement_id WHERE l.campaign_id = {campaign.id} AND (s.state IN ('approved', 'paid') "
                    "OR (s.state = 'held' AND s.held_from = 'approved'))"
                )
                assert booked.get(f"advertiser:{advertiser.uuid}", 0) == standing

    def check_nothing_is_left(self, month: date) -> None:
        """Right after the first close of a month, all of it that can be paid is settled."""
        end = rules.next_month(month)
        for (_, _, day), fate in self.oracle.fates().items():
            assert day >= end or fate.pending == 0, self.told[-1]


@pytest.fixture
def make_world(engine: Engine, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A world by its seed."""
    settings = Settings(home=tmp_path / "house", store_url=store_url, micro_batch=7)
    house = House(engine, settings, monkeypatch)
    house.now_ms = int(BEGIN.timestamp() * 1000)
    monkeypatch.setattr("api.clock.now", lambda: datetime.fromtimestamp(house.now_ms / 1000, UTC))
    yield lambda seed: World(engine, house, seed)
    house.close()


def walk(world: World, steps: int) -> None:
    for _ in range(steps):
        world.step()
        try:
            world.check()
        except AssertionError as error:
            error.add_note("\n".join(world.told[-40:]))
            raise
    world.verified = 0
    world.check_statements()  # none was changed by what came after it


STEPS = {"sqlite": 200, "postgresql": 80}
WALKS = {
    "statements are paid": "SELECT id FROM statement WHERE state = 'paid'",
    "bookings are reversed": "SELECT id FROM ledger_transaction WHERE kind = 'reversed'",
    "amounts are carried over": "SELECT id FROM statement WHERE brought_forward_cents <> 0",
    "listens come late": "SELECT l.id FROM statement_line l JOIN statement s ON s.id = l.statement_id "
    "WHERE l.month < s.month AND l.quantity > 0",
    "some are taken back": "SELECT day FROM settled_day WHERE quantity < 0",
    "budgets are used up": "SELECT id FROM statement_line WHERE unbilled > 0",
    "some are held": "SELECT id FROM statement_line WHERE held > 0",
    "some are void": "SELECT id FROM statement_line WHERE void > 0",
}
"""What has to happen in a walk, most of it, or it proves little."""


@pytest.mark.parametrize("seed", [2, 3])
def test_months_of_listening_and_deciding_lose_nothing_and_pay_nothing_twice(
    make_world, engine: Engine, seed: int
) -> None:
    world = make_world(seed)
    walk(world, STEPS[engine.dialect.name])
    happened = [what for what, statement in WALKS.items() if world.oracle.rows(statement)]
    assert len(happened) >= (6 if engine.dialect.name == "sqlite" else 3), happened
