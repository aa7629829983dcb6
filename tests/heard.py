"""The rollup of retention, written by brute force: one number for every second of every playback."""

from datetime import UTC, datetime

import numpy as np
from sqlmodel import Session

from models.counting import HEARD_CHUNK_SECONDS, EpisodeDay, EpisodeHeard
from models.tables import Episode

Spans = list[tuple[int, int]]
"""What one playback heard, in the order it was heard: `[from, to)` in seconds."""


def brute_force(playbacks: list[Spans], duration_seconds: int) -> np.ndarray:
    """Rows of heard, spanned and repeated, a column for each second."""
    totals = np.zeros((3, duration_seconds), dtype=np.int64)
    for spans in playbacks:
        times = [0] * duration_seconds
        for first, end in spans:
            for second in range(first, end):
                times[second] += 1
        there = [second for second, count in enumerate(times) if count]
        for second, count in enumerate(times):
            is_spanned = bool(there) and there[0] <= second <= there[-1]
            totals[:, second] += (count > 0, is_spanned, count > 1)
    return totals


def chunks(totals: np.ndarray) -> list[tuple[int, bytes, bytes, bytes]]:
    """Chunk number and its three blobs of differences, without the chunks in which nothing changes."""
    seconds = totals.shape[1]
    changes = np.diff(totals, axis=1, prepend=0, append=0).astype("<i4")
    padded = np.zeros((3, -(-(seconds + 1) // HEARD_CHUNK_SECONDS) * HEARD_CHUNK_SECONDS), dtype="<i4")
    padded[:, : seconds + 1] = changes
    cut = padded.reshape(3, -1, HEARD_CHUNK_SECONDS)
    return [(n, *(cut[row, n].tobytes() for row in range(3))) for n in range(cut.shape[1]) if cut[:, n].any()]


def put_heard(session: Session, episode: Episode, playbacks: list[Spans]) -> None:
    """What the worker would have written, had all of this been heard today."""
    totals = brute_force(playbacks, episode.duration_ms // 1000)
    for chunk, heard, spanned, repeated in chunks(totals):
        session.add(EpisodeHeard(episode_id=episode.id, chunk=chunk, heard=heard, spanned=spanned, repeated=repeated))
    session.add(
        EpisodeDay(
            episode_id=episode.id,
            day=datetime.now(UTC).date(),
            starts=len(playbacks),
            listens=len(playbacks),
            offline_listens=0,
            completions=0,
            heard_seconds=int(totals[0].sum()),
        )
    )
    session.commit()
