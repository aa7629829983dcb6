"""Reach as pages and the API ask for it: the cells of spans of days, those of months where the span has them whole."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlmodel import Session, col, select

from models.columns import day_from_number, day_number
from models.periods import Period
from models.tables import Show

Cell = tuple[int, int, bytes]
"""show_id, day number, one of the two sketches."""


class Part(NamedTuple):
    """Cells of one kind: single days from the first to the last, or months by their first days."""

    is_month: bool
    first: int
    last: int


def parts_of(period: Period) -> list[Part]:
    """The fewest cells that have each day of a period once."""
    first = period.first if period.first.day == 1 else _next_month(period.first)
    end = (period.last + timedelta(days=1)).replace(day=1)
    if first >= end:
        return [Part(False, day_number(period.first), day_number(period.last))]
    months = Part(True, day_number(first), day_number(end) - 1)
    before = Part(False, day_number(period.first), day_number(first) - 1)
    after = Part(False, day_number(end), day_number(period.last))
    return [part for part in (before, months, after) if part.first <= part.last]


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def list_hlls(session: Session, shows: Sequence[int], period: Period) -> list[bytes]:
    """HLL sketches that together have the listeners of these shows and days."""
    return [sketch for part in parts_of(period) for _, _, sketch in _cells(session, "hll", shows, part)]


def list_hlls_by_day(session: Session, shows: Sequence[int], period: Period) -> list[list[bytes]]:
    """The HLL sketches of each day of the period, in order."""
    part = Part(False, day_number(period.first), day_number(period.last))
    days: list[list[bytes]] = [[] for _ in range(period.days)]
    for _, day, sketch in _cells(session, "hll", shows, part):
        days[day - part.first].append(sketch)
    return days


def list_thetas(session: Session, shows: Sequence[int], period: Period) -> dict[int, list[bytes]]:
    """Show -> theta sketches that together have its listeners of these days."""
    found: dict[int, list[bytes]] = {show_id: [] for show_id in shows}
    for part in parts_of(period):
        for show_id, _, sketch in _cells(session, "theta", shows, part):
            found[show_id].append(sketch)
    return found


def list_thetas_by_day(session: Session, shows: Sequence[int], period: Period) -> list[list[bytes]]:
    """The theta sketches of each day of the period, in order."""
    part = Part(False, day_number(period.first), day_number(period.last))
    days: list[list[bytes]] = [[] for _ in range(period.days)]
    for _, day, sketch in _cells(session, "theta", shows, part):
        days[day - part.first].append(sketch)
    return days


def list_thetas_by_month(session: Session, shows: Sequence[int], period: Period) -> list[tuple[date, list[bytes]]]:
    """The last day of each month, or of the period, and the theta sketches of its days that are in the period."""
    months: dict[date, list[bytes]] = {}
    first = period.first
    while first <= period.last:
        last = min(_next_month(first) - timedelta(days=1), period.last)
        months[last] = []
        first = last + timedelta(days=1)
    ends = sorted(months)
    for part in parts_of(period):
        for _, day, sketch in _cells(session, "theta", shows, part):
            months[next(end for end in ends if day_from_number(day) <= end)].append(sketch)
    return [(end, months[end]) for end in ends]


def _cells(session: Session, sketch: str, shows: Sequence[int], part: Part) -> Iterator[Cell]:
    statement = text(
        f"SELECT show_id, day, {sketch} FROM show_reach "
        "WHERE show_id IN :shows AND is_month = :is_month AND day BETWEEN :first AND :last"
    ).bindparams(bindparam("shows", expanding=True))
    return _read(session, statement, {"shows": list(shows), **part._asdict()})


def _read(session: Session, statement: Any, values: dict[str, Any]) -> Iterator[Cell]:
    for show_id, day, sketch in session.execute(statement, values):
        yield show_id, day, bytes(sketch)


def list_campaign_days(session: Session, campaign_id: int, period: Period, sketch: str) -> list[list[bytes]]:
    """The sketches (`hll` or `theta`) of a campaign's devices of each day of the period, in order, over all shows."""
    statement = text(
        f"SELECT show_id, day, {sketch} FROM campaign_reach "
        "WHERE campaign_id = :campaign AND is_month = :is_month AND day BETWEEN :first AND :last"
    )
    first = day_number(period.first)
    values = {"campaign": campaign_id, "is_month": False, "first": first, "last": day_number(period.last)}
    days: list[list[bytes]] = [[] for _ in range(period.days)]
    for _, day, found in _read(session, statement, values):
        days[day - first].append(found)
    return days


def list_first_days(session: Session, campaign_id: int) -> dict[date, dict[int, int]]:
    """Day of their first impression -> frequency -> how many devices; in order of days. Exact, over all days."""
    statement = text(
        "SELECT first_day, frequency, devices FROM campaign_frequency "
        "WHERE campaign_id = :campaign AND devices > 0 ORDER BY first_day"
    )
    found: dict[date, dict[int, int]] = defaultdict(dict)
    for day, frequency, devices in session.execute(statement, {"campaign": campaign_id}):
        found[day_from_number(day)][frequency] = devices
    return found


def list_shows(session: Session, uuids: Sequence[UUID]) -> dict[UUID, Show]:
    """Those of these shows that are there."""
    statement = select(Show).where(col(Show.uuid).in_(uuids), col(Show.deleted_at).is_(None))
    return {show.uuid: show for show in session.exec(statement)}
