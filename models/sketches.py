"""How many different consumers there are, over any days and episodes, from sketches that can be united.

Apache DataSketches' theta sketches of 4,096 hashes at most: exact up to there, an estimate with bounds beyond. What is
stored, and what is told, depends on nothing but the set of numbers that went in.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

from datasketches import compact_theta_sketch, theta_union, update_theta_sketch

LG_K = 12
EXACT_UP_TO = 1 << LG_K
RELATIVE_STANDARD_ERROR = 1 / math.sqrt(EXACT_UP_TO - 1)
"""1.6 %, of an estimate; what is exact has none."""
STANDARD_DEVIATIONS = 2
"""Of the bounds: they hold 19 times of 20."""
EMPTY = b""
"""The sketch of nothing."""

_BITS = (1 << 64) - 1
_SIGN = 1 << 63


class Estimate(NamedTuple):
    """How many different numbers there are, and from where to where it may be."""

    value: int
    low: int
    high: int
    is_exact: bool


def add_to_sketch(stored: bytes, items: Iterable[int]) -> bytes:
    """The sketch with these numbers in it too: 64 bits each, with or without a sign."""
    fresh = update_theta_sketch(LG_K)
    for item in items:
        # The library takes signed numbers; one beyond them would go through a float and lose its last bits.
        fresh.update(((item & _BITS) ^ _SIGN) - _SIGN)
    united = theta_union(LG_K)
    if stored:
        united.update(compact_theta_sketch.deserialize(stored))
    united.update(fresh)
    # The result of a union has the smallest hashes, in order, and no more than fit: the same bytes for the same set.
    result = united.get_result(True)
    return EMPTY if result.is_empty() else bytes(result.serialize())


def unite(sketches: Iterable[bytes]) -> Estimate:
    """How many different numbers are in any of these sketches."""
    united = theta_union(LG_K)
    for stored in sketches:
        if stored:
            united.update(compact_theta_sketch.deserialize(stored))
    result = united.get_result(True)
    return Estimate(
        value=round(result.get_estimate()),
        low=math.floor(result.get_lower_bound(STANDARD_DEVIATIONS)),
        high=math.ceil(result.get_upper_bound(STANDARD_DEVIATIONS)),
        is_exact=not result.is_estimation_mode(),
    )
