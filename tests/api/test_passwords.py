"""Hashing passwords."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api import passwords


class SlowHasher:
    """Takes a moment, and remembers how many it was asked for at once."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._moment = threading.Event()

    def _run(self, *_given: Any) -> bool:
        with self._lock:
            self.seen["now"] += 1
            self.seen["most"] = max(self.seen["now"], self.seen["most"])
        self._moment.wait(0.05)
        with self._lock:
            self.seen["now"] -= 1
        return True

    hash = verify = _run


def test_only_so_many_are_hashed_at_once_since_each_takes_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords.nobodys_hash()
    hasher = SlowHasher()
    monkeypatch.setattr(passwords, "_hasher", hasher)
    with ThreadPoolExecutor(16) as threads:
        hashed = [threads.submit(passwords.hash_password, "x") for _ in range(8)]
        checked = [threads.submit(passwords.is_password, "x", "hash") for _ in range(8)]
    assert all(one.result() for one in hashed + checked)
    assert hasher.seen["most"] == passwords.MOST_AT_ONCE == 4
