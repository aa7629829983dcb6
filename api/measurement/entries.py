"""Hits as they are kept in a row of `consumer_day`: fixed entries, sorted, each different from the others."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.hits.traits import TOLD_BY_THE_LINE

ENTRY = np.dtype(
    [
        ("at", "<u4"),
        ("first", "<u4"),
        ("end", "<u4"),
        ("version", "<u4"),
        ("repeat", "<u4"),
        ("status", "<u2"),
        ("traits", "<u2"),
        ("method", "<u1"),
        ("is_live", "<u1"),
    ]
)
"""`at`: milliseconds since the day began. `first`, `end`: the part sent, `[first, end)`, or 0 and a number of bytes for
the trait BYTES_ONLY. `version`: id of the audio version. `repeat`: as in `api/events/columns.py`, 0 for live hits."""

_WHOLE = np.dtype((np.void, ENTRY.itemsize))

Entries = NDArray[Any]
Rows = NDArray[np.int64]


def unpack_entries(blobs: Sequence[bytes]) -> tuple[Entries, Rows]:
    """The entries of several rows, one behind the other, and which row each belongs to."""
    counts = np.fromiter((len(blob) for blob in blobs), np.int64, len(blobs)) // ENTRY.itemsize
    return np.frombuffer(b"".join(blobs), ENTRY), np.repeat(np.arange(len(blobs)), counts)


def pack_entries(entries: Entries, starts: Rows, ends: Rows) -> list[bytes]:
    """The bytes of each row's stretch of entries."""
    packed = entries.tobytes()
    size = ENTRY.itemsize
    bounds = zip((starts * size).tolist(), (ends * size).tolist(), strict=True)
    return [packed[start:end] for start, end in bounds]


def merge_entries(entries: Entries, rows: Rows) -> NDArray[np.int64]:
    """The places of the entries in the order of their rows and times, without those that a log told before.

    What is equal: the same row, time, part, status, method, kind of Range and place among its like. Of two such lines
    the one that came first stays, with the traits and the version it was received with. Live hits are all different
    requests: each has its own place in the event log, and is read from it once.
    """
    place = (rows.astype(np.uint64) << np.uint64(27)) | entries["at"]
    part = (entries["first"].astype(np.uint64) << np.uint64(32)) | entries["end"]
    kind = (
        ((entries["traits"] & np.uint64(TOLD_BY_THE_LINE)) << np.uint64(52))
        | (entries["repeat"].astype(np.uint64) << np.uint64(20))
        | (entries["status"].astype(np.uint64) << np.uint64(4))
        | (entries["method"].astype(np.uint64) << np.uint64(1))
        | entries["is_live"]
    )
    order = _sorted(place, part, kind)
    place, part, kind = place[order], part[order], kind[order]
    is_told = np.zeros(len(order), bool)
    is_told[1:] = (place[1:] == place[:-1]) & (part[1:] == part[:-1]) & (kind[1:] == kind[:-1])
    is_told &= entries["is_live"][order] == 0
    return order[~is_told]


def chosen_entries(entries: Entries, places: NDArray[np.int64]) -> Entries:
    """The entries in these places. NumPy would copy them field by field."""
    return entries.view(_WHOLE)[places].view(ENTRY)


def _sorted(place: NDArray[Any], part: NDArray[Any], kind: NDArray[Any]) -> NDArray[np.int64]:
    """The order by place, part and kind; what is equal in all stays as it is."""
    order = np.argsort(place)
    ordered = place[order]
    is_next = ordered[1:] == ordered[:-1]
    tied = np.flatnonzero(np.append(is_next, False) | np.append(False, is_next))
    some = order[tied]
    order[tied] = some[np.lexsort((some, kind[some], part[some], place[some]))]
    return order
