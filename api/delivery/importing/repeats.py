"""Tells equal lines of one file apart: the second is another request, the same line in a second file is not."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

REMEMBERED = 1_000_000
"""Lines at least that are remembered. Equal lines have the same time, so in a log they are close to each other."""
MOST_OVERLAPPING = 4
"""Stretches of one time that are looked through one by one; more become one."""

Likeness = NDArray[np.uint64]
Ints = NDArray[np.int64]


class _Stretch(NamedTuple):
    """Lines that came one behind the other."""

    first_ms: int
    last_ms: int
    values: Likeness
    """In ascending order."""
    counts: Ints
    """How often each was there up to the stretch's end."""

    @classmethod
    def joined(cls, parts: list["_Stretch"]) -> Self:
        """Several as one."""
        values = np.concatenate([part.values for part in parts])
        counts = np.concatenate([part.counts for part in parts])
        order = np.lexsort((counts, values))
        values, counts = values[order], counts[order]
        is_last = np.append(values[1:] != values[:-1], True)
        span = min(part.first_ms for part in parts), max(part.last_ms for part in parts)
        return cls(*span, values[is_last], counts[is_last])

    def find(self, values: Likeness) -> Ints:
        """How often each of these was there."""
        place = np.minimum(np.searchsorted(self.values, values), len(self.values) - 1)
        return np.where(self.values[place] == values, self.counts[place], 0)


class Repeats:
    """Counts how often a line's like came before in the file. What it takes does not grow with the file."""

    def __init__(self) -> None:
        self._stretches: list[_Stretch] = []

    def count(self, likeness: Likeness, at_ms: Ints) -> Ints:
        """For each line, in the order of the file, how many before it had the same number; `at_ms` must be part of what
        the numbers say."""
        if not len(likeness):
            return np.zeros(0, np.int64)
        order = np.argsort(likeness, kind="stable")
        ordered = likeness[order]
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        counts = np.diff(starts, append=len(order))
        values, span = ordered[starts], (int(at_ms.min()), int(at_ms.max()))
        before = np.zeros(len(values), np.int64)
        for stretch in self._of_time(*span):
            before = np.maximum(before, stretch.find(values))
        self._remember(_Stretch(*span, values, before + counts))
        found = np.empty(len(order), np.int64)
        found[order] = np.arange(len(order)) + np.repeat(before - starts, counts)
        return found

    def _of_time(self, first_ms: int, last_ms: int) -> list[_Stretch]:
        """Those that may have lines of this time."""
        found = [part for part in self._stretches if part.last_ms >= first_ms and part.first_ms <= last_ms]
        small = [part for part in found if len(part.values) < REMEMBERED // MOST_OVERLAPPING]
        if len(small) <= MOST_OVERLAPPING:
            return found
        # A log in no order of time.
        is_small = set(map(id, small))
        self._stretches = [part for part in self._stretches if id(part) not in is_small]
        self._stretches.append(_Stretch.joined(small))
        return [*(part for part in found if id(part) not in is_small), self._stretches[-1]]

    def _remember(self, stretch: _Stretch) -> None:
        self._stretches.append(stretch)
        lines = sum(len(part.values) for part in self._stretches)
        while lines - len(self._stretches[0].values) >= REMEMBERED:
            lines -= len(self._stretches.pop(0).values)
