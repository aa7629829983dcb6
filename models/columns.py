"""Column types that behave the same on SQLite and PostgreSQL."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, Dialect, Integer
from sqlalchemy.types import TypeDecorator

EPOCH = date(1970, 1, 1)
DAY_MS = 86_400_000
"""Milliseconds in a UTC day; Unix time has no leap seconds."""


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def day_from_number(number: int) -> date:
    """The UTC date that is `number` days after 1970-01-01."""
    return EPOCH + timedelta(days=number)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant. SQLite hands back naive datetimes, so the zone is put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive instant: which zone it meant cannot be known."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime was about to be stored; give it a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Always aware, always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class UtcDay(TypeDecorator[date]):
    """A UTC date kept as the number of days since 1970-01-01: four bytes, and the worker folds it without parsing."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: date | int | None, dialect: Dialect) -> int | None:
        """Accept a date, or the number itself."""
        if value is None or isinstance(value, int):
            return value
        return day_number(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        """A date."""
        return None if value is None else day_from_number(int(value))
