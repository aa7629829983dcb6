"""How apps ask for an episode's file: the requests of each kind, and how much of each answer went out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from seed.samples_show import BYTES_PER_SECOND, SITE

FIRST_MINUTE = 60 * BYTES_PER_SECOND
MEBIBYTE = 1 << 20
_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and what came of it."""

    after_seconds: float
    """Since the one that the app began with."""
    status: int = 200
    sent_bytes: int = 0
    range: str = ""
    method: str = "GET"


Habit = Callable[[Random, int], Iterator[Asked]]
"""Of a file's size in bytes."""


def load_whole(random: Random, size: int) -> Iterator[Asked]:
    """In the background, to be heard later. Some connections break; most apps then ask for the rest."""
    seconds = size / random.uniform(0.8, 9) / MEBIBYTE
    if random.random() > 0.06:
        yield Asked(seconds, 200, size)
        return
    broken_at = int(size * random.random() ** 2)
    yield Asked(seconds * broken_at / size, 200, broken_at)
    if random.random() < 0.7:
        yield Asked(seconds * 2, 206, size - broken_at, f"bytes={broken_at}-")


def load_by_range(random: Random, size: int) -> Iterator[Asked]:
    """The same, by apps that always say from where."""
    yield Asked(size / random.uniform(0.8, 9) / MEBIBYTE, 206, size, "bytes=0-")


def stream_in_parts(random: Random, size: int) -> Iterator[Asked]:
    """Asks for two bytes to learn the size, then for more whenever little is left."""
    yield Asked(0, 206, 2, "bytes=0-1")
    heard = size if random.random() < 0.62 else int(size * random.random() ** 1.7)
    at, seconds = 0, 0.4
    while at < max(heard, 1):
        part = min(size - at, random.randrange(2 * MEBIBYTE, 9 * MEBIBYTE))
        if at + part > heard and heard < size:
            part = max(heard - at, 65_536) if at + 65_536 < size else size - at
        seconds += part / BYTES_PER_SECOND * random.uniform(0.5, 0.95)
        yield Asked(seconds, 206, part, f"bytes={at}-{size - 1}")
        at += part


def play_in_page(random: Random, size: int) -> Iterator[Asked]:
    """A browser: fills its buffer, and goes on while somebody listens. Many do not."""
    first = min(size, random.randrange(300_000, 1_600_000))
    yield Asked(3, 206, first, "bytes=0-")
    if random.random() < 0.55:
        rest = int((size - first) * random.uniform(0.1, 1.0))
        yield Asked(rest / BYTES_PER_SECOND, 206, rest, f"bytes={first}-")


def ask_then_load(random: Random, size: int) -> Iterator[Asked]:
    """A smart speaker: looks at the headers first."""
    yield Asked(0, 200, 0, method="HEAD")
    yield from load_by_range(random, size)


def look_only(random: Random, _size: int) -> Iterator[Asked]:
    """A crawler or a validator: the headers, or the first part."""
    if random.random() < 0.5:
        yield Asked(0, 200, 0, method="HEAD")
    else:
        yield Asked(0.3, 206, 65_536, "bytes=0-65535")


def take_whole(_random: Random, size: int) -> Iterator[Asked]:
    """Something that takes everything, and that nobody hears."""
    yield Asked(size / 40 / MEBIBYTE, 200, size)


@dataclass(frozen=True, slots=True)
class App:
    """Something that asks for audio."""

    weight: float
    habit: Habit
    agents: tuple[str, ...]
    referrer: str = ""
    is_automatic: bool = False
    """Loads new episodes on its own, soon after they are out."""


APPS = (
    App(26, load_whole, ("Podcasts/4025.510.2 CFNetwork/1568.200.51 Darwin/24.1.0",), is_automatic=True),
    App(
        15,
        stream_in_parts,
        tuple(
            f"AppleCoreMedia/1.0.0.{build} ({device}; U; CPU OS {version} like Mac OS X; en_us)"
            for build, version in (("22B83", "18_1"), ("21H16", "17_7"), ("22A3370", "18_0_1"))
            for device in ("iPhone", "iPhone", "iPad")
        ),
    ),
    App(
        22,
        load_by_range,
        (
            "Spotify/9.0.12 iOS/18.1 (iPhone15,2)",
            "Spotify/9.0.10 Android/34 (SM-S911B)",
            "Spotify/9.0.8 Android/33 (Pixel 7)",
        ),
    ),
    App(9, load_whole, ("Overcast/3.0 (+http://overcast.fm/; iOS podcast app)",), is_automatic=True),
    App(7, load_whole, ("Pocket Casts",), is_automatic=True),
    App(6, load_whole, ("AntennaPod/3.6.1", "AntennaPod/3.5.0"), is_automatic=True),
    App(3, load_whole, ("PodcastAddict/v5 - Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/AP2A.240905.003)",)),
    App(2, load_whole, ("Castro 2026.8",), is_automatic=True),
    App(1, load_whole, ("gPodder/3.11.5 (http://gpodder.org/) Linux",), is_automatic=True),
    App(3, ask_then_load, ("AlexaMediaPlayer/2.1.4676.0 (Linux;Android 5.1.1) ExoPlayerLib/1.5.9",)),
    App(
        7,
        play_in_page,
        (
            f"{_WINDOWS} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
            "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
            f"{_MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
        ),
        referrer=f"{SITE}/",
    ),
    App(1, load_whole, ("BrollyPlayer/0.3 (+https://brolly.example)",)),
)
"""What listeners have. The last is in nobody's list."""
WATCH = "atc/1.0 watchOS/11.1 model/Watch6,14 hwp/t8301 build/22R574 (6; dt:245)"
BOTS = (
    App(4, look_only, ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",)),
    App(3, take_whole, ("python-requests/2.32.3",)),
    App(2, take_whole, ("curl/8.5.0", "Wget/1.21.4")),
    App(3, look_only, ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",)),
    App(2, take_whole, ("Mozilla/5.0 (compatible; BrollyBot/1.0; +https://brolly.example/bot)",)),
)
