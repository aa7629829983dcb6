"""Which part of a file an answer sent: from status, Range header and bytes, one hit or many at once."""

import re
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ONE_RANGE = re.compile(r"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE | re.ASCII)
MOST_BYTES = (1 << 32) - 1
"""Positions in a file are kept in 32 bits; there is no recording beyond 4 GiB."""
WHOLE = (0, -1)
NO_SINGLE_RANGE = (-1, -1)
PROBE = (0, 1)
"""Exactly the first two bytes, which players ask for to learn whether ranges work."""

Ints = NDArray[np.int64]


@lru_cache(maxsize=100_000)
def parse_bounds(header: str) -> tuple[int, int]:
    """First and last byte that a Range header asks for: (a, b); (a, -1) to the end; (-1, n) the last n bytes;
    `NO_SINGLE_RANGE` when it has several ranges, or is none."""
    match = _ONE_RANGE.fullmatch(header)
    if match is None or match[1] == match[2] == "":
        return NO_SINGLE_RANGE
    first = int(match[1][:18]) if match[1] else -1
    last = int(match[2][:18]) if match[2] else -1
    if first >= 0 and 0 <= last < first:
        return NO_SINGLE_RANGE
    return min(first, MOST_BYTES), min(last, MOST_BYTES)


def is_probe(header: str) -> bool:
    """Whether exactly the first two bytes are asked for."""
    return parse_bounds(header) == PROBE


def sent_parts(status: Any, first: Any, last: Any, sent: Any, size: Any) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """The parts `[start, end)` that were sent, and whether only their number of bytes is known (then `start` is 0).

    Arrays or numbers: the status, the Range's bounds as `parse_bounds` gives them, the bytes sent, and the file's size
    (0 when unknown). A 206 (or 0, as one log format writes an answer that ended early) is part of what was asked for,
    anything else begins with the file's first byte.
    """
    status, first, last, sent, size = (
        np.asarray(values, dtype=np.int64) for values in np.broadcast_arrays(status, first, last, sent, size)
    )
    bound = np.where(size > 0, size, MOST_BYTES)
    sent = np.clip(sent, 0, bound)
    is_part = (status == 206) | (status == 0)
    is_suffix = is_part & (first < 0) & (last >= 0) & (size > 0)
    is_known = ~is_part | (first >= 0) | is_suffix
    start = np.where(is_part & (first >= 0), first, 0)
    start = np.minimum(np.where(is_suffix, np.maximum(size - last, 0), start), bound)
    limit = np.where(is_part & (first >= 0) & (last >= 0), np.minimum(last + 1, bound), bound)
    end = np.where(is_known, np.minimum(start + sent, np.maximum(limit, start)), sent)
    return start, end, ~is_known
