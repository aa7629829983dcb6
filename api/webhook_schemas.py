"""What the routes of webhooks take and give."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.webhooks import EventKind


class DeliveryState(StrEnum):
    """Where a delivery is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class NewWebhook(BaseModel):
    """An address that wants to be told."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=2000, description="Where to post to, beginning with https://.")]
    events: Annotated[
        list[EventKind], Field(max_length=20, description="Kinds of events; empty for all that your role is told.")
    ] = []


class WebhookOut(BaseModel):
    """An address that is told."""

    id: UUID
    url: str
    events: list[EventKind]
    """Empty: all that the role is told."""
    created_at: datetime
    disabled_at: datetime | None
    """When nothing more was sent to it, because nothing arrived any more; null while it is sent to."""
    disabled_reason: str
    failing_since: datetime | None
    """The first attempt that failed since the last one that arrived."""


class NewWebhookOut(WebhookOut):
    """An address just added; the secret is shown this once."""

    secret: str | None
    """What signatures are made with, as libraries for Standard Webhooks take it; null in an answer that is repeated."""
    secret_note: str = ""
    """What to do when it is null."""


class WebhookList(BaseModel):
    """Your addresses."""

    items: list[WebhookOut]


class AttemptOut(BaseModel):
    """A try to deliver."""

    number: int
    at: datetime
    status: int | None
    """Of the HTTP answer; null when there was none."""
    error: str


class DeliveryOut(BaseModel):
    """An event on its way to an address, or there."""

    id: UUID
    number: int
    event_id: UUID
    """The `webhook-id` that it is sent under."""
    kind: EventKind
    subject_id: UUID
    happened_at: datetime
    replay: int
    """0, or how often it had been asked for again."""
    state: DeliveryState
    next_at: datetime | None
    """When it is tried next; null when it is not tried any more."""
    delivered_at: datetime | None
    attempts: list[AttemptOut]


class DeliveryList(BaseModel):
    """Deliveries, the last one first."""

    items: list[DeliveryOut]
    next_before: int | None
    """Ask with `before` for the deliveries that follow; null when there are none."""
