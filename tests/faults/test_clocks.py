"""Clocks that are wrong, on either side: everything acknowledged is counted or set aside with its cause."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api import clock
from api.measurement.worker import Worker
from api.settings import Settings
from tests.device import DAY_MS, now_ms
from tests.faults.invariants import check_all, rows
from tests.faults.traffic import Traffic

pytestmark = pytest.mark.faults

HOUR_MS = 3_600_000
JUMPS = {
    "back a day": -DAY_MS,
    "back three years": -3 * 365 * DAY_MS,
    "forward a hundred days": 100 * DAY_MS,
    "forward to the year 2107": 81 * 365 * DAY_MS,
}


def drain(client: TestClient, settings: Settings) -> None:
    """Let the worker come to the log's end."""
    state = client.app.state  # type: ignore[attr-defined]
    Worker(state.engine, state.log, settings).drain()


@pytest.mark.parametrize("jump_ms", JUMPS.values(), ids=JUMPS)
def test_a_server_clock_that_jumps_and_comes_back_loses_nothing(
    client: TestClient,
    engine: Engine,
    settings: Settings,
    traffic: Traffic,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    jump_ms: int,
) -> None:
    traffic.ask(client)
    phone = traffic.phone(client)
    assert traffic.send(client, phone, 1, 8)
    with monkeypatch.context() as wrong:
        wrong.setattr(clock, "now_ms", lambda: now_ms() + jump_ms)
        assert traffic.send(client, phone, 5, 16)
        drain(client, settings)
        traffic.ask(client)
        assert traffic.send(client, phone, 9)
    assert traffic.send(client, phone)
    drain(client, settings)
    check_all(engine, traffic, home)
    causes = {cause for (cause,) in rows(engine, "SELECT DISTINCT cause FROM set_aside")}
    assert causes <= ({"too_late"} if jump_ms > 0 else {"clock_ahead"})


CLIENTS = {
    "ahead by eleven minutes": (11 * 60_000, "clock_ahead"),
    "ahead by fifty years": (50 * 365 * DAY_MS, "clock_ahead"),
    "behind by ninety-one days": (-91 * DAY_MS, "too_late"),
    "never set": (None, "refused"),
    "behind by an hour": (-HOUR_MS, "counted"),
}


@pytest.mark.parametrize(("wrong_ms", "outcome"), CLIENTS.values(), ids=CLIENTS)
def test_a_phone_with_a_wrong_clock_is_told_or_set_aside_and_its_other_listens_count(
    client: TestClient,
    engine: Engine,
    settings: Settings,
    traffic: Traffic,
    home: Path,
    wrong_ms: int | None,
    outcome: str,
) -> None:
    phone = traffic.phone(client, 2)
    traffic.listen(phone, 5000 if wrong_ms is None else now_ms() + wrong_ms)
    assert traffic.send(client, phone)
    traffic.ask(client)
    drain(client, settings)
    check_all(engine, traffic, home)
    aside = rows(engine, "SELECT cause, count(*) FROM set_aside GROUP BY cause")
    assert aside == ([(outcome, 2)] if outcome in {"clock_ahead", "too_late"} else [])
    assert len(traffic.refused) == (2 if outcome == "refused" else 0)
