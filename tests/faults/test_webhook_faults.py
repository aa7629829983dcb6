"""A worker killed while it tells others loses nothing; what it may do twice has the same id."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from api.webhook_signing import make_secret
from api.webhooks import EventKind, append_event
from models.tables import Role
from models.webhooks import WebhookEndpoint
from tests.conftest import wait_until
from tests.factories import make_user
from tests.faults.fleet import Fleet, killed
from tests.receiver import receiver

pytestmark = pytest.mark.faults


def happen(engine: Engine, url: str, times: int) -> None:
    """Things that an admin wants to be told."""
    with Session(engine) as session:
        admin, _ = make_user(session, Role.ADMIN)
        session.add(
            WebhookEndpoint(user_id=admin.id, url=url, secret=make_secret(), events="", created_at=datetime.now(UTC))
        )
        for _ in range(times):
            append_event(session, EventKind.SPIKE_FOUND, uuid4(), "1", {}, [])
        session.commit()


def states(engine: Engine) -> list[str]:
    """Of all deliveries."""
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT state FROM webhook_delivery ORDER BY id")).scalars())


def end_leases(engine: Engine) -> None:
    """As if a minute had passed."""
    with engine.begin() as connection:
        past = datetime.now(UTC) - timedelta(seconds=1)
        connection.execute(
            text("UPDATE webhook_delivery SET next_at = :past WHERE state = 'waiting'"),
            {"past": past.replace(tzinfo=None) if engine.dialect.name == "sqlite" else past},
        )


def test_a_worker_killed_between_sending_and_noting_it_sends_again_under_the_same_id(
    fleet: Fleet, engine: Engine
) -> None:
    with receiver() as site:
        happen(engine, site.url, 3)
        worker = fleet.start("worker", EARSHOT_WEBHOOK_PRIVATE="true", EARSHOT_FAILPOINT="webhooks.before_settle:2")
        killed(worker)
        assert sorted(states(engine)) == ["delivered", "waiting", "waiting"]
        assert len(site.received) == 2
        end_leases(engine)
        worker = fleet.start("worker", EARSHOT_WEBHOOK_PRIVATE="true")
        wait_until(lambda: states(engine) == ["delivered"] * 3, "all to arrive", worker)
        ids = [received.id for received in site.received]
        assert len(ids) == 4
        assert len(set(ids)) == 3


def test_nothing_goes_into_our_own_network_unless_the_operator_says_so(fleet: Fleet, engine: Engine) -> None:
    with receiver() as site:
        happen(engine, site.url, 1)
        worker = fleet.start("worker")

        def is_tried() -> bool:
            with engine.connect() as connection:
                return bool(connection.execute(text("SELECT count(*) FROM webhook_attempt")).scalar())

        wait_until(is_tried, "an attempt", worker)
        assert site.received == []
