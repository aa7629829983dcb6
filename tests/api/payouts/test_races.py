"""Two admins at once, two closes at once, and a close while listens arrive: with threads, on both engines."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from api.errors import ApiError, ConflictError
from api.payouts import close, statements
from api.settings import Settings
from models import statements as rules
from models.columns import DAY_MS, day_from_number, day_number
from models.engine import make_engine
from tests.api.measurement.house import House
from tests.api.payouts.conftest import Office
from tests.device import Phone

OCT_1 = date(2026, 10, 1)
ROUNDS = 5


@pytest.fixture
def engines(store_url: str, engine: Engine) -> Iterator[list[Engine]]:
    """Two installations' connections to one store."""
    found = [make_engine(store_url) for _ in range(2)]
    yield found
    for each in found:
        each.dispose()


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What calls that begin together return or are refused with."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait(60)
        try:
            return call()
        except ApiError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def in_transaction(engine: Engine, work: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    """Work that begins and commits a transaction of its own."""

    def run() -> Any:
        with Session(engine, expire_on_commit=False) as session:
            found = work(session, *arguments)
            session.commit()
            return found

    return run


def drafted(office: Office) -> UUID:
    """A draft of October's, of a new creator."""
    name = f"creator{len(office.users)}"
    office.hire(name, office.users["carol"].role)
    show = office.show(name)
    office.plan(show)
    office.listens(office.episode(show), OCT_1, 1000)
    with Session(office.engine) as session:
        made = close.close(session, OCT_1, None).made
        session.commit()
    (uuid,) = made
    return uuid


def test_of_two_admins_who_approve_at_once_one_is_refused(office: Office, engines: list[Engine]) -> None:
    admins = [office.users[name] for name in ("ada", "grace")]
    for booked in range(1, ROUNDS + 1):
        uuid = drafted(office)
        results = at_once(
            *(
                in_transaction(engine, statements.approve, admin, uuid, 0)
                for engine, admin in zip(engines, admins, strict=True)
            )
        )
        winners = [found for found in results if isinstance(found, statements.Found)]
        losers = [found for found in results if isinstance(found, ConflictError)]
        assert (len(winners), len(losers)) == (1, 1)
        assert losers[0].status == 409
        assert f"statement.approved by {admins[results.index(winners[0])].email}" in losers[0].message
        assert len(office.rows("SELECT id FROM ledger_transaction")) == booked
        assert sum(office.balances().values()) == 0


def test_of_an_approval_and_a_hold_at_once_one_is_refused(office: Office, engines: list[Engine]) -> None:
    ada, grace = office.users["ada"], office.users["grace"]
    for _ in range(ROUNDS):
        uuid = drafted(office)
        results = at_once(
            in_transaction(engines[0], statements.approve, ada, uuid, 0),
            in_transaction(engines[1], statements.hold, grace, uuid, 0, "Wait."),
        )
        assert sorted(isinstance(found, ConflictError) for found in results) == [False, True]
        assert office.statement(str(uuid)).revision == 1


def test_two_closes_at_once_make_one_statement(office: Office, engines: list[Engine], now: list[datetime]) -> None:
    show = office.show("carol")
    office.plan(show)
    episode = office.episode(show)
    for month in range(1, ROUNDS + 1):
        first = date(2026, month, 1)
        office.listens(episode, first, 100)
        results = at_once(*(in_transaction(engine, close.close, first, None) for engine in engines))
        assert sorted(len(found.made) for found in results) == [0, 1]
        assert results[0].statements[0].uuid == results[1].statements[0].uuid
        assert len(office.rows("SELECT id FROM statement")) == month
        assert sum(office.settled().values()) == 100 * month


# -- a close while listens arrive ------------------------------------------------------------------------------------

PHONES = 60


@pytest.fixture
def house(
    engine: Engine, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: list[datetime]
) -> Iterator[House]:
    """A log and a worker that takes few records at a time, at the office's time."""
    settings = Settings(home=tmp_path / "house", store_url=store_url, micro_batch=2)
    found = House(engine, settings, monkeypatch)
    monkeypatch.setattr("api.clock.now_ms", lambda: int(now[0].timestamp() * 1000))
    found.now_ms = int(now[0].timestamp() * 1000)
    yield found
    found.close()


def test_each_listen_that_arrives_during_a_close_is_in_this_statement_or_the_next(
    office: Office, house: House, now: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    show = office.show("carol")
    office.plan(show)
    episode = office.episode(show)
    listens = send_listens(house, episode.uuid)
    closed, _ = close_while_arriving(office, house, monkeypatch)
    counted_then = Counter(day for offset, day in listens if offset < position_of(office))
    assert settled_of(office) == {day: number for day, number in counted_then.items() if day < date(2026, 11, 1)}
    assert len(closed.made) == 1

    now[0] = datetime(2026, 12, 2, tzinfo=UTC)
    with Session(office.engine) as session:
        close.close(session, date(2026, 11, 1), None)
        session.commit()
    assert settled_of(office) == Counter(day for _, day in listens)
    assert not [row for row in office.rows("SELECT quantity FROM settled_day") if row[0] <= 0]


def send_listens(house: House, episode: UUID) -> list[tuple[int, date]]:
    """A listen of each phone, on days around the end of October: its place in the log, and its day."""
    first = day_number(date(2026, 10, 25))
    sent = []
    for number in range(PHONES):
        phone = Phone(str(uuid4()))
        day = first + number % 12
        phone.write(episode, "progress", 0, 40_000, at_ms=day * DAY_MS + 3_600_000)
        house.send(phone, 1, 1)
        sent.append((number, day_from_number(day)))
    return sent


def position_of(office: Office) -> int:
    """Up to where the log was counted, for the first statement."""
    ((position,),) = office.rows("SELECT position FROM statement ORDER BY id LIMIT 1")
    return int(json.loads(position)["0"])


def settled_of(office: Office) -> dict[date, int]:
    """Day -> listens settled."""
    return {day: quantity for (_, _, day), quantity in office.settled().items()}


def close_while_arriving(
    office: Office, house: House, monkeypatch: pytest.MonkeyPatch
) -> tuple[close.Closed, rules.Inputs]:
    """Close October while the worker folds; in the middle of it the worker has a second to do what it can."""
    for _ in range(5):
        house.worker.fold_some(0)
    arriving = threading.Thread(target=house.worker.drain)

    def let_the_worker_try(*_: object) -> None:
        arriving.start()
        arriving.join(1)

    with monkeypatch.context() as patched, Session(office.engine, expire_on_commit=False) as session:
        patched.setattr("api.payouts.close.scan", let_the_worker_try)
        closed = close.close(session, OCT_1, None)
        session.commit()
    arriving.join(120)
    assert not arriving.is_alive()
    return closed, rules.unpack(closed.statements[0].inputs)


def test_inputs_of_a_close_during_arrivals_are_of_one_moment(
    office: Office, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    show = office.show("carol")
    office.plan(show)
    listens = send_listens(house, office.episode(show).uuid)
    _, inputs = close_while_arriving(office, house, monkeypatch)
    position = inputs["position"]["0"]
    seen = [day for offset, day in listens if offset < position and day < date(2026, 11, 1)]
    assert 0 < sum(row[3] for row in inputs["counts"]) == len(seen) < len(listens)
