"""What access logs write for an instant, as Unix milliseconds."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from api.delivery.importing.texts import Raw

NO_TIME = -(1 << 62)
"""Stands for a text that is no instant."""
EARLIEST_MS = 946_684_800_000
"""2000-01-01. Before it there were no podcasts, but clocks that were never set."""

_MONTHS = {name: place for place, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())}
_LOCAL = re.compile(rb"\[?(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})\]?")
_ZONE = re.compile(rb"([+-])(\d\d)(\d\d)\]?")
_NUMBER = re.compile(rb"(\d{1,19})(?:\.(\d{1,9}))?")
_CLOCK = re.compile(rb"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LOCAL_BYTES = len("22/Nov/2026:10:00:00")
_ANY_YEAR_MS = 1 << 60
"""Farther from 1970 than any year of four digits."""


def local_ms(dates: Raw, zones: Raw) -> NDArray[np.int64]:
    """Rows of `[22/Nov/2026:10:00:00` and `+0100]`; NO_TIME where that is none."""
    at_ms = _dates_ms(dates)[dates.codes] - zones.each(_zone_ms, np.int64)
    return np.where(np.abs(at_ms) < _ANY_YEAR_MS, at_ms, NO_TIME)


def clock_ms(dates: Raw, clocks: Raw) -> NDArray[np.int64]:
    """Rows of `2026-11-22` and `10:00:00`, UTC; NO_TIME where that is none."""
    at_ms = dates.each(instant_ms, np.int64) + clocks.each(_clock_ms, np.int64)
    return np.where(np.abs(at_ms) < _ANY_YEAR_MS, at_ms, NO_TIME)


def instants_ms(instants: Raw) -> NDArray[np.int64]:
    """Rows of what `instant_ms` reads."""
    return instants.each(instant_ms, np.int64)


def instant_ms(value: bytes) -> int:
    """Of `22/Nov/2026:10:00:00 +0100`, RFC 3339, or a Unix time in s, ms, µs or ns; NO_TIME when it is none.

    Without a zone it is UTC. Below 10^11 a number is seconds, below 10^14 milliseconds, below 10^17 microseconds, each
    until the year 5138.
    """
    number = _NUMBER.fullmatch(value)
    if number:
        return _epoch_ms(int(number[1]), number[2] or b"")
    try:
        local = _LOCAL.fullmatch(value)
        if local:
            day, month, year, hour, minute, second, zone = local.groups()
            at = datetime(int(year), _MONTHS[month] + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
            at_ms = (at - _EPOCH) // _MILLISECOND - _zone_ms(zone)
            return at_ms if abs(at_ms) < _ANY_YEAR_MS else NO_TIME
        at = datetime.fromisoformat(value.decode())
    except (ValueError, KeyError):
        return NO_TIME
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND


def _epoch_ms(whole: int, fraction: bytes) -> int:
    if whole < 10**11:
        return whole * 1000 + int((fraction + b"000")[:3])
    if whole < 10**14:
        return whole
    return whole // 1000 if whole < 10**17 else whole // 10**6


def _clock_ms(clock: bytes) -> int:
    match = _CLOCK.fullmatch(clock)
    if match is None:
        return 2 * _ANY_YEAR_MS
    hour, minute, second = map(int, match.groups())
    return ((hour * 60 + minute) * 60 + second) * 1000


def _zone_ms(zone: bytes) -> int:
    """How much later the clocks show there."""
    match = _ZONE.fullmatch(zone)
    if match is None or match[2] > b"15" or match[3] > b"59":
        return 2 * _ANY_YEAR_MS
    minutes = int(match[2]) * 60 + int(match[3])
    return minutes * 60_000 * (-1 if match[1] == b"-" else 1)


def _dates_ms(dates: Raw) -> NDArray[np.int64]:
    """Of each distinct date of a server's log, as if it were UTC. All at once: there may be one for every line."""
    offsets, data = dates.offsets().astype(np.int64), dates.buffer()
    starts, ends = offsets[:-1].copy(), offsets[1:]
    if len(data):
        starts += (ends > starts) & (data[np.minimum(starts, len(data) - 1)] == ord("["))
    usual = np.flatnonzero(ends - starts == _LOCAL_BYTES)
    result = np.full(len(dates.values), NO_TIME, np.int64)
    result[usual] = _chars_ms(data[starts[usual, None] + np.arange(_LOCAL_BYTES)])
    return result


def _chars_ms(chars: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Of rows of 20 characters."""
    digits = chars.astype(np.int64) - ord("0")
    day, hour, minute, second = (digits[:, at] * 10 + digits[:, at + 1] for at in (0, 12, 15, 18))
    year = digits[:, 7:11] @ np.array([1000, 100, 10, 1])
    month = np.full(len(chars), -1)
    for name, place in _MONTHS.items():
        month[(chars[:, 3:6] == np.frombuffer(name, np.uint8)).all(axis=1)] = place
    months = ((year - 1970) * 12 + month).astype("M8[M]")
    days = months.astype("M8[D]") + (day - 1)
    numeric = digits[:, [0, 1, 7, 8, 9, 10, 12, 13, 15, 16, 18, 19]]
    exists = (
        ((numeric >= 0) & (numeric <= 9)).all(axis=1)
        & (chars[:, [2, 6, 11, 14, 17]] == np.frombuffer(b"//:::", np.uint8)).all(axis=1)
        & (year > 0)
        & (month >= 0)
        & (day > 0)
        & (days.astype("M8[M]") == months)
        & (hour < 24)
        & (minute < 60)
        & (second < 60)
    )
    seconds = ((days.astype(np.int64) * 24 + hour) * 60 + minute) * 60 + second
    return np.where(exists, seconds * 1000, NO_TIME)
