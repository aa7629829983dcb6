"""A media player in simulated time: turns "hear five minutes, then rewind" into the events of the protocol."""

from dataclasses import dataclass
from random import Random

from seed.catalogue import Episode
from seed.client import Client, Event

MINUTE_MS = 60_000
MOST_STALL_MS = 120
"""Starting and buffering: what a span takes beyond its own length, so that no two phones tell the same milliseconds."""


@dataclass(slots=True)
class Phone:
    """A device's own circumstances."""

    client: Client
    random: Random
    horizon_ms: int
    """The end of simulated time: what would happen from here on has not happened yet."""
    zone_ms: int = 0
    """Local time, less UTC."""
    speed: float = 1.0
    """How fast its owner likes to listen."""
    progress_ms: int = MINUTE_MS
    """How often this app saves its progress while playing; the protocol allows every 60 s at most."""
    clock_error_ms: int = 0
    """What the device's clock shows, less the true time."""
    free_at_ms: int = 0
    """It plays one thing at a time."""
    sessions: int = 0


class Player:
    """One session with one episode."""

    def __init__(self, phone: Phone, episode: Episode, start_ms: int, *, offline: bool = False) -> None:
        phone.sessions += 1
        self.phone = phone
        self.episode = episode
        self.random = phone.random
        self.speed = phone.speed
        self.offline = offline
        self.position_ms = 0
        self.now_ms = max(start_ms, phone.free_at_ms)
        """True time; the device may believe another."""
        self._session = f"s{phone.sessions}"
        self._stalls = Random(f"{start_ms}/{episode.name}/stalls")
        """Of its own: how long a decoder takes must not change what is played next."""

    @property
    def left_ms(self) -> int:
        """Media time that is left."""
        return self.episode.duration_ms - self.position_ms

    def download(self) -> None:
        """The file is stored for offline listening; it takes some seconds of a good connection."""
        self.now_ms += self.random.randrange(3_000, 40_000)
        self._record("download", 0, 0, 0, offline=False)

    def play(self, at_ms: int | None = None) -> None:
        """Press play, now or at a later moment."""
        self.now_ms = max(self.now_ms, at_ms or 0)
        self._record("play", self.position_ms, self.position_ms, 0, offline=self.offline)

    def hear(self, media_ms: int, then: str = "pause") -> None:
        """Let it run for that much media time or to the end; `then` is the kind of event that closes the span."""
        end_ms = min(self.position_ms + media_ms, self.episode.duration_ms)
        step_ms = int(self.phone.progress_ms * self.speed)
        while end_ms - self.position_ms > step_ms:
            self._close_span("progress", self.position_ms + step_ms)
        self._close_span("complete" if end_ms == self.episode.duration_ms else then, end_ms)

    def hear_rest(self) -> None:
        """Listen to the end."""
        self.hear(self.left_ms)

    def jump_to(self, position_ms: int) -> None:
        """Move, after `hear(..., then="seek")` closed the span before."""
        self.position_ms = max(0, min(position_ms, self.episode.duration_ms - 1_000))
        self.now_ms += 1_500

    def rest(self, least_ms: int, most_ms: int) -> None:
        """Some time passes."""
        self.now_ms += self.random.randrange(least_ms, most_ms)

    def finish(self) -> None:
        """Put the phone away."""
        self.phone.free_at_ms = self.now_ms + 5_000

    def _close_span(self, kind: str, to_ms: int) -> None:
        from_ms, wall_ms = self.position_ms, -int(-(to_ms - self.position_ms) // self.speed)
        wall_ms += self._stalls.randrange(MOST_STALL_MS)
        self.now_ms += wall_ms
        self.position_ms = to_ms
        if to_ms > from_ms:
            self._record(kind, from_ms, to_ms, wall_ms, offline=self.offline)

    def _record(self, kind: str, from_ms: int, to_ms: int, wall_ms: int, *, offline: bool) -> None:
        if self.now_ms >= self.phone.horizon_ms:
            return
        at_ms = self.now_ms + self.phone.clock_error_ms
        self.phone.client.record(Event(kind, self.episode.id, self._session, at_ms, from_ms, to_ms, wall_ms, offline))
