"""Delivered impressions by the words of docs/counting.md, with sets of bytes and nothing clever."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from tests.api.measurement.downloads import oracle
from tests.api.measurement.downloads.oracle import DAY_MS, ROTATION_DAYS, File, Request


class Spot(NamedTuple):
    """An ad's place in a recording, on some days."""

    id: int
    episode: str
    start_ms: int
    end_ms: int
    from_day: int
    to_day: int


def bytes_of(spot: Spot, file: File) -> set[int]:
    """Every byte of the file that belongs to the ad; none where the file has nothing of it."""
    if not file.duration_ms:
        return set(range(file.bytes))
    audio = Fraction(file.bytes - file.header_bytes, file.duration_ms)
    first, end = floor(audio * spot.start_ms), ceil(audio * spot.end_ms)
    return set(range(file.header_bytes + first, min(file.bytes, file.header_bytes + end))) if file.bytes else set()


def has_brought(window: Iterable[Request], spot: Spot) -> bool:
    """Whether every byte of the ad went out, all of one version of the file."""
    window = list(window)
    for file in {request.file for request in window}:
        went: set[int] = set()
        unplaced = 0
        for kind, first, end in (oracle.part(request) for request in window if request.file == file):
            if kind == "part":
                went |= set(range(first, end))
            else:
                unplaced += end
        wanted = bytes_of(spot, file)
        if wanted and (wanted <= went or unplaced >= file.bytes):
            return True
    return False


def count(
    requests: Iterable[Request], spots: Iterable[Spot], mode: str, cap: int = 1000
) -> tuple[Counter[tuple[int, str, int]], Counter[tuple[int, str, int, str]]]:
    """(spot, episode, day) and (spot, kind, day, value) -> delivered impressions."""
    requests, spots = list(requests), list(spots)
    too_many = oracle.excessive(requests, cap)
    keys: dict[tuple[str, str, str, int], list[Request]] = defaultdict(list)
    for request in requests:
        place = oracle.network(request.ip), request.at_ms // DAY_MS
        if oracle.static_cause(request) is None and place not in too_many:
            keys[place[0], request.user_agent, request.episode, place[1] // ROTATION_DAYS].append(request)
    days: Counter[tuple[int, str, int]] = Counter()
    splits: Counter[tuple[int, str, int, str]] = Counter()
    for of_key in keys.values():
        for window in oracle.windows(sorted(of_key, key=lambda request: request.at_ms), mode):
            day = window[0].at_ms // DAY_MS
            for spot in spots:
                is_due = spot.episode == window[0].episode and spot.from_day <= day <= spot.to_day
                if is_due and oracle.is_valid(window) and has_brought(window, spot):
                    days[spot.id, spot.episode, day] += 1
                    for kind, value in zip(("app", "device", "country"), window[0].splits, strict=True):
                        splits[spot.id, kind, day, value] += 1
    return days, splits
