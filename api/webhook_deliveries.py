"""Deliveries: made of an event for everybody who may be told, settled after each attempt, made again on request."""

import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlmodel import Session

from api import audit_trail, clock
from api.errors import ConflictError
from api.webhooks import KINDS_OF
from models.engine import read_only
from models.queries import webhooks
from models.tables import Role, User
from models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent

RETRY_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""From each failed attempt to the next: ten attempts in a little over three days."""
JITTER_SHARE = 0.1
"""By so much a wait is shortened or lengthened, so that what failed together is not tried together."""
DISABLE_DAYS = 2.5
"""An endpoint at which nothing arrived for so long is disabled when a delivery is given up: a little less than the
attempts take at their shortest."""
GONE = 410
EVENTS_AT_ONCE = 100

_logger = structlog.get_logger(__name__)


class StillWaitingError(ConflictError):
    """It clashes with what is there, or the event is still to be sent to the webhook."""

    code = "delivery_waiting"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt."""

    status: int | None
    """Of the HTTP answer; None when there was none."""
    error: str = ""

    @property
    def is_success(self) -> bool:
        """Any 2xx; a redirect is none."""
        return self.status is not None and 200 <= self.status <= 299


# -- from events to deliveries -----------------------------------------------------------------------------------------


def fan_out(engine: Engine) -> int:
    """Make the deliveries of new events; how many events there were. Each is a transaction of its own."""
    with Session(read_only(engine), expire_on_commit=False) as session:
        events = webhooks.list_new_events(session, EVENTS_AT_ONCE)
    for event in events:
        with Session(engine) as session, session.begin():
            if webhooks.claim_event(session, event.id or 0):
                _append_deliveries(session, event)
    return len(events)


def _append_deliveries(session: Session, event: WebhookEvent) -> None:
    audience = set(json.loads(event.audience))
    for endpoint, user in webhooks.list_open_endpoints(session):
        if _is_told(event, audience, endpoint, user):
            webhooks.append_delivery(session, _new_delivery(endpoint.id or 0, event.id or 0, 0))


def _is_told(event: WebhookEvent, audience: set[int], endpoint: WebhookEndpoint, user: User) -> bool:
    is_concerned = user.role == Role.ADMIN or user.id in audience
    is_chosen = not endpoint.events or event.kind in endpoint.events.split()
    return is_concerned and is_chosen and event.kind in KINDS_OF[Role(user.role)]


def _new_delivery(endpoint_id: int, event_id: int, replay: int) -> WebhookDelivery:
    return WebhookDelivery(
        endpoint_id=endpoint_id, event_id=event_id, replay=replay, state=webhooks.WAITING, next_at=clock.now()
    )


def replay(session: Session, endpoint_id: int, event_id: int) -> WebhookDelivery:
    """Send an event to an endpoint once more, delivered or given up; it keeps its `webhook-id`.

    Raises StillWaitingError while it is to be sent there anyway.
    """
    webhooks.lock_endpoint(session, endpoint_id)
    if webhooks.is_waiting(session, endpoint_id, event_id):
        raise StillWaitingError("This event still waits to be sent to this webhook. Replay it after it has been.")
    number = webhooks.get_last_replay(session, endpoint_id, event_id) + 1
    delivery = _new_delivery(endpoint_id, event_id, number)
    webhooks.append_delivery(session, delivery)
    return delivery


# -- after an attempt --------------------------------------------------------------------------------------------------


def settle(engine: Engine, delivery_id: int, number: int, answer: Answer) -> None:
    """Note what came of an attempt, and when the next one is due; nothing when another sender has taken over."""
    with Session(engine) as session, session.begin():
        claimed = webhooks.get_claimed(session, delivery_id, number)
        if claimed is None:
            return
        delivery, endpoint = claimed
        now = clock.now()
        delivery.last_status, delivery.last_error = answer.status, answer.error
        webhooks.append_attempt(
            session,
            WebhookAttempt(delivery_id=delivery_id, number=number, at=now, status=answer.status, error=answer.error),
        )
        if answer.is_success:
            delivery.state, delivery.delivered_at, endpoint.failing_since = webhooks.DELIVERED, now, None
        else:
            _settle_failure(session, delivery, endpoint, now)


def _settle_failure(session: Session, delivery: WebhookDelivery, endpoint: WebhookEndpoint, now: datetime) -> None:
    endpoint.failing_since = endpoint.failing_since or now
    if delivery.last_status == GONE:
        delivery.state = webhooks.FAILED
        _disable(session, endpoint, now, "The address answered 410: it is gone for good.")
    elif delivery.attempts <= len(RETRY_SECONDS):
        delivery.next_at = now + timedelta(seconds=_wait_seconds(delivery.attempts))
    else:
        delivery.state = webhooks.FAILED
        if now - endpoint.failing_since >= timedelta(days=DISABLE_DAYS):
            _disable(session, endpoint, now, f"Nothing has arrived since {endpoint.failing_since:%Y-%m-%d %H:%M} UTC.")


def _wait_seconds(attempts: int) -> float:
    return RETRY_SECONDS[attempts - 1] * random.uniform(1 - JITTER_SHARE, 1 + JITTER_SHARE)  # noqa: S311 - no secret


def _disable(session: Session, endpoint: WebhookEndpoint, now: datetime, reason: str) -> None:
    if endpoint.disabled_at is None:
        endpoint.disabled_at, endpoint.disabled_reason = now, reason
        audit_trail.append(session, None, "webhook.disabled", "webhook", endpoint.uuid, {"reason": reason})
        _logger.warning("a webhook is disabled", endpoint=str(endpoint.uuid), reason=reason)
