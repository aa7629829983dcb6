"""`earshot up`, as a stranger runs it."""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console
from sqlmodel import Session

from api.demo import Demo
from api.running import Installation
from api.settings import Settings
from api.supervision import Parts
from api.welcome import print_welcome
from models.engine import make_engine
from models.migrate import migrate
from models.queries import accounts
from models.tables import Role
from tests.conftest import free_port, wait_until
from tests.factories import make_show, make_user

SLEEP = f"{sys.executable} -c 'import time; time.sleep(600)'"
"""A part that does nothing, for as long as it is let."""


class Up:
    """A running `earshot up --no-demo`, and what it has said so far."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        ports = {"EARSHOT_PORT": str(free_port()), "EARSHOT_DASHBOARD_PORT": str(free_port())}
        self.environment = {**os.environ, "EARSHOT_HOME": str(home), **ports, "COLUMNS": "100", **environment}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "api", "up", "--no-demo"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line)  # at once: a test waits for it

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def wait_until_running(self) -> "Up":
        wait_until(lambda: "Ctrl-C stops it" in self.said, "the addresses", self.process)
        return self

    def wait(self) -> int:
        """The exit code, when it has said all."""
        code = self.process.wait()
        self._reader.join()
        return code

    def pid_of(self, part: str) -> int:
        return next(pid for pid in processes_of(self.home) if part in command_of(pid))


def command_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


def processes_of(home: Path) -> list[int]:
    """Every process whose environment names this home: the parts, and whatever they started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"EARSHOT_HOME={home}\0".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue  # it ended meanwhile
    return found


@pytest.fixture(autouse=True)
def leave_nothing_running(tmp_path: Path) -> Iterator[None]:
    """Kill what a failed test leaves behind."""
    yield
    for pid in processes_of(tmp_path):
        os.kill(pid, signal.SIGKILL)


StartUp = Callable[..., Up]


@pytest.fixture
def start_up(tmp_path: Path) -> Iterator[StartUp]:
    """Starts `earshot up` in the test's folder; whatever it leaves behind is killed."""

    started: list[Up] = []

    def start(**environment: str) -> Up:
        started.append(Up(tmp_path, **environment))
        return started[-1]

    yield start
    for pid in processes_of(tmp_path):
        os.kill(pid, signal.SIGKILL)  # here, for `wait` would wait for them
    for up in started:
        up.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_parts_cleanly(start_up: StartUp, tmp_path: Path, number: signal.Signals) -> None:
    up = start_up().wait_until_running()
    assert len(processes_of(tmp_path)) >= 4  # up itself, API, worker, dashboard
    up.process.send_signal(number)
    assert up.wait() == 0
    assert processes_of(tmp_path) == []
    assert "Traceback" not in up.said
    assert "All parts have stopped." in up.said


def test_a_part_that_dies_is_named_and_stops_the_others(start_up: StartUp, tmp_path: Path) -> None:
    up = start_up().wait_until_running()
    os.kill(up.pid_of("worker"), signal.SIGKILL)
    assert up.wait() == 1
    assert "'worker' ended by itself (killed by signal 9)" in up.said
    assert processes_of(tmp_path) == []


def test_the_parts_end_when_their_parent_is_killed(start_up: StartUp, tmp_path: Path) -> None:
    up = start_up().wait_until_running()
    up.process.kill()
    up.process.wait()
    wait_until(lambda: processes_of(tmp_path) == [], "the parts to end")


@pytest.mark.parametrize("setting", ["EARSHOT_PORT", "EARSHOT_DASHBOARD_PORT"])
def test_a_port_in_use_is_named_with_its_setting(start_up: StartUp, setting: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        up = start_up(**{setting: str(port)})
        assert up.wait() == 1
    assert setting in up.said
    assert f"Port {port} on 127.0.0.1 is in use" in up.said
    assert "Traceback" not in up.said


# -- parts -----------------------------------------------------------------------------------------------------------


def test_a_part_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.supervision.STOP_SECONDS", 0.2)
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    )
    procfile = tmp_path / "Procfile"
    procfile.write_text(f"stubborn: {sys.executable} -c '{stubborn}'\n")
    lines: list[str] = []
    parts = Parts({**os.environ, "EARSHOT_HOME": str(tmp_path)}, lambda _name, line: lines.append(line))
    parts.start(procfile)
    wait_until(lambda: lines == ["1"], "the part to start")
    parts.stop()
    assert processes_of(tmp_path) == []


def test_stopping_takes_the_children_of_a_part_too(tmp_path: Path) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text("""parent: sh -c "(trap '' TERM; echo started; exec sleep 600) & wait"\n""")
    lines: list[str] = []
    parts = Parts({**os.environ, "EARSHOT_HOME": str(tmp_path)}, lambda _name, line: lines.append(line))
    parts.start(procfile)
    wait_until(lambda: lines == ["started"], "the part to start")
    parts.stop()
    wait_until(lambda: processes_of(tmp_path) == [], "the grandchild to end")


# -- the demo --------------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """An embedded installation with a migrated, empty store."""
    settings = Settings(home=tmp_path)
    engine = make_engine(settings.resolved_store_url())
    migrate(engine)
    engine.dispose()
    return settings


def test_demo_passwords_are_kept_for_their_owner_only(home: Settings) -> None:
    demo = Demo(home)
    demo.make_accounts()
    file = home.home / "demo-accounts.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Demo(home).accounts == demo.accounts
    assert set(demo.accounts) == set(Role)


def test_accounts_made_twice_keep_their_passwords(home: Settings) -> None:
    first = Demo(home)
    first.make_accounts()
    second = Demo(home)
    second.make_accounts()
    assert second.accounts == first.accounts


def test_an_account_made_by_hand_is_left_alone(home: Settings) -> None:
    engine = make_engine(home.resolved_store_url())
    with Session(engine) as session:
        make_user(session, Role.CREATOR, "creator@example.com")
    demo = Demo(home)
    demo.make_accounts()
    with Session(engine) as session:
        kept = accounts.get_user_by_email(session, "creator@example.com")
    engine.dispose()
    assert kept is not None
    assert kept.password_hash == "!"
    assert set(demo.accounts) == {Role.ADVERTISER, Role.ADMIN}


def test_a_store_with_a_show_is_not_seeded(home: Settings) -> None:
    assert Demo(home).is_store_empty
    engine = make_engine(home.resolved_store_url())
    with Session(engine) as session:
        make_show(session)
    engine.dispose()
    assert not Demo(home).is_store_empty


def fake_seed(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put an `earshot` that runs `script` first on PATH."""
    command = folder / "bin" / "earshot"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setattr("api.supervision.sys.executable", str(command.parent / "python"))


def make_demo(settings: Settings, stop: threading.Event) -> tuple[Demo, str]:
    """Seed as `up` does, with what it printed."""
    console = Console(record=True, width=200, file=Path(os.devnull).open("w"))  # noqa: SIM115 - closed below
    installation = Installation(settings, console, stop)
    demo = Demo(settings)
    installation._make_demo(demo)
    print_welcome(console, settings.home, installation.api, installation.dashboard, Demo(settings))
    console.file.close()
    return Demo(settings), console.export_text()


def test_a_finished_seed_leaves_no_mark(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_seed(home.home, monkeypatch, 'test "$1" = seed')
    demo, said = make_demo(home, threading.Event())
    assert not (home.home / "seed.unfinished").exists()
    assert "The demo data is in" in said
    assert demo.accounts[Role.CREATOR].password in said


def test_a_failed_seed_says_where_its_words_are(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_seed(home.home, monkeypatch, "echo no such planet; exit 3")
    demo, said = make_demo(home, threading.Event())
    assert f"{home.home}/seed.log says why" in said
    assert demo.seed_log.read_text() == "no such planet\n"


def test_an_interrupted_seed_is_ended_and_told_at_the_next_start(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_seed(home.home, monkeypatch, f"export EARSHOT_HOME={home.home}; {SLEEP}")
    stop = threading.Event()
    timer = threading.Thread(target=lambda: (wait_until_seeding(home.home), stop.set()))
    timer.start()
    make_demo(home, stop)
    timer.join()
    assert processes_of(home.home) == []
    engine = make_engine(home.resolved_store_url())
    with Session(engine) as session:
        make_show(session)  # what the seed had got to
    engine.dispose()
    console = Console(record=True, width=200, file=(home.home / "out").open("w"))
    print_welcome(console, home.home, "", "", Demo(home))
    console.file.close()
    assert "The demo data is incomplete" in console.export_text()


def wait_until_seeding(home: Path) -> None:
    while not processes_of(home):
        time.sleep(0.02)
