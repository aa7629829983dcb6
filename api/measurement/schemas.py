"""What the pipeline routes answer."""

from datetime import date
from typing import Any

from pydantic import BaseModel, Field


class Day(BaseModel):
    """One UTC day by receipt: received = counted + duplicate + set aside."""

    day: date
    received: int
    counted: int
    duplicate: int
    set_aside: dict[str, int] = Field(description="Cause -> events.")
    arrived: int = Field(description="Counted events according to the rollup `arrival_day`.")
    kept: int = Field(description="Events set aside that are stored; those of erased devices are not.")
    is_true: bool = Field(
        description="Whether both tables agree with the sums. Once a device was erased, fewer may be kept."
    )


class HitDay(BaseModel):
    """Requests for audio of one UTC day."""

    day: date
    outcomes: dict[str, int]


class Sample(BaseModel):
    """One event that was set aside."""

    event_id: str = Field(description="Hex.")
    device: str = Field(description="The first eight hex digits of the device's id.")
    received_at_ms: int
    event: dict[str, Any] = Field(description="As the device sent it.")


class Cause(BaseModel):
    """Why events were set aside, over all time."""

    cause: str
    events: int
    samples: list[Sample] = Field(description="The newest.")


class TroubledLog(BaseModel):
    """A device whose log is not whole."""

    device: str
    is_broken: bool
    is_forked: bool
    missing_events: int
    last_seq: int
    last_received_ms: int


class Logs(BaseModel):
    """Devices whose logs are not whole. One of them may be broken, forked and have gaps at once."""

    devices: int
    broken: int
    forked: int
    with_gaps: int
    newest: list[TroubledLog] = Field(description="Those heard from last, at most 50.")


class Partition(BaseModel):
    """Where the worker stands in one partition of the event log."""

    partition: int
    next_offset: int
    end_offset: int
    records_behind: int
    oldest_waiting_ms: int = Field(description="How long ago the next record to be folded was appended; 0 at the end.")
    last_step_ms: int | None = Field(description="When the worker last wrote here, Unix ms; null when it never did.")


class Lag(BaseModel):
    """How far counting is behind at one instant, and how much it has done so far."""

    as_of_ms: int
    folded: int = Field(description="Events and hits counted or not, ever. Two answers give the rate between them.")
    partitions: list[Partition]


class Pipeline(BaseModel):
    """All of it."""

    days: list[Day] = Field(description="Every day of the span up to today, in order.")
    hits: list[HitDay]
    causes: list[Cause]
    logs: Logs
    lag: Lag
