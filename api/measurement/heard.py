"""Retention: what playbacks add to the number of listeners of each second; docs/metrics.md.

Worked out for all playbacks of an episode together: their packed coverages, laid end to end, are one array of starts
and ends, so a step costs a few NumPy calls per episode and not one per playback.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from models.counting import HEARD_CHUNK_SECONDS

Packed = tuple[bytes, bytes]
"""Coverage and repeats of one playback, as they are stored."""
Steps = NDArray[np.int32]
"""Per second of the recording, and one more: by how many the number of playbacks changes there."""
ChunkRow = tuple[int, int, bytes, bytes, bytes]
"""A row of `models.queries.folding.EPISODE_HEARD`."""


def steps_of(playbacks: Iterable[Packed], duration_seconds: int) -> tuple[Steps, Steps, Steps]:
    """What these playbacks add to `heard`, `spanned` and `repeated`: sums, so that they merge by addition."""
    coverages, repeats = [], []
    for coverage, repeated in playbacks:
        if coverage:
            coverages.append(coverage)
        if repeated:
            repeats.append(repeated)
    hulls = [_hull(coverage, duration_seconds) for coverage in coverages]
    heard, spanned, repeated_steps = (_steps(parts, duration_seconds) for parts in (coverages, hulls, repeats))
    return heard, spanned, repeated_steps


def _hull(coverage: bytes, duration_seconds: int) -> bytes:
    """One range from the first to the last second heard within the recording."""
    within = int(np.searchsorted(np.frombuffer(coverage, dtype="<u4")[::2], duration_seconds))
    return coverage[:4] + coverage[8 * within - 4 : 8 * within] if within else b""


def _steps(parts: list[bytes], duration_seconds: int) -> Steps:
    # A range that begins after the recording's end starts and ends at the same place once cut, and so adds nothing.
    edges = np.minimum(np.frombuffer(b"".join(parts), dtype="<u4"), duration_seconds)
    size = duration_seconds + 1
    starts, ends = np.bincount(edges[::2], minlength=size), np.bincount(edges[1::2], minlength=size)
    return (starts - ends).astype(np.int32)


def chunk_rows(
    episode_id: int,
    new: tuple[Steps, Steps, Steps],
    old: tuple[Steps, Steps, Steps],
) -> list[ChunkRow]:
    """Rows to add to `episode_heard`: the difference of two sums, only of the chunks in which they differ."""
    size = len(new[0])
    chunks = -(-size // HEARD_CHUNK_SECONDS)
    differences = np.zeros((3, chunks * HEARD_CHUNK_SECONDS), dtype="<i4")
    for place in range(3):
        differences[place, :size] = new[place] - old[place]
    by_chunk = differences.reshape(3, chunks, HEARD_CHUNK_SECONDS)
    changed = np.flatnonzero(by_chunk.any(axis=(0, 2)))
    return [(episode_id, int(chunk), *(by_chunk[place, chunk].tobytes() for place in range(3))) for chunk in changed]


def merge_rows(row: ChunkRow, stored: ChunkRow) -> ChunkRow:
    """The sum of two rows of the same chunk."""
    sums = (
        (np.frombuffer(ours, dtype="<i4") + np.frombuffer(bytes(theirs), dtype="<i4")).astype("<i4").tobytes()
        for ours, theirs in zip(row[2:], stored[2:], strict=True)
    )
    return (row[0], row[1], *sums)
