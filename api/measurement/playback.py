"""Counting rules for playbacks: pure functions of values; docs/metrics.md.

A coverage is a flat sorted list `[from, to, from, to, ...]` of disjoint, non-touching ranges of whole seconds.
"""

from bisect import bisect_left, bisect_right
from typing import Any, NamedTuple

from models.coverage import heard_seconds, is_listen, pack_coverage, unpack_coverage
from models.metrics import COMPLETION_SHARE_PERCENT


class Counts(NamedTuple):
    """What one playback adds to a rollup row; the order is that of `models.queries.folding.EPISODE_DAY`."""

    starts: int
    listens: int
    offline_listens: int
    completions: int
    heard_seconds: int


NOTHING = Counts(0, 0, 0, 0, 0)


class Playback:
    """All that one device heard of one episode on one UTC day, being folded."""

    __slots__ = (
        "coverage",
        "first_at_ms",
        "ids",
        "is_offline",
        "is_start",
        "last_at_ms",
        "repeats",
        "settled",
        "stored",
        "wall_ms",
        "was_offline",
    )

    def __init__(self) -> None:
        self.ids: dict[bytes, None] = {}
        """First 8 bytes of each event's id, in order of arrival."""
        self.coverage: list[int] = []
        self.repeats: list[int] = []
        """Seconds that more than one span covered, in the form of `coverage`."""
        self.wall_ms = 0
        self.first_at_ms = 0
        self.last_at_ms = 0
        self.is_start = False
        self.is_offline = False
        self.settled = NOTHING
        """What the rollups hold of it already."""
        self.stored: tuple[bytes, bytes] = (b"", b"")
        """Coverage and repeats as they are in the store."""
        self.was_offline = False
        """`is_offline` as it is in the store."""

    def add(
        self, event_id: bytes, kind: str, at_ms: int, from_ms: int, to_ms: int, wall_ms: int, offline: bool
    ) -> None:
        """Fold an event that is no duplicate. Every step is a union, a sum, a min or a max, so order cannot matter."""
        if at_ms > self.last_at_ms:  # noqa: PLR1730 - once an event, and a call costs more than a comparison
            self.last_at_ms = at_ms
        if at_ms < self.first_at_ms or not self.ids:
            self.first_at_ms = at_ms
        self.ids[event_id] = None
        self.wall_ms += wall_ms
        if kind == "download":
            return
        self.is_start = True
        if to_ms > from_ms:
            self.is_offline = self.is_offline or offline
            first, end = from_ms // 1000, to_ms // 1000
            if self.coverage and first < self.coverage[-1]:
                for again_from, again_to in overlaps(self.coverage, first, end):
                    cover(self.repeats, again_from, again_to)
            cover(self.coverage, first, end)


def cover(coverage: list[int], first: int, end: int) -> None:
    """Make `coverage` its union with the seconds `[first, end)`."""
    if first >= end:
        return
    if not coverage or first > coverage[-1]:
        coverage += (first, end)
        return
    if first >= coverage[-2]:  # nearly always: playing on from where the last span ended
        coverage[-1] = max(coverage[-1], end)
        return
    # An odd place lies inside a range, an even one between two; touching ranges become one.
    left, right = bisect_left(coverage, first), bisect_right(coverage, end)
    coverage[left:right] = [first] * (left % 2 == 0) + [end] * (right % 2 == 0)


def overlaps(coverage: list[int], first: int, end: int) -> list[tuple[int, int]]:
    """The parts of `[first, end)` that are covered already."""
    place = bisect_right(coverage, first) & ~1
    found = []
    while place < len(coverage) and coverage[place] < end:
        start, stop = max(first, coverage[place]), min(end, coverage[place + 1])
        if start < stop:
            found.append((start, stop))
        place += 2
    return found


def contribution(playback: Playback, duration_seconds: int) -> Counts:
    """What a playback adds to its episode and day. Rollup = sum of these, at every commit."""
    heard = heard_seconds(playback.coverage, duration_seconds)
    is_heard = is_listen(heard, duration_seconds)
    is_completion = duration_seconds > 0 and heard * 100 >= duration_seconds * COMPLETION_SHARE_PERCENT
    return Counts(
        int(playback.is_start), int(is_heard), int(is_heard and playback.is_offline), int(is_completion), heard
    )


def packed(playback: Playback) -> tuple[bytes, bytes]:
    """Coverage and repeats, as they are stored."""
    return pack_coverage(playback.coverage), pack_coverage(playback.repeats)


def to_row(key: tuple[int, bytes, int], playback: Playback) -> tuple[Any, ...]:
    """A row of `models.queries.folding.PLAYBACK`."""
    return (
        *key,
        b"".join(playback.ids),
        *packed(playback),
        playback.wall_ms,
        playback.first_at_ms,
        playback.last_at_ms,
        playback.is_start,
        playback.is_offline,
    )


def anonymous(at_ms: int, stored: tuple[bytes, bytes], wall_ms: int, is_start: bool, is_offline: bool) -> Playback:
    """What stays of a playback without its device: no ids of events, and the day for a time."""
    playback = Playback()
    playback.coverage, playback.repeats = (unpack_coverage(packed) for packed in stored)
    playback.first_at_ms = playback.last_at_ms = at_ms
    playback.wall_ms, playback.is_start, playback.is_offline = wall_ms, is_start, is_offline
    return playback


def from_row(row: tuple[Any, ...]) -> Playback:
    """The playback in a row of `models.queries.folding.PLAYBACK`."""
    playback = Playback()
    packed_ids = bytes(row[3])
    playback.ids = dict.fromkeys([packed_ids[place : place + 8] for place in range(0, len(packed_ids), 8)])
    playback.stored = bytes(row[4]), bytes(row[5])
    playback.coverage, playback.repeats = (unpack_coverage(packed) for packed in playback.stored)
    playback.wall_ms, playback.first_at_ms, playback.last_at_ms = row[6], row[7], row[8]
    playback.is_start, playback.is_offline = bool(row[9]), bool(row[10])
    playback.was_offline = playback.is_offline
    return playback
