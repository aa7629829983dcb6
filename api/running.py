"""`earshot up`: the whole product on one machine, from an empty folder to a page that answers."""

import http.client
import os
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from api.serving import check_port
from api.settings import Settings
from api.supervision import Part, Parts, stop_on_signals
from models.engine import make_engine
from models.migrate import migrate
from models.tables import Role

if TYPE_CHECKING:
    from api.demo import Demo

READY_SECONDS = 90.0
"""A part that has not answered by then is named, and everything is stopped."""
ALIVE_FILE = "worker.alive"
"""The worker touches this file in `home` every two seconds at most."""


class CannotRunError(Exception):
    """Something that makes going on pointless; the text says what to do."""


def up(*, is_demo_wanted: bool = True) -> int:
    """Run everything until Ctrl-C; the exit code: 0 after Ctrl-C or SIGTERM, 1 when a part failed."""
    console = Console(highlight=False)
    settings = Settings()
    check_port(settings.host, settings.port, "the API", "EARSHOT_PORT")
    check_port(settings.host, settings.dashboard_port, "the dashboard", "EARSHOT_DASHBOARD_PORT")
    with stop_on_signals() as stop:
        installation = Installation(settings, console, stop)
        try:
            installation.run(is_demo_wanted=is_demo_wanted)
        except CannotRunError as error:
            console.print(Text(str(error), style="red"))
            return 1
        finally:
            installation.stop()
            console.print("All parts have stopped.")
    return 0


class Installation:
    """The running parts of one `home`. Every wait in here ends soon after `stop` is set."""

    def __init__(self, settings: Settings, console: Console, stop: threading.Event) -> None:
        self._settings = settings
        self._console = console
        self._stop = stop
        host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
        self.api = f"http://{host}:{settings.port}"
        self.dashboard = f"http://{host}:{settings.dashboard_port}"
        self._parts = Parts(self._environment(), self._print_line)

    def _environment(self) -> dict[str, str]:
        # What the operator set wins; otherwise the parts find each other where this process starts them.
        found = {"EARSHOT_API_URL": self.api, "EARSHOT_BASE_URL": self._settings.resolved_base_url(), **os.environ}
        return {**found, "EARSHOT_HOME": str(self._settings.home.resolve())}

    def run(self, *, is_demo_wanted: bool) -> None:
        """Start, seed when there is nothing yet, and watch until `stop`; raises CannotRunError."""
        self._prepare_store()
        (self._settings.home / ALIVE_FILE).unlink(missing_ok=True)
        self._parts.start()
        # Late: the parts, which take longest, are on their way before this process reads what it needs itself.
        from api.demo import Demo
        from api.welcome import print_welcome

        with self._console.status("Starting API, worker and dashboard ..."):
            self._wait_until_ready()
        demo = Demo(self._settings)
        if is_demo_wanted and demo.is_store_empty and not self._stop.is_set():
            self._make_demo(demo)
        if not self._stop.is_set():
            print_welcome(self._console, self._settings.home.resolve(), self.api, self.dashboard, demo)
        while not self._stop.wait(0.2):
            self._check_parts()
        self._console.print("Stopping ...")

    def stop(self) -> None:
        """Stop all parts, cleanly if they can."""
        self._parts.stop()

    def _print_line(self, name: str, line: str) -> None:
        self._console.print(Text(f"{name:<9} | {line}"), soft_wrap=True)

    def _prepare_store(self) -> None:
        self._settings.home.mkdir(parents=True, exist_ok=True)
        engine = make_engine(self._settings.resolved_store_url())
        try:
            if migrate(engine):
                self._console.print(
                    f"Migrated the store, {engine.url.render_as_string(hide_password=True)}", soft_wrap=True
                )
        finally:
            engine.dispose()

    def _wait_until_ready(self) -> None:
        waiting: dict[str, Callable[[], bool]] = {
            "api": lambda: answers(f"{self.api}/healthz"),
            "worker": (self._settings.home / ALIVE_FILE).exists,
            "dashboard": lambda: answers(f"{self.dashboard}/healthz"),
        }
        deadline = time.monotonic() + READY_SECONDS
        while waiting and not self._stop.wait(0.1):
            self._check_parts()
            if time.monotonic() > deadline:
                raise CannotRunError(f"No answer after {READY_SECONDS:.0f} s from: {', '.join(waiting)}.")
            waiting = {name: is_ready for name, is_ready in waiting.items() if not is_ready()}

    def _check_parts(self) -> None:
        ended = self._parts.ended()
        if ended is not None:
            raise CannotRunError(f"The part '{ended.name}' ended by itself ({describe_end(ended)}). Stopping the rest.")

    def _make_demo(self, demo: "Demo") -> None:
        demo.make_accounts()
        if Role.CREATOR not in demo.accounts:
            return  # somebody made that account by hand, so this is no fresh installation
        self._console.print(f"Everything answers: dashboard {self.dashboard}  API {self.api}", soft_wrap=True)
        self._console.print(
            "The store is empty, so demo listeners are sending sixty days of events ...", soft_wrap=True
        )
        started = time.monotonic()
        with self._console.status("Seeding ...") as status:
            seed = demo.start_seed(self.api)
            try:
                self._watch_seed(seed, lambda seconds: status.update(f"Seeding ... {seconds:.0f} s"))
            finally:
                end_group(seed)
        if seed.returncode == 0:
            demo.finish()
            self._console.print(f"The demo data is in, after {time.monotonic() - started:.0f} s.")
        elif not self._stop.is_set():
            self._console.print(Text(f"The demo data could not be made; {demo.seed_log} says why.", style="red"))

    def _watch_seed(self, seed: "subprocess.Popen[bytes]", show: Callable[[float], None]) -> None:
        started = time.monotonic()
        while seed.poll() is None and not self._stop.wait(0.2):
            self._check_parts()
            show(time.monotonic() - started)


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """End a process that leads its own group, if it still runs."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def describe_end(part: Part) -> str:
    """How a part ended, in words."""
    code = part.process.returncode
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def answers(url: str) -> bool:
    """Whether something there speaks HTTP and is well."""
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
            return True
    except (OSError, http.client.HTTPException):
        return False
