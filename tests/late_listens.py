"""A history of listens that arrive late, made up from a seed: who streams, who commutes, who travels, and a bad day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from models.columns import day_number
from models.lags import HOURLY_LAGS, Arrival

FIRST = date(2026, 1, 1)
LAST_HOUR = 24 * 100
"""By then everything has arrived."""
WEEKDAYS = (1.1, 1.05, 1.0, 1.0, 0.95, 0.7, 0.75)
HOURS = np.array([1, 1, 0, 0, 1, 3, 9, 14, 12, 6, 4, 4, 6, 5, 4, 4, 6, 12, 13, 9, 7, 7, 6, 3])
LAGS = [*range(HOURLY_LAGS), *range(HOURLY_LAGS, LAST_HOUR, 24)]


@dataclass(frozen=True)
class Story:
    """What is told of a show."""

    level: float
    """Listens a day."""
    growth: float = 0.0
    """A day, as a share."""
    spread: float = 0.15
    """Of the level from day to day."""
    release_weekday: int | None = None
    """When its new episodes come out and more than twice as many listen."""
    outage: tuple[int, int] | None = None
    """Hours since `FIRST` between which nothing could be received."""
    starts: int = 0
    """The show's first day, in days after `FIRST`."""


def tell(story: Story, seed: int, days: int) -> np.ndarray:
    """(days x hours) listens of each day that arrived in each hour after its beginning."""
    random = np.random.default_rng(seed)
    table = np.zeros((days, LAST_HOUR), dtype=np.int64)
    for day in range(story.starts, days):
        weekday = (FIRST + timedelta(days=day)).weekday()
        level = story.level * WEEKDAYS[weekday] * (1 + story.growth) ** day
        level *= random.lognormal(0, story.spread) * (2.2 if weekday == story.release_weekday else 1)
        hours = _arrivals(random, int(random.poisson(level)), is_weekend=weekday >= 5)
        if story.outage is not None:
            began, ended = (hour - day * 24 for hour in story.outage)
            hours = np.where((hours >= began) & (hours < ended), ended + random.random(len(hours)), hours)
        np.add.at(table[day], np.minimum(hours, LAST_HOUR - 1).astype(int), 1)
    return table


def _arrivals(random: np.random.Generator, listens: int, *, is_weekend: bool) -> np.ndarray:
    """Streamed at once, after the ride home, when the week begins again, or after a journey; no two days alike."""
    usual = [0.70, 0.08, 0.17, 0.05] if is_weekend else [0.66, 0.22, 0.08, 0.04]
    kind = random.choice(4, listens, p=random.dirichlet(np.array(usual) * 150))
    waits = [
        random.exponential(0.4, listens),
        random.uniform(2, 14, listens),
        random.uniform(12, 72, listens),
        24 * (1 + random.exponential(4, listens)),
    ]
    return random.choice(24, listens, p=HOURS / HOURS.sum()) + random.random(listens) + np.choose(kind, waits)


def as_of(table: np.ndarray, today: int, hour: int) -> Iterator[Arrival]:
    """What the store knew of the last ten weeks when it was so late on a day, given in days after `FIRST`."""
    for day in range(max(0, today - 70), today + 1):
        seen = np.where(np.arange(LAST_HOUR) < (today - day) * 24 + hour, table[day], 0)
        for lag, listens in zip(LAGS, np.add.reduceat(seen, LAGS), strict=True):
            if listens:
                yield Arrival(day_number(FIRST) + day, lag, int(listens))


def instant(today: int, hour: int) -> datetime:
    """An hour of a day, given in days after `FIRST`."""
    return datetime.combine(FIRST + timedelta(days=today), time(hour), UTC)


def arrived(table: np.ndarray, today: int, hour: int, days: range) -> dict[date, int]:
    """The listens that each of these days had by then."""
    return {FIRST + timedelta(days=day): int(table[day, : (today - day) * 24 + hour].sum()) for day in days}
