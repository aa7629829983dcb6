"""Fixtures that every folder of tests shares."""

import gc
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import create_app
from api.settings import Settings
from models.engine import make_engine
from models.migrate import migrate
from tests.postgres import PostgresServer, find_install, run_server

for name in [name for name in os.environ if name.startswith("EARSHOT_")]:
    del os.environ[name]  # a developer's settings must not decide what tests find


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: from the first of them on, Playwright keeps an event loop running in this thread."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(autouse=True)
def _usual_garbage_collection() -> Iterator[None]:
    """Commands that run within a test may look for cycles rarely, which over thousands of tests takes gigabytes."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An SQLite store of the test's own, in the place where `Settings(home=tmp_path)` looks."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests, started by the first that needs it."""
    install = find_install()
    if install is None:
        missing = "no PostgreSQL binaries: install requirements-dev.lock (make setup-dev)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with run_server(install) as server:
        yield server


@pytest.fixture
def postgresql_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A migrated PostgreSQL store of the test's own."""
    with postgres_server.lend_database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """A store of the test's own, once on each engine."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated store that tests get copies of: migrating each of them anew would take minutes in all."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    engine = make_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()  # which leaves nothing in the write-ahead log
    return path


@pytest.fixture
def engine(store_url: str, sqlite_template: Path) -> Iterator[Engine]:
    """A migrated store, once on each engine."""
    yield from _open_store(store_url, sqlite_template)


@pytest.fixture
def sqlite_engine(sqlite_url: str, sqlite_template: Path) -> Iterator[Engine]:
    """A migrated SQLite store, for what does not touch the store's dialect."""
    yield from _open_store(sqlite_url, sqlite_template)


def _open_store(url: str, template: Path) -> Iterator[Engine]:
    kind, _, path = url.partition(":///")
    if kind == "sqlite":
        shutil.copyfile(template, path)
    engine = make_engine(url)
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
    """A port on 127.0.0.1 that nobody uses at this moment; below those that Linux gives to outgoing connections, one of
    which could otherwise take it before it is listened on."""
    while True:
        port = 10_000 + secrets.randbelow(22_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


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
        wait_until(lambda: answers(f"{url}/healthz"), f"{url} to answer", process)
        return url, process

    def stop_all(self) -> None:
        """Kill what is left, with its children."""
        for process in self.running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(url: str) -> bool:
    """Whether something at this address answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def wait_until(is_true: Callable[[], bool], what: str, process: subprocess.Popen[bytes] | None = None) -> None:
    """Poll until `is_true()`; fail when the process ended or after minutes, which is a hang and not a measurement."""
    deadline = time.monotonic() + 180
    while not is_true():
        if process is not None and process.poll() is not None:
            pytest.fail(f"the process ended with {process.returncode} while waiting for {what}")
        if time.monotonic() > deadline:
            pytest.fail(f"waited three minutes for {what}")
        time.sleep(0.02)


@pytest.fixture
def processes(tmp_path: Path, store_url: str, engine: Engine) -> Iterator[Processes]:
    """Starts real processes over a migrated store."""
    group = Processes(tmp_path, store_url)
    yield group
    group.stop_all()
