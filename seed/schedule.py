"""When people listen: hours, weekdays, the days after a release, and when the audience arrived."""

from bisect import bisect
from itertools import accumulate
from random import Random

from seed.catalogue import DAY_MS, WINDOW_DAYS

HOUR_MS = 3_600_000

WEEKDAY_HOURS = (1, 1, 0, 0, 1, 3, 9, 14, 12, 6, 4, 4, 6, 5, 4, 4, 6, 12, 13, 9, 7, 7, 6, 3)
"""Relative listening by local hour: two rides and an evening."""
WEEKEND_HOURS = (2, 1, 1, 0, 0, 1, 2, 4, 8, 11, 12, 10, 8, 7, 7, 7, 7, 7, 7, 7, 8, 8, 6, 4)
"""Later, flatter, with a long breakfast."""
WEEKEND_SHARE = 0.72
"""How much of a weekday's listening a Saturday or Sunday has."""

ZONES = ((-8, 1), (-5, 3), (-3, 1), (0, 4), (1, 6), (2, 3), (5, 1), (9, 1))
"""Hours from UTC, and how many listeners live there."""


class Curve:
    """Draws places in proportion to weights."""

    def __init__(self, weights: tuple[float, ...]) -> None:
        self._sums = list(accumulate(weights))

    def draw(self, random: Random) -> int:
        """An index into the weights."""
        return bisect(self._sums, random.random() * self._sums[-1])


_WEEKDAY = Curve(WEEKDAY_HOURS)
_WEEKEND = Curve(WEEKEND_HOURS)
_ZONE = Curve(tuple(weight for _, weight in ZONES))


def draw_zone_ms(random: Random) -> int:
    """A listener's offset from UTC, in milliseconds."""
    return ZONES[_ZONE.draw(random)][0] * HOUR_MS


def is_weekend(day: int) -> bool:
    """Whether the day, counted from Thursday 1970-01-01, is a Saturday or Sunday."""
    return (day + 3) % 7 >= 5


def draw_moment(random: Random, day: int, zone_ms: int) -> int:
    """A likely moment of a local day, in Unix milliseconds."""
    hour = (_WEEKEND if is_weekend(day) else _WEEKDAY).draw(random)
    return day * DAY_MS + hour * HOUR_MS + random.randrange(HOUR_MS) - zone_ms


def draw_hearing(random: Random, available_ms: int, zone_ms: int, patience_days: float) -> int:
    """When an episode that came out at `available_ms` is heard: mostly that day, then an ever thinner tail."""
    first_day = (available_ms + zone_ms) // DAY_MS
    while True:
        day = first_day + int(random.expovariate(1 / patience_days))
        moment = draw_moment(random, day, zone_ms)
        is_quiet = is_weekend(day) and random.random() > WEEKEND_SHARE
        if moment > available_ms and not is_quiet:
            return moment


def draw_install_day(random: Random, today: int) -> int:
    """The day, since 1970, a listener began: nearly half before the window, the others more and more often in it."""
    if random.random() < 0.45:
        return today - WINDOW_DAYS - 1 - int(random.expovariate(1 / 25))
    return today - WINDOW_DAYS + int(WINDOW_DAYS * random.random() ** 0.65)
