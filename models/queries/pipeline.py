"""What the admin sees of counting: outcomes per day, what was set aside, devices' logs, and how far the worker is."""

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, case, cast, func, select, text
from sqlmodel import Session, col

from models.columns import DAY_MS, day_from_number, day_number
from models.counting import ArrivalDay, ConsumerOffset, DeviceLog, ErasedDevice, PipelineDay, SetAside
from models.periods import Period
from models.tables import Episode

TROUBLED = text("(is_broken OR is_forked OR missing <> '[]')")
"""A log that is not whole, in the words of the partial index on it: both engines use that only when they agree."""


class Outcome(NamedTuple):
    """Events of one kind that came in on one UTC day and had one outcome."""

    received_day: date
    kind: str
    outcome: str
    events: int


class DayCount(NamedTuple):
    """Events of one UTC day, by receipt."""

    received_day: date
    events: int


class Sample(NamedTuple):
    """An event that was set aside."""

    event_id: bytes
    device: bytes
    received_at_ms: int
    payload: str
    """JSON; fields as in the sync protocol."""


class LogTroubles(NamedTuple):
    """How many devices' logs are not whole; one log may be counted in several."""

    devices: int
    broken: int
    forked: int
    with_gaps: int


class Position(NamedTuple):
    """How far a consumer is in a partition of the log."""

    partition: int
    next_offset: int
    updated_at_ms: int


def _sum(column: Any) -> Any:
    # PostgreSQL sums bigint to numeric, which would come back as Decimal.
    return cast(func.coalesce(func.sum(column), 0), BigInteger)


def list_outcomes(session: Session, period: Period) -> list[Outcome]:
    """What became of what came in on these days; outcomes that came to nothing are left out."""
    statement = (
        select(col(PipelineDay.received_day), col(PipelineDay.kind), col(PipelineDay.outcome), col(PipelineDay.events))
        .where(col(PipelineDay.received_day).between(period.first, period.last), col(PipelineDay.events) != 0)
        .order_by(col(PipelineDay.received_day), col(PipelineDay.kind), col(PipelineDay.outcome))
    )
    return [Outcome(*row) for row in session.execute(statement)]


def list_total_outcomes(session: Session) -> dict[tuple[str, str], int]:
    """(kind, outcome) -> how many there have ever been. The table has a handful of rows a day."""
    statement = select(col(PipelineDay.kind), col(PipelineDay.outcome), _sum(col(PipelineDay.events))).group_by(
        col(PipelineDay.kind), col(PipelineDay.outcome)
    )
    return {(kind, outcome): events for kind, outcome, events in session.execute(statement) if events}


def list_arrived(session: Session, period: Period) -> list[DayCount]:
    """Events counted, by the day they came in, from the rollup of arrivals: a second reckoning of what counted."""
    # Episode by episode, because the rollup's key begins with it: what else would be read is all of history.
    episodes = select(col(Episode.id))
    day = col(ArrivalDay.received_day)
    statement = (
        select(day, _sum(col(ArrivalDay.events)))
        .where(col(ArrivalDay.episode_id).in_(episodes), day.between(period.first, period.last))
        .group_by(day)
        .order_by(day)
    )
    return [DayCount(*row) for row in session.execute(statement)]


def list_kept(session: Session, causes: Iterable[str], period: Period) -> list[DayCount]:
    """Events that are kept with one of these causes, by the day they came in."""
    day = (col(SetAside.received_at_ms) // DAY_MS).label("day")
    first_ms, end_ms = day_number(period.first) * DAY_MS, (day_number(period.last) + 1) * DAY_MS
    statement = (
        select(day, func.count())
        .where(col(SetAside.cause).in_(sorted(causes)), col(SetAside.received_at_ms).between(first_ms, end_ms - 1))
        .group_by(day)
        .order_by(day)
    )
    return [DayCount(day_from_number(number), events) for number, events in session.execute(statement)]


def list_samples(session: Session, cause: str, limit: int) -> list[Sample]:
    """The newest events that were set aside for a cause."""
    statement = (
        select(col(SetAside.event_id), col(SetAside.device), col(SetAside.received_at_ms), col(SetAside.payload))
        .where(col(SetAside.cause) == cause)
        .order_by(col(SetAside.received_at_ms).desc())
        .limit(limit)
    )
    return [Sample(bytes(event_id), bytes(device), *rest) for event_id, device, *rest in session.execute(statement)]


def list_troubled_logs(session: Session, limit: int) -> list[DeviceLog]:
    """Devices whose logs are not whole, those heard from last first."""
    statement = select(DeviceLog).where(TROUBLED).order_by(col(DeviceLog.last_received_ms).desc()).limit(limit)
    return list(session.scalars(statement))


def count_troubled_logs(session: Session) -> LogTroubles:
    """How many logs are not whole, and how."""
    sums = [
        _sum(case((is_so, 1), else_=0))
        for is_so in (col(DeviceLog.is_broken), col(DeviceLog.is_forked), col(DeviceLog.missing) != "[]")
    ]
    return LogTroubles(*session.execute(select(func.count(), *sums).select_from(DeviceLog).where(TROUBLED)).one())


def are_devices_erased(session: Session) -> bool:
    """Whether any device was erased, or is being erased."""
    return bool(session.execute(select(select(ErasedDevice).exists())).scalar_one())


def list_positions(session: Session, consumer: str) -> list[Position]:
    """Where a consumer stands, per partition; empty before it ever ran."""
    statement = (
        select(col(ConsumerOffset.partition), col(ConsumerOffset.next_offset), col(ConsumerOffset.updated_at_ms))
        .where(col(ConsumerOffset.consumer) == consumer)
        .order_by(col(ConsumerOffset.partition))
    )
    return [Position(*row) for row in session.execute(statement)]
