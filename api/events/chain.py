"""The hash chain of a device's log: every event's id covers all the events before it."""

from collections.abc import Iterable
from hashlib import sha256

from api.events.records import EventTuple

GENESIS = "0" * 64
"""What stands for the id before the first event."""


def chain_ids(device_id: str, after: str, events: Iterable[EventTuple]) -> list[bytes]:
    """The ids, 32 bytes each, of `events` that follow the event with the id `after`.

    `device_id` is the lowercase UUID text. An id is the SHA-256 of twelve lines;
    docs/sync-protocol.md has a worked example.
    """
    ids = []
    previous = after
    prefix = f"earshot/1\n{device_id}\n"
    for seq, kind, episode, session, at_ms, from_ms, to_ms, wall_ms, is_offline in events:
        text = (
            f"{prefix}{seq}\n{previous}\n{kind}\n{episode}\n{session}\n"
            f"{at_ms}\n{from_ms}\n{to_ms}\n{wall_ms}\n{'1' if is_offline else '0'}"
        )
        digest = sha256(text.encode()).digest()
        ids.append(digest)
        previous = digest.hex()
    return ids
