"""How counting is doing: what became of all that came in, and how far the worker is behind."""

import json
from datetime import date

from fastapi import APIRouter, Depends, Request
from sqlmodel import Session

from api import clock
from api.consumers import MEASUREMENT
from api.deps import ReadSessionDep, require
from api.errors import ForbiddenError, InvalidError, UnauthenticatedError, UnavailableError, documented
from api.events import EventLog, LogUnavailableError
from api.measurement.schemas import Cause, Day, HitDay, Lag, Logs, Partition, Pipeline, Sample, TroubledLog
from api.periods import From, To, parse_period
from models.conservation import ERASED, HIT, DayBalance, balance, causes_of, missing_events
from models.queries import pipeline
from models.tables import Role

SAMPLES = 5
"""Events shown of each cause."""
MAX_LOGS = 50
DEVICE_DIGITS = 8
"""Hex digits of a device's id: enough to tell two apart, too few to look somebody up with elsewhere."""

router = APIRouter(prefix="/v1", tags=["operations"], dependencies=[Depends(require(Role.ADMIN))])


@router.get("/pipeline", responses=documented(UnauthenticatedError, ForbiddenError, InvalidError, UnavailableError))
def read_pipeline(request: Request, session: ReadSessionDep, first: From = None, last: To = None) -> Pipeline:
    """What became of every event that came in, for admins.

    Days are UTC days of the receipt. `set_aside` and `counted` of a past day change when its set-aside events are
    replayed.
    """
    today = clock.now().date()
    period = parse_period(first, last, today)
    outcomes = pipeline.list_outcomes(session, period)
    causes = causes_of(pipeline.list_total_outcomes(session))
    arrived = pipeline.list_arrived(session, period)
    kept = pipeline.list_kept(session, causes, period)
    are_erased = pipeline.are_devices_erased(session)
    days = balance(outcomes, arrived, kept, period, today=today, are_erased=are_erased)
    hits: dict[date, dict[str, int]] = {}
    for outcome in outcomes:
        if outcome.kind == HIT:
            hits.setdefault(outcome.received_day, {})[outcome.outcome] = outcome.events
    return Pipeline(
        days=[_day(day) for day in days],
        hits=[HitDay(day=day, outcomes=found) for day, found in sorted(hits.items())],
        causes=[Cause(cause=cause, events=n, samples=_samples(session, cause)) for cause, n in causes.items()],
        logs=_logs(session),
        lag=_lag(session, request.app.state.log),
    )


@router.get("/pipeline/lag", responses=documented(UnauthenticatedError, ForbiddenError, UnavailableError))
def read_lag(request: Request, session: ReadSessionDep) -> Lag:
    """How far counting is behind, for admins. Cheap: to be asked every few seconds."""
    return _lag(session, request.app.state.log)


def _day(day: DayBalance) -> Day:
    return Day(
        day=day.received_day,
        received=day.received,
        counted=day.counted,
        duplicate=day.duplicate,
        set_aside=day.set_aside,
        arrived=day.arrived,
        kept=day.kept,
        is_true=day.is_true,
    )


def _samples(session: Session, cause: str) -> list[Sample]:
    # Nothing is kept of an erased device, so there is nothing to look for.
    found = [] if cause == ERASED else pipeline.list_samples(session, cause, SAMPLES)
    return [
        Sample(
            event_id=sample.event_id.hex(),
            device=sample.device.hex()[:DEVICE_DIGITS],
            received_at_ms=sample.received_at_ms,
            event=json.loads(sample.payload),
        )
        for sample in found
    ]


def _logs(session: Session) -> Logs:
    newest = [
        TroubledLog(
            device=log.device.hex()[:DEVICE_DIGITS],
            is_broken=log.is_broken,
            is_forked=log.is_forked,
            missing_events=missing_events(json.loads(log.missing)),
            last_seq=log.last_seq,
            last_received_ms=log.last_received_ms,
        )
        for log in pipeline.list_troubled_logs(session, MAX_LOGS)
    ]
    return Logs(**pipeline.count_troubled_logs(session)._asdict(), newest=newest)


def _lag(session: Session, log: EventLog) -> Lag:
    positions = {position.partition: position for position in pipeline.list_positions(session, MEASUREMENT)}
    now_ms = clock.now_ms()
    try:
        partitions = [_partition(log, number, positions.get(number), now_ms) for number in range(log.partitions)]
    except LogUnavailableError as error:
        raise UnavailableError("The event log cannot be read at the moment. Try again in a few seconds.") from error
    folded = sum(pipeline.list_total_outcomes(session).values())
    return Lag(as_of_ms=now_ms, folded=folded, partitions=partitions)


def _partition(log: EventLog, number: int, position: pipeline.Position | None, now_ms: int) -> Partition:
    next_offset = position.next_offset if position else log.start(number)
    waiting = log.read(number, next_offset, 1)
    # The end is read last: a record that comes in between is behind us, never ahead.
    end = log.end(number)
    return Partition(
        partition=number,
        next_offset=next_offset,
        end_offset=end,
        records_behind=end - next_offset,
        oldest_waiting_ms=max(0, now_ms - waiting[0].appended_ms) if waiting else 0,
        last_step_ms=position.updated_at_ms or None if position else None,
    )
