"""Retention: from the rollup `episode_heard` to curves, and to the parts that stand out; docs/metrics.md#retention.

Pure functions over NumPy arrays with one number for each whole second of a recording.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.counting import HEARD_CHUNK_SECONDS
from models.metrics import COMPLETION_SHARE_PERCENT

Counts = NDArray[np.int64]
"""Playbacks, for each second."""
Numbers = NDArray[np.float64]

WIDTHS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Seconds that a person would choose as the width of a bucket."""

WINDOWS = 180
"""Stretches that stand out are searched in at most so many windows of equal width."""
WINDOW_SECONDS = 5
"""A window's least width: nobody's finger is more exact."""
DEVIATIONS = 3
"""A window stands out from this many standard deviations above the usual one on; counts scatter by their root."""
LEAST_IN_WINDOW = 3
LEAST_IN_STRETCH = 5
"""Playbacks: fewer say nothing, however few there are in all."""
LEAST_SHARE = 0.02
"""Of all playbacks: what a stretch must come to before it is worth a look."""
MOST_STRETCHES = 5

TYPICAL_EPISODES = 20
"""A show's typical curve is that of its last so many episodes."""
TYPICAL_LEAST_EPISODES = 3
"""Of fewer episodes no average is called typical."""
TYPICAL_LEAST_PLAYBACKS = 20
"""What an episode needs to be among them."""


@dataclass(frozen=True, slots=True, eq=False)
class PerSecond:
    """How many playbacks did what with each second; `heard + skipped` are those that had begun and not yet ended."""

    heard: Counts
    skipped: Counts
    replayed: Counts
    """Heard more than once; these are in `heard` too."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Of another episode: how many playbacks heard each second, and how many there were."""

    heard: Counts
    playbacks: int


@dataclass(frozen=True, slots=True, eq=False)
class Retention:
    """All that is known of one episode's retention, over all days."""

    playbacks: int
    """The episode's starts."""
    seconds: PerSecond
    others: list[Curve]
    """Those that a typical curve is made of; fewer than `TYPICAL_LEAST_EPISODES` make none."""

    @property
    def duration_seconds(self) -> int:
        """Whole seconds of the recording, 0 without one."""
        return len(self.seconds.heard)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds `[from_second, to_second)` that stand out."""

    from_second: int
    to_second: int
    playbacks: float
    """How many left there in all; or how many skipped, or replayed, a second of it on average."""
    share: float
    """The same, of all playbacks."""


def decode(chunks: Iterable[tuple[int, bytes]], duration_seconds: int) -> Counts:
    """Playbacks per second from a column of `episode_heard`: (chunk, differences); a chunk without a row has none."""
    changes = np.zeros(-(-duration_seconds // HEARD_CHUNK_SECONDS) * HEARD_CHUNK_SECONDS, dtype=np.int64)
    for chunk, packed in chunks:
        first = chunk * HEARD_CHUNK_SECONDS
        if first < len(changes):  # a longer recording was here before, and is not recounted yet
            changes[first : first + HEARD_CHUNK_SECONDS] = np.frombuffer(packed, dtype="<i4")
    return changes.cumsum()[:duration_seconds]


# -- buckets -------------------------------------------------------------------------------------------------------


def choose_width(duration_seconds: int, most: int) -> int:
    """The narrowest of `WIDTHS` that cuts the recording into at most so many buckets, or else the widest."""
    return next((width for width in WIDTHS if width * most >= duration_seconds), WIDTHS[-1])


def edges(duration_seconds: int, width: int) -> Counts:
    """Where each bucket begins, and where the last one ends; that one may be shorter than `width`."""
    return np.append(np.arange(0, duration_seconds, width), duration_seconds)


def means(counts: Counts, width: int) -> Numbers:
    """The mean over the seconds of each bucket, so that mean times seconds is the bucket's sum."""
    if not len(counts):
        return np.zeros(0)
    cuts = edges(len(counts), width)
    return np.add.reduceat(counts, cuts[:-1]) / np.diff(cuts)


def typical(others: Sequence[Curve], duration_seconds: int, width: int) -> Numbers | None:
    """The share of playbacks that hear each bucket in the show's other episodes, or None when those are too few.

    Episodes differ in length, so each one is cut at the same shares of its own length as this one is; the average is
    over episodes, so that one hit does not drown the rest.
    """
    if len(others) < TYPICAL_LEAST_EPISODES or not duration_seconds:
        return None
    cuts = edges(duration_seconds, width) / duration_seconds
    average: Numbers = np.mean([_resampled(curve, cuts) for curve in others], axis=0)
    return average


def _resampled(curve: Curve, cuts: Numbers) -> Numbers:
    # Through the running sum: a cut in the middle of a second gives each side its part of it.
    seconds = len(curve.heard)
    sums = np.concatenate(([0], np.cumsum(curve.heard)))
    at_cuts = np.interp(cuts * seconds, np.arange(seconds + 1), sums)
    return np.diff(at_cuts) / (np.diff(cuts) * seconds * curve.playbacks)


# -- what stands out -----------------------------------------------------------------------------------------------


def drop_offs(seconds: PerSecond, playbacks: int) -> list[Stretch]:
    """Where many leave and do not come back, the greatest loss first.

    A loss is a fall of `heard + skipped`, those who begin there set off against it. The end is not searched: whoever
    leaves after the share of the recording that makes a completion has heard it.
    """
    spanned = seconds.heard + seconds.skipped
    last = len(spanned) * COMPLETION_SHARE_PERCENT // 100
    if not last:
        return []
    width = _window(len(spanned))
    cuts = edges(last, width)
    # Whoever left in second s was last there in the second before it; nobody has left before the first.
    before = spanned[np.maximum(cuts - 1, 0)]
    lost = before[:-1] - before[1:]
    found = [(first, end, float(lost[first:end].sum())) for first, end in _runs(lost.astype(float))]
    return _greatest(found, cuts, playbacks)


def parts(counts: Counts, playbacks: int) -> list[Stretch]:
    """Where many skip, or replay, at a time: stretches of `seconds.skipped` or `seconds.replayed`, greatest first."""
    if not len(counts):
        return []
    width = _window(len(counts))
    cuts, levels = edges(len(counts), width), means(counts, width)
    found = [
        (first, end, float(counts[cuts[first] : cuts[end]].sum() / (cuts[end] - cuts[first])))
        for first, end in _runs(levels)
    ]
    return _greatest(found, cuts, playbacks)


def _window(duration_seconds: int) -> int:
    return max(WINDOW_SECONDS, choose_width(duration_seconds, WINDOWS))


def _runs(windows: Numbers) -> list[tuple[int, int]]:
    """Runs `[first, end)` of windows that stand out; those with one other window between them are one run."""
    usual = float(np.median(windows.clip(0)))
    stands_out = windows >= max(LEAST_IN_WINDOW, usual + DEVIATIONS * usual**0.5)
    places = np.flatnonzero(stands_out)
    breaks = np.flatnonzero(np.diff(places) > 2) + 1
    return [(int(run[0]), int(run[-1]) + 1) for run in np.split(places, breaks) if len(run)]


def _greatest(found: list[tuple[int, int, float]], cuts: Counts, playbacks: int) -> list[Stretch]:
    least = max(LEAST_IN_STRETCH, LEAST_SHARE * playbacks)
    stretches = [
        Stretch(int(cuts[first]), int(cuts[end]), amount, amount / playbacks)
        for first, end, amount in found
        if playbacks and amount >= least
    ]
    return sorted(stretches, key=lambda stretch: -stretch.playbacks)[:MOST_STRETCHES]
