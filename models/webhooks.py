"""Webhooks: who wants to be told, what there is to tell, and how each telling went."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.columns import UtcDateTime


class WebhookEndpoint(SQLModel, table=True):
    """An address that wants to be told."""

    __tablename__ = "webhook_endpoint"

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    user_id: int = Field(foreign_key="account.id", index=True)
    url: str
    secret: str
    """Signs what is sent; shown once."""
    events: str
    """Kinds of events, separated by spaces; empty for all that its owner may see."""
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    disabled_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    disabled_reason: str = ""
    failing_since: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    """The first attempt that failed since the last one that did not; absent while all is well."""


class WebhookEvent(SQLModel, table=True):
    """Something to tell; written in the transaction in which it happened."""

    __tablename__ = "webhook_event"
    __table_args__ = (UniqueConstraint("kind", "subject_uuid", "occasion"),)

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    kind: str
    """`statement.approved`, `campaign.exhausted` or `spike.found`."""
    subject_uuid: UUID
    occasion: str
    """Tells apart what may happen to a subject more than once."""
    payload: str
    """JSON object."""
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    is_fanned_out: bool = Field(default=False, index=True)
    """Whether it has its deliveries."""
    audience: str
    """JSON list of the ids of the users who may be told; admins always may."""


class WebhookDelivery(SQLModel, table=True):
    """One event on its way to one endpoint."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id", "replay"),
        Index("ix_webhook_delivery_due", "state", "next_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    uuid: UUID = Field(default_factory=uuid4, unique=True)
    endpoint_id: int = Field(foreign_key="webhook_endpoint.id")
    event_id: int = Field(foreign_key="webhook_event.id")
    replay: int = 0
    """0 at first, then one more for each time it was asked for again."""
    state: str
    """`waiting`, `delivered` or `failed`."""
    attempts: int = 0
    next_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    last_status: int | None = None
    last_error: str = ""
    delivered_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class WebhookAttempt(SQLModel, table=True):
    """What became of one try to deliver. A try whose process died in it has no row, and its number is missing."""

    __tablename__ = "webhook_attempt"

    delivery_id: int = Field(foreign_key="webhook_delivery.id", primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    status: int | None = None
    """Of the HTTP answer; absent when there was none."""
    error: str = ""
    """What was wrong, for people."""
