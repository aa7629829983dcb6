"""What became of messages is kept as long as anybody may ask, and what there was to tell is told once."""

from collections.abc import Callable

from sqlalchemy import Engine
from sqlmodel import Session, select

from api.measurement.housekeeping import housekeeper
from api.settings import Settings
from models.tables import Role
from models.webhooks import WebhookAttempt
from tests.api.test_webhook_sender import deliveries, happen, later, make_endpoint, make_person, send, site
from tests.receiver import Receiver

__all__ = ["later", "site"]


def test_what_arrived_is_forgotten_after_thirty_days_and_what_waits_is_not(
    engine: Engine, settings: Settings, site: Receiver, later: Callable[[float], None]
) -> None:
    make_endpoint(engine, make_person(engine, Role.ADMIN), site.url)
    subject = happen(engine)
    send(engine)
    site.statuses = [500]
    happen(engine)
    send(engine)
    with housekeeper(settings) as keeper:
        later(29 * 86_400)
        keeper.forget_deliveries()
        assert [row.state for row in deliveries(engine)] == ["delivered", "waiting"]
        later(2 * 86_400)
        keeper.forget_deliveries()
        assert [row.state for row in deliveries(engine)] == ["waiting"]
    with Session(engine) as session:
        assert [attempt.status for attempt in session.exec(select(WebhookAttempt))] == [500]
    happen(engine, subject=subject)
    assert send(engine) == 1, "the one that waits; the other was told, and is not told again"
