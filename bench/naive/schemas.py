"""The sync protocol's bodies in pydantic."""

from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator


class EventIn(BaseModel):
    """One event as sent."""

    seq: int = Field(ge=1)
    kind: Literal["download", "play", "progress", "pause", "seek", "complete", "short"]
    episode: UUID
    session: str = Field(pattern="^[A-Za-z0-9_-]{1,64}$")
    at_ms: int
    from_ms: int = Field(ge=0)
    to_ms: int = Field(ge=0)
    wall_ms: int = Field(ge=0)
    offline: bool

    @model_validator(mode="after")
    def check_range(self) -> Self:
        """A span does not run backwards."""
        if self.to_ms < self.from_ms:
            raise ValueError("to_ms is before from_ms")
        return self


class BatchIn(BaseModel):
    """A contiguous stretch of a device's log."""

    sent_at_ms: int
    after: str = Field(pattern="^[0-9a-f]{64}$")
    head: str = Field(pattern="^[0-9a-f]{64}$")
    events: list[EventIn] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def check_contiguous(self) -> Self:
        """Seqs count up by one."""
        first = self.events[0].seq
        if any(event.seq != first + place for place, event in enumerate(self.events)):
            raise ValueError("seq must count up by one")
        return self


class BatchOut(BaseModel):
    """The batch is committed."""

    accepted: int
    duplicate: int
    head_matches: bool
