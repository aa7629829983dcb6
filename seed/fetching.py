"""How apps ask for an episode's file: the requests of each kind, and how much of each answer went out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from seed.audio import BITRATE_KBPS

BYTES_PER_SECOND = BITRATE_KBPS * 1000 // 8
MINUTE_BYTES = 60 * BYTES_PER_SECOND
MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and what came of it."""

    after_seconds: float
    """Since the first of its visit."""
    status: int = 200
    sent_bytes: int = 0
    first: int | None = None
    """Of the Range header, as `last`; without either there was none."""
    last: int | None = None
    method: str = "GET"

    @property
    def range(self) -> str:
        """The Range header."""
        return "" if self.first is None else f"bytes={self.first}-{'' if self.last is None else self.last}"


Habit = Callable[[Random, int], Iterator[Asked]]
"""Of a file's size in bytes."""


def load_whole(random: Random, size: int) -> Iterator[Asked]:
    """In the background, to be heard later. Some connections break; most apps then ask for the rest."""
    seconds = _seconds(random, size)
    if random.random() > 0.06:
        yield Asked(seconds, 200, size)
        return
    broken_at = int(size * random.random() ** 2)
    yield Asked(seconds * broken_at / size, 200, broken_at)
    if random.random() < 0.7:
        yield Asked(seconds * 2 + 4, 206, size - broken_at, broken_at)


def load_by_range(random: Random, size: int) -> Iterator[Asked]:
    """The same, by apps that always say from where."""
    yield Asked(_seconds(random, size), 206, size, 0)


def stream_in_parts(random: Random, size: int) -> Iterator[Asked]:
    """Asks for two bytes to learn the size, then for more whenever little is left."""
    yield Asked(0, 206, 2, 0, 1)
    heard = size if random.random() < 0.62 else int(size * random.random() ** 1.7)
    at, seconds = 0, 0.4
    while at < heard:
        part = min(size - at, random.randrange(4 * MINUTE_BYTES, 12 * MINUTE_BYTES), max(heard - at, 16_384))
        seconds += part / BYTES_PER_SECOND * random.uniform(0.3, 0.6)
        yield Asked(seconds, 206, part, at, size - 1)
        at += part


def play_in_page(random: Random, size: int) -> Iterator[Asked]:
    """A browser: fills its buffer, and goes on while somebody listens. Many do not."""
    first = min(size, random.randrange(MINUTE_BYTES // 3, 4 * MINUTE_BYTES))
    yield Asked(3, 206, first, 0)
    if first < size and random.random() < 0.55:
        rest = int((size - first) * random.uniform(0.1, 1.0))
        yield Asked(3 + rest / BYTES_PER_SECOND, 206, rest, first)


def ask_then_load(random: Random, size: int) -> Iterator[Asked]:
    """A loudspeaker: looks at the headers first."""
    yield Asked(0, method="HEAD")
    yield from load_by_range(random, size)


def hang_up(random: Random, size: int) -> Iterator[Asked]:
    """Somebody who thinks better of it within the first minute."""
    yield Asked(2, 206, random.randrange(2_000, min(size, MINUTE_BYTES - 2_000)), 0)


def ask_whether_changed(_random: Random, _size: int) -> Iterator[Asked]:
    """An app that has the file, and is told that it is still the same."""
    yield Asked(0, 304)


def ask_beyond(_random: Random, size: int) -> Iterator[Asked]:
    """An app that lost count of what it has."""
    yield Asked(0, 416, 197, size)


def look_only(random: Random, _size: int) -> Iterator[Asked]:
    """A crawler or a validator: the headers, or the first part."""
    yield Asked(0, method="HEAD") if random.random() < 0.5 else Asked(0.3, 206, 65_536, 0, 65_535)


def take_whole(_random: Random, size: int) -> Iterator[Asked]:
    """Something that takes everything, and that nobody hears."""
    yield Asked(size / 40 / MEBIBYTE, 200, size)


def _seconds(random: Random, size: int) -> float:
    """What loading it takes, over connections of different speeds."""
    return 0.2 + size / random.uniform(0.2, 9) / MEBIBYTE
