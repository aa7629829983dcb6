"""A client of the sync protocol: what a phone logs, keeps, chains and sends. No network here; `sender.py` has that.

The rules are those of docs/sync-protocol.md, written again from the page: nothing is shared with the server.
"""

from collections import deque
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from seed.catalogue import DAY_MS

GENESIS = "0" * 64
MAX_BATCH = 500


class Event(msgspec.Struct, frozen=True, gc=False):
    """What happened on the device, before it has a place in the log."""

    kind: str
    episode: str
    session: str
    at_ms: int
    from_ms: int
    to_ms: int
    wall_ms: int
    offline: bool

    @property
    def key(self) -> tuple[str, int]:
        """The playback it belongs to: episode and UTC day, as days since 1970."""
        return self.episode, self.at_ms // DAY_MS


class Sealed(msgspec.Struct, frozen=True, gc=False):
    """An event in the log."""

    seq: int
    id: str
    previous: str
    event: Event


class Batch(msgspec.Struct, frozen=True):
    """A contiguous stretch of the log, ready to send."""

    sealed: list[Sealed]

    def body(self, sent_at_ms: int) -> bytes:
        """The JSON to post. Ids do not travel; `after` and `head` are enough to compute them."""
        return msgspec.json.encode(
            {
                "sent_at_ms": sent_at_ms,
                "after": self.sealed[0].previous,
                "head": self.sealed[-1].id,
                "events": [_on_the_wire(sealed) for sealed in self.sealed],
            }
        )


def _on_the_wire(sealed: Sealed) -> dict[str, object]:
    event = sealed.event
    return {
        "seq": sealed.seq,
        "kind": event.kind,
        "episode": event.episode,
        "session": event.session,
        "at_ms": event.at_ms,
        "from_ms": event.from_ms,
        "to_ms": event.to_ms,
        "wall_ms": event.wall_ms,
        "offline": event.offline,
    }


def event_id(device_id: str, seq: int, previous: str, event: Event) -> str:
    """SHA-256 over twelve lines, so that an id vouches for every event before it."""
    lines = (
        "earshot/1",
        device_id,
        str(seq),
        previous,
        event.kind,
        event.episode,
        event.session,
        str(event.at_ms),
        str(event.from_ms),
        str(event.to_ms),
        str(event.wall_ms),
        "1" if event.offline else "0",
    )
    return sha256("\n".join(lines).encode()).hexdigest()


@dataclass(slots=True)
class Pending:
    """A playback that is not worth telling yet."""

    events: list[Event] = field(default_factory=list)
    seconds: set[int] = field(default_factory=set)
    """Distinct seconds heard; never many more than `listen_seconds`, so a plain set will do."""

    def add(self, event: Event) -> None:
        """Keep an event and what it heard."""
        self.events.append(event)
        self.seconds.update(range(event.from_ms // 1000, event.to_ms // 1000))

    def as_short(self) -> Event:
        """The one event that tells of a playback that came to nothing: its longest span."""
        longest = max(self.events, key=lambda event: event.to_ms - event.from_ms)
        return msgspec.structs.replace(longest, kind="short")


class Client:
    """One installed app with its log."""

    def __init__(self, device_id: str, listen_seconds: int) -> None:
        self.device_id = device_id
        self.listen_seconds = listen_seconds
        self._pending: dict[tuple[str, int], Pending] = {}
        self._open: set[tuple[str, int]] = set()
        """Playbacks that reached `listen_seconds`: what they do next is sealed at once."""
        self._outbox: deque[Sealed] = deque()
        self._last_seq = 0
        self._last_id = GENESIS

    @property
    def last_seq(self) -> int:
        """Seq of the newest sealed event; 0 when there is none."""
        return self._last_seq

    def record(self, event: Event) -> None:
        """Something happened, at `event.at_ms` by the device's clock."""
        self.end_days(event.at_ms)
        if event.kind == "download" or event.key in self._open:
            self._seal(event)
            return
        pending = self._pending.setdefault(event.key, Pending())
        pending.add(event)
        if len(pending.seconds) >= self.listen_seconds:
            self._open.add(event.key)
            del self._pending[event.key]
            for kept in pending.events:
                self._seal(kept)

    def end_days(self, now_ms: int) -> None:
        """Seal, as one `short` each, the playbacks of every UTC day but the present one by the device's clock."""
        today = now_ms // DAY_MS
        for key in [key for key in self._pending if key[1] != today]:
            self._seal(self._pending.pop(key).as_short())

    def _seal(self, event: Event) -> None:
        seq = self._last_seq + 1
        sealed = Sealed(seq, event_id(self.device_id, seq, self._last_id, event), self._last_id, event)
        self._outbox.append(sealed)
        self._last_seq, self._last_id = sealed.seq, sealed.id

    def next_batch(self, last_seq: int) -> Batch | None:
        """The oldest unsent events up to `last_seq`, at most 500; None when there are none. They stay in the log."""
        stretch: list[Sealed] = []
        for sealed in self._outbox:
            if sealed.seq > last_seq or len(stretch) == MAX_BATCH:
                break
            stretch.append(sealed)
        return Batch(stretch) if stretch else None

    def acknowledge(self, batch: Batch) -> None:
        """The server answered 202: only now may the events go."""
        while self._outbox and self._outbox[0].seq <= batch.sealed[-1].seq:
            self._outbox.popleft()
