"""How late listens arrive: the days of one show, each as it filled up. Pure.

A lag is the time from a day's first instant (UTC) to the receipt, in hours: at 24 the day itself is over.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.columns import day_number

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

REFERENCE_DAYS = 56
"""Days before today that tell how listens arrive: 8 weeks, so that each weekday is there eight times."""

MIN_REFERENCES = 10
"""With fewer days to compare with, on which anything was heard, nothing is said."""

MIN_WATCHED_HOURS = 7 * 24
"""So old must the days be that are enough: what comes after a week's end is not known before."""

HOURLY_LAGS = 72
"""Up to here arrivals are kept by the hour, later ones by the day."""

NEARLY_ALL = 0.9995
"""Where a distribution of lags is cut."""

EDGES: Floats = np.array([*range(HOURLY_LAGS), *range(HOURLY_LAGS, (REFERENCE_DAYS + 2) * 24, 24)], dtype=float)
"""The lags between which arrivals are counted; as `show_arrival` cuts them."""


class Arrival(NamedTuple):
    """Listens of a day that arrived in one stretch of lags; as in `show_arrival`."""

    day: int
    """As days since 1970-01-01: there are thousands of these, and dates would cost more than to read them."""
    lag_hours: int
    listens: int


@dataclass(frozen=True, slots=True)
class Watched:
    """The days of a show that were watched from their first instant on, today last, and how each filled up."""

    numbers: NDArray[np.int64]
    """Days since 1970-01-01, one after the other without a gap."""
    ages: Floats
    """Hours since each began."""
    filled: Floats
    """(days x edges) listens that had arrived when the day was so old; good up to its age."""
    arrived: Floats
    """Listens that have arrived by now."""

    @property
    def is_enough(self) -> bool:
        """Whether it tells how listens arrive."""
        return int(((self.ages >= MIN_WATCHED_HOURS) & (self.arrived > 0)).sum()) >= MIN_REFERENCES

    def at(self, age: float) -> Floats:
        """Listens of each day that had arrived when it was so old; between two edges in proportion."""
        place = float(np.interp(age, EDGES, np.arange(len(EDGES))))
        edge = min(int(place), len(EDGES) - 2)
        return self.filled[:, edge] + (place - edge) * (self.filled[:, edge + 1] - self.filled[:, edge])

    def is_older(self, age: float) -> Flags:
        """Which days are past the edge that follows this age, so that `at` is right for them."""
        following = float(EDGES[min(int(np.searchsorted(EDGES, age)), len(EDGES) - 1)])
        return np.greater_equal(self.ages, following)


def watch(arrivals: Iterable[Arrival], now: datetime) -> Watched:
    """Put a show's arrivals side by side.

    Days that began before anything had been received are left out: a show that moved here brings a past that arrived
    all at once, which says nothing of how listens come in.
    """
    today = day_number(now.astimezone(UTC).date())
    days, lags, listens = np.array(list(arrivals), dtype=np.int64).reshape(-1, 3).T
    begin = int((days + lags // 24 + 1).min(initial=today))
    first = max(begin, today - REFERENCE_DAYS)
    numbers = np.arange(first, today + 1)
    cells = np.zeros((len(numbers), len(EDGES)))
    kept = (first <= days) & (days <= today)
    edges = np.clip(np.searchsorted(EDGES, lags[kept], "right") - 1, 0, len(EDGES) - 1)
    np.add.at(cells, (days[kept] - first, edges), listens[kept])
    # What a replaced recording takes back can be more than what is seen of the day.
    sums = np.maximum(cells.cumsum(axis=1), 0)
    filled = np.hstack([np.zeros((len(numbers), 1)), sums[:, :-1]])
    return Watched(numbers, np.array([age_hours(int(number), now) for number in numbers]), filled, sums[:, -1])


def age_hours(number: int, now: datetime) -> float:
    """Hours since a day began, given as days since 1970-01-01; negative before it does."""
    return now.timestamp() / 3600 - number * 24


def develop(watched: Watched) -> Floats:
    """The share of a day's final listens that has arrived at each of `EDGES`, over all watched days.

    The chain-ladder method of insurers: from edge to edge the growth of all days that are past both, multiplied up. So
    days that still grow tell of the hours they have seen. Growth beyond the oldest day's age is taken for none.
    """
    curve = np.ones(len(EDGES))
    for edge in range(len(EDGES) - 2, -1, -1):
        past = watched.ages >= EDGES[edge + 1]
        before, after = watched.filled[past, edge].sum(), watched.filled[past, edge + 1].sum()
        curve[edge] = curve[edge + 1] * (min(before / after, 1.0) if after > 0 else 1.0)
    return curve


@dataclass(frozen=True, slots=True)
class Distribution:
    """How late a show's listens arrive."""

    days: int
    """Watched days before today that it is taken from."""
    listens: int
    """Theirs, that have arrived."""
    curve: Floats
    """Share of a day's final listens that has arrived at each of `EDGES`."""

    def lag_of(self, share: float) -> float:
        """The lag in hours at which this share of a day's final listens has arrived."""
        # A hair less: 0.9 as a product of growths may come out just below 0.9.
        edge = int(np.searchsorted(self.curve, share - 1e-9))
        if edge == 0:
            return float(EDGES[0])
        return float(np.interp(share, self.curve[edge - 1 : edge + 1], EDGES[edge - 1 : edge + 1]))

    def points(self) -> list[tuple[int, float]]:
        """(lag in hours, share arrived by then): by the hour, then by the day, to where next to nothing is left."""
        last = max(HOURLY_LAGS, int(np.searchsorted(self.curve, NEARLY_ALL)))
        return [(int(lag), float(share)) for lag, share in zip(EDGES[: last + 1], self.curve[: last + 1], strict=True)]


def distribute(arrivals: Iterable[Arrival], now: datetime) -> Distribution | None:
    """The arrival lag of a show's last 8 weeks; None when they were not watched long enough to tell."""
    watched = watch(arrivals, now)
    if not watched.is_enough:
        return None
    return Distribution(len(watched.numbers) - 1, round(float(watched.arrived.sum())), develop(watched))
