"""What should be counted, worked out by brute force from the events that were sent: an independent check of the server.

The rules are those of docs/metrics.md, in the plainest form: one byte for every second of every playback.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from seed.catalogue import DAY_MS, Episode
from seed.client import Event

LISTEN_SECONDS = 30
HOUR_MS = 3_600_000


@dataclass(slots=True)
class Counts:
    """The numbers of one episode on one UTC day, or a sum of such."""

    starts: int = 0
    listens: int = 0
    offline_listens: int = 0
    completions: int = 0
    heard_seconds: int = 0

    def add(self, other: "Counts") -> None:
        """Sum up, in place."""
        self.starts += other.starts
        self.listens += other.listens
        self.offline_listens += other.offline_listens
        self.completions += other.completions
        self.heard_seconds += other.heard_seconds


class Playback:
    """One device, one episode, one UTC day."""

    def __init__(self, duration_ms: int) -> None:
        self.heard = bytearray(duration_ms // 1000)
        self.is_start = False
        self.is_offline = False

    def add(self, event: Event) -> None:
        """Hear a span; past the end there is nothing to hear."""
        if event.kind == "download":
            return
        self.is_start = True
        if event.to_ms > event.from_ms and event.offline:
            self.is_offline = True
        first, end = event.from_ms // 1000, min(event.to_ms // 1000, len(self.heard))
        if first < end:
            self.heard[first:end] = b"\x01" * (end - first)

    def counts(self) -> Counts:
        """What it adds to its episode and day."""
        duration, seconds = len(self.heard), self.heard.count(1)
        is_listen = seconds >= min(LISTEN_SECONDS, duration)
        is_completion = seconds * 10 >= duration * 9
        return Counts(
            int(self.is_start), int(is_listen), int(is_listen and self.is_offline), int(is_completion), seconds
        )


def cause_of(event: Event, episode: Episode | None, received_ms: int) -> str | None:
    """Why an event is set aside: the first cause that applies, or None when it counts."""
    if episode is None:
        return "unknown_episode"
    if event.at_ms < episode.published_ms - 24 * HOUR_MS:
        return "before_publication"
    if event.at_ms > received_ms + 10 * 60_000:
        return "clock_ahead"
    if event.at_ms < received_ms - 90 * DAY_MS:
        return "too_late"
    if event.to_ms - event.from_ms > 4 * event.wall_ms + 2_000:
        return "faster_than_possible"
    return None


@dataclass(slots=True)
class Expectation:
    """The sums over all that was sent. Memory does not grow with the number of devices."""

    episodes: Mapping[str, Episode]
    """By id."""
    by_episode_day: dict[tuple[str, int], Counts] = field(default_factory=dict)
    """Episode id and UTC day, as days since 1970."""
    devices: int = 0
    sent: int = 0
    """Events in all bodies that were posted, repetitions included."""
    distinct: int = 0
    counted: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)

    @property
    def duplicate(self) -> int:
        """Events that the server has seen before."""
        return self.sent - self.distinct

    def add_device(self, events: Iterable[Event], sent: int, received_ms: int) -> None:
        """Fold all of one device's events, each given once, of which `sent` were posted with repetitions."""
        playbacks: dict[tuple[str, int], Playback] = {}
        for event in events:
            self.distinct += 1
            episode = self.episodes.get(event.episode)
            cause = cause_of(event, episode, received_ms)
            if cause is not None or episode is None:
                self.set_aside[cause or "unknown_episode"] += 1
                continue
            self.counted += 1
            if event.key not in playbacks:
                playbacks[event.key] = Playback(episode.duration_ms)
            playbacks[event.key].add(event)
        self.devices += 1
        self.sent += sent
        for key, playback in playbacks.items():
            counts = playback.counts()
            if counts != Counts():  # a download that was never played leaves no number
                self.by_episode_day.setdefault(key, Counts()).add(counts)

    def total(self) -> Counts:
        """Over all episodes and days."""
        return total_of(self.by_episode_day.values())

    def to_json(self) -> dict[str, object]:
        """For files and tests; the same from run to run, but for nothing: episodes go by name, not by id."""
        named = sorted((self.episodes[id_].name, day, counts) for (id_, day), counts in self.by_episode_day.items())
        return {
            "devices": self.devices,
            "events": {
                "sent": self.sent,
                "counted": self.counted,
                "duplicate": self.duplicate,
                "set_aside": dict(sorted(self.set_aside.items())),
            },
            "total": asdict(self.total()),
            "by_episode_day": [{"episode": name, "day": day, **asdict(counts)} for name, day, counts in named],
        }


def total_of(parts: Iterable[Counts]) -> Counts:
    """Their sum."""
    total = Counts()
    for part in parts:
        total.add(part)
    return total
