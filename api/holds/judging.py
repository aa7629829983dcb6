"""What the rules are made of: pure functions of numbers."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import NamedTuple

from models.queries.hold_findings import Heard

_SIGMA = 1.4826
"""Times the median absolute deviation: the standard deviation, where things are normal."""
_LONG_AFTER = 7
"""Days since a release from which on days are all alike."""
WITHOUT_REGISTRATION = datetime.min.replace(tzinfo=UTC)
"""For devices of podcast apps' accounts: they count as older than all others."""


class Usual(NamedTuple):
    """What a day of its kind has had before."""

    middle: float
    """Their median, or the last of them where that was more."""
    spread: float
    """Robust standard deviation."""
    days: int
    """How many such days there were."""
    kind: str
    """`release+0` to `release+6`, or `later`."""


def crowded(registered: Sequence[tuple[datetime, bytes]], devices: int, minutes: int) -> set[bytes]:
    """Of devices in order of registration, those of which more than `devices` registered within so many minutes."""
    width, first = timedelta(minutes=minutes), 0
    found: set[bytes] = set()
    marked = 0
    for last, (at, _) in enumerate(registered):
        while at - registered[first][0] >= width:
            first += 1
        if last - first + 1 > devices:
            found.update(device for _, device in registered[max(first, marked) : last + 1])
            marked = last + 1
    return found


def days_since_release(releases: Sequence[int], day: int) -> str:
    """The kind of a day: how many days ago the show's last release was; `releases` in order."""
    place = bisect_right(releases, day)
    age = day - releases[place - 1] if place else _LONG_AFTER
    return f"release+{age}" if age < _LONG_AFTER else "later"


def usual(counts: Mapping[int, int], releases: Sequence[int], day: int, days: int, least_days: int) -> Usual | None:
    """What the days before had that are of this day's kind; None where there are too few of them to say.

    A day without a row had nothing. Days before the show's first count are no days of it.
    """
    first = max(min(counts, default=day), day - days)
    kind = days_since_release(releases, day)
    alike = [counts.get(other, 0) for other in range(first, day) if days_since_release(releases, other) == kind]
    if len(alike) < least_days:
        return None
    middle = median(alike)
    spread = _SIGMA * median(abs(value - middle) for value in alike)
    # A show that grows has left its median behind; where it got to with its last such day is usual, too.
    return Usual(max(middle, alike[-1]), spread, len(alike), kind)


def is_spike(count: int, normal: Usual, *, deviations: int, times: int, more: int) -> bool:
    """Whether a day stands out by all three: by its spread, as a multiple, and in plain numbers."""
    excess = count - normal.middle
    return excess > deviations * normal.spread and count > times * normal.middle and excess > more


def newest(heard: Iterable[Heard], number: int) -> tuple[tuple[int, bytes], ...]:
    """(episode_id, device) of the playbacks whose devices registered last, so many of them.

    Who has listened for longer is spared: what is too much came with the newcomers.
    """

    def age(found: Heard) -> tuple[datetime, bytes, int]:
        return found.created_at or WITHOUT_REGISTRATION, found.device, found.episode_id

    ranked = sorted(heard, key=age, reverse=True)
    return tuple((found.episode_id, found.device) for found in ranked[: max(0, number)])
