"""Unique consumers of downloads, over days: unions of the sketches in `download_consumers`."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from models.columns import day_number
from models.downloads import DownloadConsumers
from models.periods import Period
from models.queries.downloads import Of
from models.rotations import key_days
from models.sketches import Estimate, unite

SPANS = (1, 7, 30)
"""Days, the last of which is the day that a row is about."""
WHOLE_SHOW = 0
"""What `download_consumers.episode_id` has for all episodes together."""


class DayConsumers(NamedTuple):
    """Unique consumers of the 1, 7 and 30 days that end with this one."""

    day: date
    over: tuple[Estimate, ...]
    """In the order of `SPANS`."""


class _Sketches(NamedTuple):
    consumers: bytes
    earlier: bytes


def list_consumers(session: Session, of: Of, period: Period) -> list[DayConsumers]:
    """Every day of the period, in order."""
    stored = _load(session, of, Period(period.first - timedelta(days=max(SPANS) - 1), period.last))
    return [
        DayConsumers(day, tuple(_count(stored, day_number(day), days) for days in SPANS)) for day in period.each_day()
    ]


def _load(session: Session, of: Of, period: Period) -> dict[int, _Sketches]:
    table = DownloadConsumers
    statement = select(col(table.day), col(table.consumers), col(table.earlier)).where(
        col(table.show_id) == of.show_id,
        col(table.day).between(period.first, period.last),
        col(table.episode_id) == (WHOLE_SHOW if of.episode_id is None else of.episode_id),
    )
    return {day_number(row[0]): _Sketches(bytes(row[1]), bytes(row[2])) for row in session.execute(statement)}


def _count(stored: Mapping[int, _Sketches], last: int, days: int) -> Estimate:
    own, before = key_days(last - days + 1, last)
    chosen = [stored[day].consumers for day in own if day in stored]
    # Behind a rotation the day's own numbers are others; those under the key before can be compared with what was.
    chosen += [stored[day].earlier for day in before if day in stored]
    return unite(chosen)
