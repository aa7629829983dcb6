"""A list that changes while it is used."""

import os
from collections.abc import Callable
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from api.hits import watched
from api.hits.networks import Networks, read_networks
from api.hits.watched import LOOK_SECONDS, Watched


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass."""
    now = [1000.0]
    monkeypatch.setattr(watched, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def pass_by(seconds: float) -> None:
        now[0] += seconds

    return pass_by


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A list."""
    path = tmp_path / "datacenters.txt"
    path.write_text("192.0.2.0/24\n")
    return path


def change(path: Path, text: str) -> None:
    """A new version of the file, of another time even when the clock is coarse."""
    before = path.stat().st_mtime_ns
    path.write_text(text)
    os.utime(path, ns=(before + 1_000_000, before + 1_000_000))


def settle(networks: Watched[Networks]) -> Networks:
    """Look, and wait until what was noticed is read."""
    networks.current()
    networks.wait()
    return networks.current()


def test_a_changed_file_is_used_after_a_few_seconds(path: Path, later: Callable[[float], None]) -> None:
    networks = Watched(path, read_networks)
    change(path, "198.51.100.0/24\n")
    later(LOOK_SECONDS - 0.1)
    assert settle(networks).covers("192.0.2.1")
    later(0.1)
    assert settle(networks).covers("198.51.100.1")


def test_a_file_that_stays_is_read_once(path: Path, later: Callable[[float], None]) -> None:
    reads = []
    networks = Watched(path, lambda found: reads.append(found) or read_networks(found))
    for _ in range(5):
        later(LOOK_SECONDS)
        settle(networks)
    assert len(reads) == 1


@pytest.mark.parametrize("broken", ["nonsense\n", None], ids=["broken", "removed"])
def test_a_broken_version_is_told_once_and_the_old_one_stays(
    path: Path, later: Callable[[float], None], broken: str | None
) -> None:
    networks = Watched(path, read_networks)
    if broken is None:
        path.unlink()
    else:
        change(path, broken)
    with capture_logs() as logs:
        for _ in range(3):
            later(LOOK_SECONDS)
            assert settle(networks).covers("192.0.2.1")
    (line,) = logs
    assert line["log_level"] == "error"
    assert str(path) in line["error"]

    path.write_text("203.0.113.0/24\n")
    later(LOOK_SECONDS)
    assert settle(networks).covers("203.0.113.1")


def test_no_request_waits_for_a_file_that_is_read_slowly(path: Path, later: Callable[[float], None]) -> None:
    go_on, reads = Event(), []

    def read(found: Path) -> Networks:
        reads.append(found)
        assert len(reads) == 1 or go_on.wait(60)
        return read_networks(found)

    networks = Watched(path, read)
    change(path, "198.51.100.0/24\n")
    later(LOOK_SECONDS)
    assert networks.current().covers("192.0.2.1")
    later(LOOK_SECONDS)
    assert networks.current().covers("192.0.2.1")
    go_on.set()
    networks.wait()
    assert networks.current().covers("198.51.100.1")
