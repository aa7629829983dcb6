"""The day is fixed, so that logs need not be written anew each day."""

import pytest

from api import clock

NOW_MS = 1_795_392_000_000
"""2026-11-23T00:00Z."""


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now_ms", lambda: NOW_MS)
