"""The one place that asks what time it is, so that tests can say."""

import time
from datetime import UTC, date, datetime


def now() -> datetime:
    """The present instant, UTC."""
    return datetime.now(UTC)


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def today() -> date:
    """The UTC day it is."""
    return now().date()
