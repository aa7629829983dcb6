"""What was heard of a recording, as it is stored, and what of it makes a listen: pure functions of values.

A coverage is a flat sorted list `[from, to, from, to, ...]` of disjoint, non-touching ranges of whole seconds.
"""

from array import array
from bisect import bisect_right

from models.metrics import LISTEN_SECONDS


def heard_seconds(coverage: list[int], duration_seconds: int) -> int:
    """Distinct seconds heard, cut at the recording's whole seconds."""
    if coverage and coverage[-1] > duration_seconds:
        cut = coverage[: bisect_right(coverage, duration_seconds)]
        coverage = [*cut, duration_seconds] if len(cut) % 2 else cut
    return sum(coverage[1::2]) - sum(coverage[::2])


def is_listen(heard: int, duration_seconds: int) -> bool:
    """Whether so many distinct seconds of a recording make a listen."""
    return duration_seconds > 0 and heard >= min(LISTEN_SECONDS, duration_seconds)


def pack_coverage(coverage: list[int]) -> bytes:
    """Little-endian uint32 pairs."""
    packed = array("I", coverage)
    return packed.tobytes()


def unpack_coverage(packed: bytes) -> list[int]:
    """The opposite of `pack_coverage`."""
    return array("I", packed).tolist()
