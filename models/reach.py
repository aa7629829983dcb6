"""Reach: how many different devices there are in any set of days and shows, from sketches that can be united.

Each cell (a show's day, a campaign's day in a show, or a month of either) has two sketches of Apache DataSketches over
the same numbers: HyperLogLog, small and quick to unite, and theta, which can be intersected and is exact while it is
small. What is stored is a function of the set of devices alone: neither the order in which they came nor how the cells
were united shows in the bytes. docs/reach.md has the sizes and why.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from datasketches import (
    compact_theta_sketch,
    hll_sketch,
    hll_union,
    tgt_hll_type,
    theta_a_not_b,
    theta_intersection,
    theta_union,
    update_theta_sketch,
)

LG_K = 11
"""Of both sketches. Measured: with 12, a curve of 365 days over 50 shows reads and unites twice as many bytes."""
EXACT_UP_TO = 1 << LG_K
"""Devices that a theta sketch holds one by one."""
ITEM_BYTES = 8
"""Of a device's id that go into the sketches, as a signed little-endian number. Spark writes the same."""

Theta: TypeAlias = compact_theta_sketch

_DENSE = tgt_hll_type.HLL_8
_MODE_BYTE, _MODES, _DENSE_MODE, _LIST_MODE = 7, 0b11, 2, 0
_LIST_HEADER, _SET_HEADER = 8, 12


class Sketches(NamedTuple):
    """A cell's devices."""

    hll: bytes
    """Compact HLL_8 sketch; empty for no device."""
    theta: bytes
    """Compact theta sketch, in order, of the smallest hashes; empty for no device."""


NOTHING = Sketches(b"", b"")


class Number(NamedTuple):
    """How many devices, and from where to where it may be: the range holds at least 19 times of 20."""

    value: int
    low: int
    high: int
    is_exact: bool

    @property
    def relative_error(self) -> float:
        """How far the range goes from the value, as a share of it; 0 when exact."""
        if self.is_exact:
            return 0.0
        return max(self.high - self.value, self.value - self.low) / max(self.value, 1)


def exactly(count: int) -> Number:
    """A number that was counted."""
    return Number(count, count, count, is_exact=True)


def item_of(device: bytes) -> int:
    """What of a device's id goes into the sketches: ids are random, so their first eight bytes tell them apart."""
    return int.from_bytes(device[:ITEM_BYTES], "little", signed=True)


# -- cells ---------------------------------------------------------------------------------------------------------


def add(stored: Sketches, items: Iterable[int]) -> Sketches:
    """The cell with these devices in it too."""
    fresh = update_theta_sketch(LG_K)
    hll = hll_sketch.deserialize(stored.hll) if stored.hll else hll_sketch(LG_K, _DENSE)
    for item in items:
        fresh.update(item)
        hll.update(item)
    united = theta_union(LG_K)
    if stored.theta:
        united.update(compact_theta_sketch.deserialize(stored.theta))
    united.update(fresh)
    return Sketches(_hll_bytes(hll), _theta_bytes(united))


def merge(cells: Iterable[Sketches]) -> Sketches:
    """The devices of any of these cells, whichever machines they were made on."""
    hlls, thetas = hll_union(LG_K), theta_union(LG_K)
    for cell in cells:
        if cell.hll:
            hlls.update(hll_sketch.deserialize(cell.hll))
        if cell.theta:
            thetas.update(compact_theta_sketch.deserialize(cell.theta))
    return Sketches(_hll_bytes(hlls.get_result(_DENSE)), _theta_bytes(thetas))


def _theta_bytes(united: theta_union) -> bytes:
    # The result of a union has the smallest hashes, in order, and no more than fit: the same bytes for the same set.
    result = united.get_result(True)
    return b"" if result.is_empty() else bytes(result.serialize())


def _hll_bytes(sketch: hll_sketch) -> bytes:
    """The one form that is stored for a set of devices."""
    if sketch.is_empty():
        return b""
    # United with itself it loses the estimate that is kept while items come, which depends on their order.
    united = hll_union(LG_K)
    united.update(sketch)
    united.update(sketch)
    stored = bytes(united.get_result(_DENSE).serialize_compact())
    mode = stored[_MODE_BYTE] & _MODES
    if mode == _DENSE_MODE:
        return stored
    # Few devices are kept one by one, in whichever order they came to lie.
    size = _LIST_HEADER if mode == _LIST_MODE else _SET_HEADER
    return stored[:size] + np.sort(np.frombuffer(stored, "<u4", offset=size)).tobytes()


# -- numbers -------------------------------------------------------------------------------------------------------


def unite(thetas: Iterable[bytes], share: float = 1.0) -> Theta:
    """The devices of any of these cells; `share`: only those in a fixed sample of so many of all devices."""
    united = theta_union(LG_K, share)
    for stored in thetas:
        if stored:
            united.update(compact_theta_sketch.deserialize(stored))
    return united.get_result(True)


def both(left: Theta, right: Theta) -> Theta:
    """The devices of both."""
    intersection = theta_intersection()
    intersection.update(left)
    intersection.update(right)
    return intersection.get_result(False)


def only(left: Theta, right: Theta) -> Theta:
    """The devices of the first that are not in the second."""
    return theta_a_not_b().compute(left, right)


def count(theta: Theta) -> Number:
    """How many devices."""
    return _number(theta, is_exact=not theta.is_estimation_mode())


def count_hlls(hlls: Iterable[bytes]) -> Number:
    """How many devices are in any of these cells."""
    return curve([hlls])[0]


def curve(steps: Sequence[Iterable[bytes]]) -> list[Number]:
    """How many devices are in any cell of the steps so far, after each step."""
    united = hll_union(LG_K)
    numbers = []
    for hlls in steps:
        for stored in hlls:
            if stored:
                united.update(hll_sketch.deserialize(stored))
        numbers.append(_number(united, is_exact=united.is_empty()))
    return numbers


def overlap(thetas: Sequence[Theta]) -> list[list[Number]]:
    """How many devices each two have in common; on the diagonal, how many each has."""
    matrix = [[count(theta)] * len(thetas) for theta in thetas]
    for row, left in enumerate(thetas):
        for column in range(row):
            matrix[row][column] = matrix[column][row] = count(both(left, thetas[column]))
    return matrix


def _number(found: Theta | hll_union, *, is_exact: bool) -> Number:
    value = round(found.get_estimate())
    if is_exact:
        return exactly(value)
    # Half-way between the library's bounds of two and of three standard deviations: those of two hold 19 times of 20
    # by theory, and so miss more often than that in one set of a hundred trials of two.
    low = (found.get_lower_bound(2) + found.get_lower_bound(3)) / 2
    high = (found.get_upper_bound(2) + found.get_upper_bound(3)) / 2
    return Number(value, min(math.floor(low), value), max(math.ceil(high), value), is_exact=False)
