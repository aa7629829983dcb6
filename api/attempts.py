"""How many sign-ins may fail before the next has to wait.

Kept in this process: each API process allows the number by itself.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.errors import ApiError


class TooManyAttemptsError(ApiError):
    """Too many sign-ins failed for this e-mail address, or from this address; come back after `Retry-After` seconds."""

    status = 429
    code = "too_many_attempts"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"Too many sign-ins failed. Wait {retry_after_seconds} s and try again.")
        self.headers = {"Retry-After": str(retry_after_seconds)}
        self.retry_after_seconds = retry_after_seconds


class Attempts:
    """Failed sign-ins of the last minute, by key. Successful ones do not count."""

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._failed = MovingWindowRateLimiter(MemoryStorage())
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def attempt(self, *keys: str) -> Iterator["Attempt"]:
        """Run one attempt; raises TooManyAttemptsError instead when a key has no more. Not `succeeded`: it failed."""
        attempt = Attempt()
        self._begin(keys)
        try:
            yield attempt
        finally:
            self._end(keys, is_failure=not attempt.has_succeeded)

    def _begin(self, keys: tuple[str, ...]) -> None:
        with self._lock:
            for key in keys:
                window = self._failed.get_window_stats(self._limit, key)
                # Attempts still running count as failed, or a burst sent at once would all pass the check.
                if window.remaining <= self._running[key]:
                    raise TooManyAttemptsError(max(1, math.ceil(window.reset_time - time.time())))
            self._running.update(keys)

    def _end(self, keys: tuple[str, ...], *, is_failure: bool) -> None:
        with self._lock:
            for key in keys:
                self._running[key] -= 1
                if self._running[key] <= 0:
                    del self._running[key]
                if is_failure:
                    self._failed.hit(self._limit, key)


class Attempt:
    """One attempt that has failed until it says otherwise."""

    has_succeeded = False

    def succeeded(self) -> None:
        """The password was right."""
        self.has_succeeded = True
