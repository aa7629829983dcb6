"""What an advertiser may see of counted devices and impressions; pure. docs/reach.md says why it holds, and its limits.

Two rules. Counts of a campaign's own are told in whole fifties, rounded down, and only along one axis each, so that any
difference of two answers is nothing or at least fifty. What is asked of freely chosen shows and days is answered from a
fixed sample, one device in fifty: whatever is asked and subtracted, fewer than fifty devices come to less than one of
the sample on the average, and to none more often than not.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from models.reach import Number

LEAST = 50
"""Devices, or impressions, in the smallest cell that is told."""
SHARE = 1 / LEAST
"""Of all devices that the sample has: one of it stands for as many as a cell must have."""
SURE = 2 * LEAST
"""The low end of a range from the sample must come to this, or it is hidden: seven devices of it. Among 49 devices are
so many of the sample in one case of ten thousand; with `LEAST` it would be one of three hundred."""
EVERYTHING = 1.0


class Cell(NamedTuple):
    """A number of devices as it is told; without a value it is hidden."""

    value: int | None
    low: int | None
    high: int | None
    is_exact: bool
    relative_error: float | None
    """How far the range goes from the value, as a share of it."""


HIDDEN = Cell(None, None, None, is_exact=False, relative_error=None)


def share_of(*, is_guarded: bool) -> float:
    """Of all devices that an answer about freely chosen shows may be made from."""
    return SHARE if is_guarded else EVERYTHING


def whole(count: int) -> int:
    """A count in whole fifties, rounded down."""
    return count // LEAST * LEAST


def tell_count(count: int, *, is_guarded: bool) -> int | None:
    """A count of a campaign's own; None where it is hidden."""
    if not is_guarded:
        return count
    return whole(count) or None


def tell_counted(number: Number, *, is_guarded: bool) -> Cell:
    """Devices of a campaign's own."""
    if not is_guarded:
        return _cell(number)
    low, high = whole(number.low), whole(number.high) + LEAST - 1
    value = whole(number.value)
    return _cell(Number(value, low, high, is_exact=False)) if value and low else HIDDEN


def tell_sampled(number: Number, *, is_guarded: bool) -> Cell:
    """Devices of freely chosen shows and days; `number` must come from the sample if it is to be guarded.

    Hidden unless there are surely as many as a cell must have: of few in the sample nobody knows how many they are.
    """
    if not is_guarded:
        return _cell(number)
    if number.low < SURE:
        return HIDDEN
    nearest = (number.value + LEAST // 2) // LEAST * LEAST
    return _cell(Number(nearest, whole(number.low), whole(number.high) + LEAST, is_exact=False))


def tell_steps(sums: Sequence[int], *, is_guarded: bool) -> list[int | None]:
    """What each step adds to sums that grow from step to step. Guarded, the sums are told in whole fifties, so a step
    of fewer comes with a later one; None stands for it."""
    told = [whole(number) if is_guarded else number for number in sums]
    steps = [after - before for before, after in zip([0, *told], told, strict=False)]
    return [step or None for step in steps] if is_guarded else list(steps)


def running(counts: Iterable[int]) -> list[int]:
    """The sums up to and with each count."""
    total = 0
    return [total := total + count for count in counts]


def _cell(number: Number) -> Cell:
    return Cell(number.value, number.low, number.high, number.is_exact, round(number.relative_error, 4))
