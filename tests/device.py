"""A phone for tests: writes a chained log and sends it."""

import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

GENESIS = "0" * 64
DAY_MS = 86_400_000


def now_ms() -> int:
    """Unix ms."""
    return time.time_ns() // 1_000_000


def event_id(device_id: str, previous: str, event: dict[str, Any]) -> str:
    """The id of an event, from the protocol's text and not from the server's code."""
    names = ("kind", "episode", "session", "at_ms", "from_ms", "to_ms", "wall_ms")
    lines = ["earshot/1", device_id, event["seq"], previous, *(event[name] for name in names)]
    return hashlib.sha256("\n".join([*map(str, lines), "1" if event["offline"] else "0"]).encode()).hexdigest()


@dataclass
class Phone:
    """One device with its log; `batch` cuts a stretch out of it."""

    device_id: str
    token: str = ""
    log: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        """What proves the device."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def bytes(self) -> bytes:
        """The id's sixteen bytes."""
        return UUID(self.device_id).bytes

    def write(
        self,
        episode: Any,
        kind: str = "progress",
        from_ms: int = 0,
        to_ms: int = 0,
        at_ms: int | None = None,
        *,
        wall_ms: int | None = None,
        offline: bool = False,
        session: str = "s1",
    ) -> dict[str, Any]:
        """Log an event; it is chained to the one before."""
        event = {
            "seq": len(self.log) + 1,
            "kind": kind,
            "episode": str(episode),
            "session": session,
            "at_ms": now_ms() - 60_000 if at_ms is None else at_ms,
            "from_ms": from_ms,
            "to_ms": to_ms,
            "wall_ms": to_ms - from_ms if wall_ms is None else wall_ms,
            "offline": offline,
        }
        self.ids.append(event_id(self.device_id, self.ids[-1] if self.ids else GENESIS, event))
        self.log.append(event)
        return event

    def batch(self, first: int = 1, last: int | None = None) -> dict[str, Any]:
        """The events from seq `first` to seq `last`."""
        events = self.log[first - 1 : last]
        after = self.ids[first - 2] if first > 1 else GENESIS
        return {"sent_at_ms": now_ms(), "after": after, "head": self.ids[first - 2 + len(events)], "events": events}


def register(client: Any) -> Phone:
    """A phone known to the server behind `client` (any object with httpx's `post`)."""
    answer = client.post("/v1/devices", json={"app": "Earshot Test", "app_version": "1", "platform": "test"})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    return Phone(body["device_id"], body["token"])


def encode(batch: dict[str, Any]) -> bytes:
    """A body for POST /v1/sync."""
    return json.dumps(batch).encode()
