"""The hash chain, written from docs/sync-protocol.md and not from the server's code."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

GENESIS = "0" * 64
"""Stands for the id before the first event."""

_FIELDS = ("kind", "episode", "session", "at_ms", "from_ms", "to_ms", "wall_ms")


def event_id(device_id: str, previous: str, event: dict[str, Any]) -> str:
    """The SHA-256 of the twelve lines."""
    fields = [str(event[name]) for name in _FIELDS]
    lines = ["earshot/1", device_id, str(event["seq"]), previous, *fields, "1" if event["offline"] else "0"]
    return sha256("\n".join(lines).encode()).hexdigest()


def ids_of(device_id: str, after: str, events: Iterable[dict[str, Any]]) -> list[str]:
    """The ids of events that follow the event with the id `after`."""
    ids: list[str] = []
    for event in events:
        ids.append(event_id(device_id, ids[-1] if ids else after, event))
    return ids


class Translation:
    """Published batches of one log as another device sends them: its own ids wherever a published one stands."""

    def __init__(self, published: str, own: str, batches: Iterable[dict[str, Any]]) -> None:
        self._ids = {GENESIS: GENESIS}
        waiting = list(batches)
        # What names an id may come before what defines it: a gap is filled later.
        while ready := [batch for batch in waiting if batch["body"]["after"] in self._ids] or waiting[:1]:
            for batch in ready:
                self._learn(published, own, batch)
                waiting.remove(batch)

    def _learn(self, published: str, own: str, batch: dict[str, Any]) -> None:
        after = batch["body"]["after"]
        rejected = {item["seq"] for item in batch["rejected"]}
        accepted = [event for event in batch["body"]["events"] if event["seq"] not in rejected]
        published_ids = ids_of(published, after, accepted)
        own_ids = ids_of(own, self._own(after), accepted)
        self._ids |= dict(zip(published_ids, own_ids, strict=True))

    def _own(self, published_id: str) -> str:
        return self._ids.get(published_id, published_id)

    def of(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The body of a published batch as the own device sends it."""
        body: dict[str, Any] = batch["body"]
        return {**body, "after": self._own(body["after"]), "head": self._own(body["head"])}
