"""How much one device may send: its playbacks are read and written whole, so a flood slows all."""

import time

WINDOW_SECONDS = 60.0


class Allowance:
    """Events per device and minute. Kept in plain counters: it is asked for every batch of every phone."""

    def __init__(self, events_per_minute: int) -> None:
        self._limit = events_per_minute
        self._taken: dict[bytes, int] = {}
        self._began_at = time.monotonic()

    def take(self, device: bytes, events: int) -> bool:
        """Whether the device may send so many more in this minute; a refusal takes nothing. A limit of 0 is none."""
        if not self._limit:
            return True
        now = time.monotonic()
        if now - self._began_at >= WINDOW_SECONDS:
            self._began_at = now
            self._taken.clear()
        taken = self._taken.get(device, 0) + events
        if taken > self._limit:
            return False
        self._taken[device] = taken
        return True
