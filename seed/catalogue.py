"""When the demo shows released what: texts become episodes with a time, a length and audio."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from seed.audio import FRAME_MS, episode_mp3, header, sound_bytes
from seed.shows import SHOWS, ShowText

DAY_MS = 86_400_000
WINDOW_DAYS = 60
"""How many days of listening end with yesterday."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode of the demo."""

    show: str
    """The show's slug in the catalogue."""
    number: int
    title: str
    notes: str
    published_ms: int
    duration_ms: int
    id: str
    """UUID once it is on the server; before that, a name of our own."""
    is_archive: bool = False

    @property
    def name(self) -> str:
        """What it is called in expectations: it does not change from run to run, as UUIDs do."""
        return f"{self.show}/{self.number}"


@dataclass(frozen=True, slots=True)
class Show:
    """One show of the demo with its episodes, oldest first."""

    text: ShowText
    episodes: tuple[Episode, ...]


def day_start_ms(day: date) -> int:
    """Midnight, UTC, in Unix milliseconds."""
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1000


def make_catalogue(seed: int, today: date, shows: Sequence[ShowText] = SHOWS) -> list[Show]:
    """The shows as they stand on `today`; the same for the same seed and day."""
    return [Show(text, tuple(_episodes(text, Random(f"{seed}/{text.slug}"), today))) for text in shows]


def _episodes(text: ShowText, random: Random, today: date) -> list[Episode]:
    days = _release_days(text, today)
    return [
        Episode(
            show=text.slug,
            number=number,
            title=title,
            notes=notes,
            published_ms=day_start_ms(day) + text.release_minute * 60_000,
            duration_ms=_duration_ms(text, random),
            id=f"{text.slug}/{number}",
            is_archive=number <= len(text.archive_days),
        )
        for number, (day, (title, notes)) in enumerate(zip(days, text.episodes, strict=True), 1)
    ]


def _release_days(text: ShowText, today: date) -> list[date]:
    """The archive, then the regular run; the newest came out on the last release weekday before today."""
    archive = [today - timedelta(days=age) for age in text.archive_days]
    newest = today - timedelta(days=(today.weekday() - text.release_weekday - 1) % 7 + 1)
    run = len(text.episodes) - len(archive)
    return archive + [newest - timedelta(days=text.every_days * back) for back in range(run - 1, -1, -1)]


def _duration_ms(text: ShowText, random: Random) -> int:
    """A whole number of frames near half a second past a whole one, so that no rounding can change its seconds.

    Tens of seconds, so that the 90 % of a completion fall on a second that can be heard or just missed.
    """
    shortest, longest = text.minutes
    wanted = random.randrange(shortest * 60, longest * 60, 10) * 1000 + 500
    return wanted // FRAME_MS * FRAME_MS


def audio_of(show: Show, episode: Episode) -> bytes:
    """The episode's MP3."""
    text = show.text
    return episode_mp3(
        title=episode.title,
        show=text.title,
        key_hertz=text.key_hertz,
        chords=text.chords,
        duration_ms=episode.duration_ms,
    )


def header_bytes(show: Show, episode: Episode) -> int:
    """What of the episode's MP3 is no audio yet."""
    return len(header(episode.title, show.text.title))


def file_bytes(show: Show, episode: Episode) -> int:
    """The size of the episode's MP3."""
    return header_bytes(show, episode) + sound_bytes(episode.duration_ms)
