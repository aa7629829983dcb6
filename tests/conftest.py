"""Fixtures that every folder of tests shares."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import create_app
from api.settings import Settings
from models.engine import make_engine
from models.migrate import migrate

for name in [name for name in os.environ if name.startswith("EARSHOT_")]:
    del os.environ[name]  # a developer's settings must not decide what tests find


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An SQLite store of the test's own, in the place where `Settings(home=tmp_path)` looks."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture(params=["sqlite"])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty store, once on each engine."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """A migrated store, once on each engine."""
    engine = make_engine(store_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    """A migrated SQLite store, for what does not touch the store's dialect."""
    engine = make_engine(sqlite_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def settings(tmp_path: Path, store_url: str) -> Settings:
    """Settings of an installation in the test's own folder."""
    return Settings(home=tmp_path, store_url=store_url)


@pytest.fixture
def client(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    """The API in this process; `engine` is its store."""
    with TestClient(create_app(settings)) as client:
        yield client


def free_port() -> int:
    """A port on 127.0.0.1 that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Processes:
    """Real `earshot` processes of one test; whatever still runs is killed when the test ends."""

    home: Path
    store_url: str
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, **extra: str) -> dict[str, str]:
        """The environment that every process of this installation gets."""
        return {**os.environ, "EARSHOT_HOME": str(self.home), "EARSHOT_STORE_URL": self.store_url, **extra}

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start `earshot ARGUMENTS`."""
        process = subprocess.Popen(
            [sys.executable, "-m", "api", *arguments], env=self.environment(**environment), start_new_session=True
        )
        self.running.append(process)
        return process

    def serve(self, **environment: str) -> tuple[str, subprocess.Popen[bytes]]:
        """Start the API on a free port; its address, once it answers."""
        port = free_port()
        process = self.start("serve", "--port", str(port), **environment)
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(f"{url}/healthz"), f"{url} to answer", process)
        return url, process

    def stop_all(self) -> None:
        """Kill what is left, with its children."""
        for process in self.running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def wait_until(is_true: Callable[[], bool], what: str, process: subprocess.Popen[bytes] | None = None) -> None:
    """Poll until `is_true()`; fail when the process ended or after a minute, which is a hang and not a measurement."""
    deadline = time.monotonic() + 60
    while not is_true():
        if process is not None and process.poll() is not None:
            pytest.fail(f"the process ended with {process.returncode} while waiting for {what}")
        if time.monotonic() > deadline:
            pytest.fail(f"waited a minute for {what}")
        time.sleep(0.02)


@pytest.fixture
def processes(tmp_path: Path, store_url: str, engine: Engine) -> Iterator[Processes]:
    """Starts real processes over a migrated store."""
    group = Processes(tmp_path, store_url)
    yield group
    group.stop_all()
