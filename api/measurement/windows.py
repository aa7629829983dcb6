"""Puts hits of one consumer on one episode together: windows, the bytes that each window brought, and what counts.

Everything is a function of the set of hits: of no order in which they came, and of no batch they came in.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.hits.traits import Trait
from api.measurement.entries import Entries, chosen_entries
from api.measurement.rules import CODE, ELIGIBLE, Codes, judge_alone
from models.columns import DAY_MS
from models.downloads import DOWNLOAD

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
CALENDAR, FIRST_TOUCH, LAST_TOUCH = "calendar", "first_touch", "last_touch"
WINDOW_MS = DAY_MS
_FAR = 1 << 33
"""Beyond any position in a file."""


@dataclass(frozen=True, slots=True)
class Versions:
    """What hits must bring, by the id of the audio version; ids in ascending order."""

    ids: Ints
    sizes: Ints
    thresholds: Ints

    def places(self, ids: NDArray[Any]) -> Ints:
        """Where these ids are; all must be known."""
        return np.searchsorted(self.ids, ids)


@dataclass(frozen=True, slots=True)
class KeyDays:
    """The rows that hits belong to: one consumer, one episode, one UTC day."""

    day: Ints
    chain: Ints
    """The same number for all days of one consumer on one episode, under one key of the consumer hash."""
    is_excess: Bools
    """Whether the address asked for more than its cap on that day."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of hits, and why; a place per hit."""

    codes: Codes
    """Of `rules.OUTCOMES`."""
    window: Ints
    """A number for the hits that were put together, -1 for those that a rule stopped before."""
    reached: Ints
    """Bytes of one version of the file that the window brought, of that which came furthest; 0 outside of windows."""
    needed: Ints
    """Bytes that the window would have to bring of that version; 0 when nobody can say."""


def judge(entries: Entries, rows: Ints, days: KeyDays, window: str, versions: Versions) -> Judgement:
    """Judge hits. Entries sorted by row, then by time."""
    codes = judge_alone(entries["method"], entries["status"], entries["traits"])
    is_included = (entries["traits"] & int(Trait.INCLUDED)) != 0
    codes[(codes == ELIGIBLE) & days.is_excess[rows] & ~is_included] = CODE["excess"]
    chosen = np.flatnonzero(codes == ELIGIBLE)
    found = Judgement(codes, np.full(len(codes), -1), *(np.zeros(len(codes), np.int64) for _ in range(2)))
    if not len(chosen):
        return found
    some = chosen_entries(entries, chosen)
    order, windows = _windows(some, rows[chosen], days, window)
    chosen = chosen[order]
    reached, needed = _reach(some[order], windows, versions)
    found.window[chosen], found.reached[chosen], found.needed[chosen] = windows, reached[windows], needed[windows]
    is_first = np.r_[True, windows[1:] != windows[:-1]]
    codes[chosen] = np.where(is_first, CODE[DOWNLOAD], CODE["duplicate"])
    codes[chosen[~is_enough(reached, needed)[windows]]] = CODE["short"]
    return found


def is_enough(reached: Any, needed: Any) -> Any:
    """Whether so many bytes make a download; never when it is not known how many it takes."""
    return (needed > 0) & (reached >= needed)


def _windows(entries: Entries, rows: Ints, days: KeyDays, window: str) -> tuple[Ints | slice, Ints]:
    """An order of the entries by window and time, and the window of each in that order, from 0 on."""
    if window == CALENDAR:
        return slice(None), _numbered(rows)
    at_ms = days.day[rows] * DAY_MS + entries["at"]
    chain = days.chain[rows]
    # The last key keeps hits of one moment in the order of their entries.
    order = np.lexsort((at_ms, chain))
    at_ms, chain = at_ms[order], chain[order]
    begins = np.r_[True, (chain[1:] != chain[:-1]) | (np.diff(at_ms) >= WINDOW_MS)]
    if window == FIRST_TOUCH:
        _cut_long(begins, at_ms)
    return order, np.cumsum(begins) - 1


def _numbered(values: Ints) -> Ints:
    """Sorted values as 0, 1, 2, ..."""
    return np.cumsum(np.r_[True, values[1:] != values[:-1]]) - 1


def _cut_long(begins: Bools, at_ms: Ints) -> None:
    """Begin a new window wherever one has lasted its time. Only stretches longer than a window are walked through."""
    starts = np.flatnonzero(begins)
    ends = np.r_[starts[1:], len(at_ms)]
    for start, end in zip(starts, ends, strict=True):
        while at_ms[end - 1] - at_ms[start] >= WINDOW_MS:
            start += np.searchsorted(at_ms[start:end], at_ms[start] + WINDOW_MS)  # noqa: PLW2901 - the walk itself
            begins[start] = True


def _reach(entries: Entries, windows: Ints, versions: Versions) -> tuple[Ints, Ints]:
    """Per window the bytes reached and needed, of the version of the file that it is nearest to having enough of."""
    file = windows * len(versions.ids) + versions.places(entries["version"])
    """Window and version."""
    order = _by_file(file, entries["first"])
    file, entries = file[order], chosen_entries(entries, order)
    begins = np.r_[True, file[1:] != file[:-1]]
    starts = np.flatnonzero(begins)
    of_window, place = np.divmod(file[starts], len(versions.ids))
    sizes, needed = versions.sizes[place], versions.thresholds[place]
    total = np.add.reduceat(_added(entries, begins), starts)
    total = np.where(sizes > 0, np.minimum(total, sizes), total)
    if len(of_window) == of_window[-1] + 1:
        return total, needed
    # Of several versions one that is enough, else any; the last of a window stands.
    order = np.lexsort((total, is_enough(total, needed), of_window))
    last = np.r_[of_window[order][1:] != of_window[order][:-1], True]
    return total[order[last]], needed[order[last]]


def _by_file(file: Ints, first: NDArray[Any]) -> Ints:
    """The order by file, then by the part's beginning."""
    if file.max() >= _FAR >> 3:
        return np.lexsort((first, file))
    return np.argsort(file << 32 | first)


def _added(entries: Entries, begins: Bools) -> Ints:
    """Bytes that each entry adds to those before it in its group; a part of unknown place adds all of its bytes."""
    group = np.cumsum(begins) * _FAR
    is_placed = (entries["traits"] & int(Trait.BYTES_ONLY)) == 0
    first = entries["first"] + group
    end = np.where(is_placed, entries["end"] + group, group)
    reached = np.maximum.accumulate(end)
    before = np.maximum(np.r_[0, reached[:-1]], group)
    union = np.maximum(end - np.maximum(first, before), 0)
    return np.where(is_placed, union, entries["end"].astype(np.int64))
