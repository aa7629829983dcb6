"""Webhooks over HTTP: everybody's own."""

import hashlib
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from api import audit_trail, clock, outgoing, webhook_deliveries
from api.deps import ReadSessionDep, SessionDep, UserDep
from api.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    documented,
)
from api.idempotency import MoneyRoute, show_once
from api.webhook_schemas import (
    AttemptOut,
    DeliveryList,
    DeliveryOut,
    DeliveryState,
    NewWebhook,
    NewWebhookOut,
    WebhookList,
    WebhookOut,
)
from api.webhook_signing import make_secret
from api.webhooks import KINDS_OF, EventKind
from models.queries import webhooks
from models.tables import Role, User
from models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent

MAX_ENDPOINTS = 20
"""Of one user."""
SHOWN_ONCE = {
    "secret": None,
    "secret_note": "The secret was shown once, in the first answer. If it is lost, delete this webhook and add one.",
}

router = APIRouter(
    prefix="/v1",
    tags=["webhooks"],
    route_class=MoneyRoute,
    responses=documented(UnauthenticatedError, ForbiddenError, TooLargeError, InvalidError),
)
missing = documented(NotFoundError)
WebhookId = Annotated[UUID, Path(description="The webhook's id.")]
DeliveryId = Annotated[UUID, Path(description="The delivery's id.")]


class TooManyWebhooksError(ConflictError):
    """There are as many webhooks as one user may have."""

    code = "too_many_webhooks"


@router.post("/webhooks", status_code=201, responses=documented(TooManyWebhooksError))
def add_webhook(body: NewWebhook, request: Request, user: UserDep, session: SessionDep) -> NewWebhookOut:
    """Have events posted to an address of yours. The answer has the secret of their signatures, this once."""
    outgoing.check_address(body.url, is_private_allowed=request.app.state.settings.webhook_private)
    _check_kinds(body.events, user)
    user_id = user.id or 0
    if webhooks.count_endpoints(session, user_id) >= MAX_ENDPOINTS:
        raise TooManyWebhooksError(f"You have {MAX_ENDPOINTS} webhooks. Delete one that you do not need any more.")
    endpoint = WebhookEndpoint(
        user_id=user_id,
        url=body.url,
        secret=make_secret(),
        events=" ".join(sorted(set(body.events))),
        created_at=clock.now(),
    )
    webhooks.append_endpoint(session, endpoint)
    detail = {**_audited(endpoint), "events": endpoint.events.split()}
    audit_trail.append(session, user, "webhook.added", "webhook", endpoint.uuid, detail)
    show_once(request, SHOWN_ONCE)
    return NewWebhookOut(secret=endpoint.secret, **_webhook_out(endpoint).model_dump())


@router.get("/webhooks")
def list_webhooks(user: UserDep, session: ReadSessionDep) -> WebhookList:
    """Your webhooks."""
    return WebhookList(items=[_webhook_out(endpoint) for endpoint in webhooks.list_endpoints(session, user.id or 0)])


@router.get("/webhooks/{webhook_id}", responses=missing)
def read_webhook(webhook_id: WebhookId, user: UserDep, session: ReadSessionDep) -> WebhookOut:
    """One webhook, and whether it is disabled, and why."""
    return _webhook_out(_get_endpoint(session, webhook_id, user))


@router.delete("/webhooks/{webhook_id}", status_code=204, responses=missing)
def delete_webhook(webhook_id: WebhookId, user: UserDep, session: SessionDep) -> Response:
    """Send nothing more there, and forget what was sent."""
    endpoint = _get_endpoint(session, webhook_id, user)
    webhooks.delete_endpoint(session, endpoint.id or 0)
    audit_trail.append(session, user, "webhook.deleted", "webhook", endpoint.uuid, _audited(endpoint))
    return Response(status_code=204)


@router.post("/webhooks/{webhook_id}/enable", responses=missing)
def enable_webhook(webhook_id: WebhookId, user: UserDep, session: SessionDep) -> WebhookOut:
    """Send to a disabled webhook again; what was still waiting goes out at once. Replay what had been given up."""
    endpoint = _get_endpoint(session, webhook_id, user)
    endpoint.disabled_at, endpoint.disabled_reason, endpoint.failing_since = None, "", None
    audit_trail.append(session, user, "webhook.enabled", "webhook", endpoint.uuid, {})
    return _webhook_out(endpoint)


@router.get("/webhooks/{webhook_id}/deliveries", responses=missing)
def list_deliveries(
    webhook_id: WebhookId,
    user: UserDep,
    session: ReadSessionDep,
    state: Annotated[DeliveryState | None, Query(description="Only those.")] = None,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Deliveries older than this number.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Deliveries in one page.")] = 100,
) -> DeliveryList:
    """What was sent there, with every attempt, and what still waits."""
    endpoint = _get_endpoint(session, webhook_id, user)
    rows = webhooks.list_deliveries(session, endpoint.id or 0, state=state, before=before, limit=limit + 1)
    attempts = webhooks.list_attempts(session, [delivery.id or 0 for delivery, _ in rows[:limit]])
    items = [_delivery_out(delivery, event, attempts.get(delivery.id or 0, [])) for delivery, event in rows[:limit]]
    return DeliveryList(items=items, next_before=items[-1].number if len(rows) > limit else None)


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    status_code=202,
    responses=documented(NotFoundError, webhook_deliveries.StillWaitingError),
)
def replay_delivery(webhook_id: WebhookId, delivery_id: DeliveryId, user: UserDep, session: SessionDep) -> DeliveryOut:
    """Send an event once more, under the same `webhook-id`: a receiver that has it already does nothing."""
    endpoint = _get_endpoint(session, webhook_id, user)
    found = webhooks.get_delivery(session, delivery_id, endpoint.id or 0)
    if found is None:
        raise NotFoundError("This webhook has no such delivery.")
    delivery, event, _ = found
    again = webhook_deliveries.replay(session, delivery.endpoint_id, delivery.event_id)
    detail = {"delivery": delivery.uuid, "event": event.uuid}
    audit_trail.append(session, user, "webhook.replayed", "webhook", endpoint.uuid, detail)
    return _delivery_out(again, event, [])


def _check_kinds(kinds: list[EventKind], user: User) -> None:
    told = KINDS_OF[Role(user.role)]
    if others := sorted(set(kinds) - told):
        raise InvalidError(
            f"{', '.join(others)}: not for the role {user.role}. Choose from: {', '.join(sorted(told))}."
        )


def _get_endpoint(session: SessionDep, uuid: UUID, user: User) -> WebhookEndpoint:
    endpoint = webhooks.get_endpoint(session, uuid, user.id or 0)
    if endpoint is None:
        raise NotFoundError("There is no webhook with this id, or it is not yours.")
    return endpoint


def _audited(endpoint: WebhookEndpoint) -> dict[str, str]:
    """Where it goes, for a trail that is kept for ever: with many receivers the path is the password."""
    parts = urlsplit(endpoint.url)
    rest = endpoint.url.split(parts.netloc, 1)[1]
    return {"host": parts.netloc.rpartition("@")[2], "path_sha256": hashlib.sha256(rest.encode()).hexdigest()}


def _webhook_out(endpoint: WebhookEndpoint) -> WebhookOut:
    return WebhookOut(
        id=endpoint.uuid,
        url=endpoint.url,
        events=[EventKind(kind) for kind in endpoint.events.split()],
        created_at=endpoint.created_at,
        disabled_at=endpoint.disabled_at,
        disabled_reason=endpoint.disabled_reason,
        failing_since=endpoint.failing_since,
    )


def _delivery_out(delivery: WebhookDelivery, event: WebhookEvent, attempts: list[WebhookAttempt]) -> DeliveryOut:
    return DeliveryOut(
        id=delivery.uuid,
        number=delivery.id or 0,
        event_id=event.uuid,
        kind=EventKind(event.kind),
        subject_id=event.subject_uuid,
        happened_at=event.created_at,
        replay=delivery.replay,
        state=DeliveryState(delivery.state),
        next_at=delivery.next_at if delivery.state == webhooks.WAITING else None,
        delivered_at=delivery.delivered_at,
        attempts=[
            AttemptOut(number=attempt.number, at=attempt.at, status=attempt.status, error=attempt.error)
            for attempt in attempts
        ],
    )
