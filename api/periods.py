"""Spans of UTC days as requests ask for them: `?from=2026-11-01&to=2026-11-30`."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import Query

from api.errors import InvalidError
from models.periods import Period

DEFAULT_DAYS = 30
MAX_DAYS = 1100
"""Three years: more rows than a chart can show, and a bound on one answer."""

From = Annotated[
    date | None, Query(alias="from", description=f"First UTC day. Without it, {DEFAULT_DAYS - 1} days before `to`.")
]
To = Annotated[date | None, Query(alias="to", description="Last UTC day, included. Without it, today.")]


def parse_period(first: date | None, last: date | None, today: date) -> Period:
    """The span that was asked for. Raises InvalidError."""
    last = last or today
    first = first or _default_first(last)
    if first > last:
        raise InvalidError(f"from={first} is after to={last}. Swap them; the day in `to` is included.")
    if (last - first).days >= MAX_DAYS:
        raise InvalidError(f"{first} to {last} is more than {MAX_DAYS} days. Ask for a shorter span, several times.")
    return Period(first, last)


def _default_first(last: date) -> date:
    # The calendar begins in the year 1; a span that would begin earlier begins there.
    is_too_early = (last - date.min).days < DEFAULT_DAYS
    return date.min if is_too_early else last - timedelta(days=DEFAULT_DAYS - 1)
