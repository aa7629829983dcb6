"""Tells equal lines of one file apart: the second is another request, the same line in a second file is not."""

import numpy as np
from numpy.typing import NDArray

REMEMBERED = 1_000_000
"""Lines at least that are remembered. Equal lines have the same time, so in a log they are close to each other."""


class Repeats:
    """Counts how often a line's like came before in the file. What it takes does not grow with the file."""

    def __init__(self) -> None:
        self._recent: dict[int, int] = {}
        self._older: dict[int, int] = {}

    def count(self, likeness: NDArray[np.uint64]) -> NDArray[np.int64]:
        """For each line, in the order of the file, how many before it had the same number."""
        values, inverse, counts = np.unique(likeness, return_inverse=True, return_counts=True)
        keys = values.tolist()
        before = np.fromiter(map(self._before, keys), np.int64, len(keys))
        self._recent.update(zip(keys, (before + counts).tolist(), strict=True))
        if len(self._recent) > REMEMBERED:
            self._older, self._recent = self._recent, {}
        order = np.argsort(inverse, kind="stable")
        first = np.cumsum(counts) - counts
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order)) - first[inverse[order]]
        return before[inverse] + place

    def _before(self, value: int) -> int:
        found = self._recent.get(value)
        return self._older.get(value, 0) if found is None else found
