"""Shapes of the sync protocol, for its documentation and its slower routes."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Text = r"^[^\x00-\x1f\x7f]*$"
"""No control characters: PostgreSQL cannot keep NUL, and no page can show the others."""
Word = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")


class DeviceIn(BaseModel):
    """A client that introduces itself."""

    model_config = ConfigDict(extra="ignore")

    app: str = Field(min_length=1, max_length=100, pattern=Text, examples=["Earshot Web"])
    app_version: str = Field(default="", max_length=100, pattern=Text, examples=["1.4.0"])
    platform: str = Field(default="", max_length=100, pattern=Text, examples=["Android 15"])


class DeviceOut(BaseModel):
    """A device's id and the token that proves it."""

    device_id: UUID
    token: str
    """Send it as `Authorization: Bearer <token>`. It does not expire."""
    server_time_ms: int
    listen_seconds: int
    """Distinct seconds that make a listen."""


class EventIn(BaseModel):
    """One event of a device's log."""

    seq: int = Field(ge=1)
    kind: Literal["download", "play", "progress", "pause", "seek", "complete", "short"]
    episode: str = Word
    session: str = Word
    at_ms: int
    """Device clock, Unix ms, when the span ended."""
    from_ms: int = Field(ge=0)
    to_ms: int = Field(ge=0)
    """The span heard, `[from_ms, to_ms)` of media time."""
    wall_ms: int = Field(ge=0)
    """How long it took on the device's monotonic clock."""
    offline: bool


class BatchIn(BaseModel):
    """A contiguous stretch of a device's log."""

    sent_at_ms: int
    after: str = Field(pattern="^[0-9a-f]{64}$")
    """Id of the event just before the first one; 64 zeros at the start of the log."""
    head: str = Field(pattern="^[0-9a-f]{64}$")
    """Id of the last event in this batch."""
    events: list[EventIn] = Field(min_length=1, max_length=500)


class RejectedOut(BaseModel):
    """An event that can never be accepted."""

    seq: int
    cause: Literal["bad_kind", "bad_range", "bad_time", "bad_field"]


class BatchOut(BaseModel):
    """The batch is on disk; the client may delete all it sent."""

    receipt: str
    """SHA-256 of the body, unpacked, in hex."""
    server_time_ms: int
    listen_seconds: int
    accepted: int
    rejected: list[RejectedOut]


class ReceiptOut(BaseModel):
    """What became of a batch. Several deliveries of one body add up."""

    state: Literal["pending", "done"]
    counted: int = 0
    duplicate: int = 0
    set_aside: dict[str, int] = {}
    """Cause -> number of events."""
    chain: Literal["intact", "broken", "gap", "fork"] | None = None
    """The worst that this body showed; null while pending."""
