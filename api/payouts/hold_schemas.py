"""What holds look like over HTTP."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1000)]


class DecisionIn(BaseModel):
    """A decision on a hold."""

    reason: Reason = Field(description="Why. It stays in the audit trail, and the show's creator sees it.")


class ScanIn(BaseModel):
    """The days to look at; both included."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")


class ScanOut(BaseModel):
    """What a look found that was not held before."""

    new_holds: int
    playbacks: int
    downloads: int
    ended: int = Field(description="Holds that were taken back, since the missing stretch of a log arrived.")


class EpisodeFlags(BaseModel):
    """What a hold flags of one episode."""

    episode_id: UUID
    title: str
    show_id: UUID
    playbacks: int
    devices: int
    downloads: int = Field(description="Days of consumers with downloads.")


class DecisionOut(BaseModel):
    """What somebody decided."""

    state: str
    reason: str
    by: str
    at: datetime


class HoldOut(BaseModel):
    """One finding of one rule."""

    id: UUID
    rule: str
    title: str = Field(description="What the rule found, in words.")
    source: str = Field(description="Where the rule is explained.")
    day: date
    subject: str
    show_id: UUID | None = Field(description="Null where it concerns several shows.")
    state: str = Field(description="`open`, `released` or `void`.")
    reason: str | None = Field(description="Of the last decision.")
    found_at: datetime
    decided_at: datetime | None
    playbacks: int
    devices: int
    downloads: int
    evidence: dict[str, Any] = Field(description="What was measured, and the rule's parameters.")


class HoldList(BaseModel):
    """A page of holds, the latest day first."""

    items: list[HoldOut]
    total: int


class HoldDetail(HoldOut):
    """A hold with all that it flags, and what was decided."""

    episodes: list[EpisodeFlags]
    decisions: list[DecisionOut]


class ShowHold(BaseModel):
    """What a creator sees of a hold: what is kept back and why, and nothing of any device."""

    id: UUID
    rule: str
    title: str
    source: str
    day: date
    state: str
    reason: str | None
    found_at: datetime
    decided_at: datetime | None
    playbacks: int = Field(description="Flagged ones of this show.")
    downloads: int


class ShowHoldDay(BaseModel):
    """What is kept back of a day under a rule, each playback and download once."""

    day: date
    rule: str
    state: str = Field(description="`open` or `void`.")
    listens: int
    confirmed: int = Field(description="Impressions that devices confirmed.")
    delivered: int = Field(description="Impressions that were delivered.")


class ShowHolds(BaseModel):
    """A show's holds."""

    items: list[ShowHold]
    total: int
    days: list[ShowHoldDay] = Field(description="Of the days of these holds.")
