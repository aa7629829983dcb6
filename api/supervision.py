"""Runs the parts named in the `Procfile` as child processes: starts them, notices when one ends, stops them all."""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from honcho.environ import parse_procfile

STOP_SECONDS = 10.0
"""How long a part may take to finish what it is doing before it is killed. Killing loses nothing acknowledged."""
PR_SET_PDEATHSIG = 1
"""From Linux's <sys/prctl.h>."""

PROCFILE = Path(__file__).parent.parent / "Procfile"


@dataclass(frozen=True, slots=True)
class Part:
    """One running line of the Procfile."""

    name: str
    process: subprocess.Popen[str]


class Parts:
    """The running parts. Their output goes line by line to `on_line(part's name, line)`."""

    def __init__(self, environment: Mapping[str, str], on_line: Callable[[str, str], None]) -> None:
        self._environment = with_own_commands(environment)
        self._on_line = on_line
        self._parts: list[Part] = []
        self._relays: list[threading.Thread] = []

    def start(self, procfile: Path = PROCFILE) -> None:
        """Start every line of the Procfile."""
        for name, command in parse_procfile(procfile.read_text()).processes.items():
            self._parts.append(Part(name, self._spawn(shlex.split(command))))
        # Threads come last: forking a process that has some may deadlock in the child.
        for part in self._parts:
            self._relays.append(threading.Thread(target=self._relay, args=(part,), daemon=True))
            self._relays[-1].start()

    def _spawn(self, command: list[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 - the commands are the Procfile's
            command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # A session of its own: Ctrl-C reaches only this process, which then stops the parts in order.
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread has been started yet
        )

    def _relay(self, part: Part) -> None:
        if part.process.stdout is not None:
            with part.process.stdout as lines:
                for line in lines:
                    self._on_line(part.name, line.rstrip())

    def ended(self) -> Part | None:
        """A part that is not running any more."""
        return next((part for part in self._parts if part.process.poll() is not None), None)

    def stop(self) -> None:
        """Ask all parts to end, wait, and kill what does not; returns when none is left."""
        for part in self._parts:
            _signal_group(part, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for part in self._parts:
            with suppress(subprocess.TimeoutExpired):
                part.process.wait(timeout=max(0.0, deadline - time.monotonic()))
            # Also after a clean end: a part may have left children behind.
            _signal_group(part, signal.SIGKILL)
            part.process.wait()
        for relay in self._relays:
            relay.join(timeout=1)  # their last words


def with_own_commands(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with this installation's `earshot` found first, whatever is activated in the caller's shell."""
    own = str(Path(sys.executable).parent)
    path = f"{own}{os.pathsep}{environment.get('PATH', os.defpath)}"
    return {**environment, "PATH": path, "PYTHONUNBUFFERED": "1"}


def _die_with_parent() -> None:
    """Ask Linux to end the part when this process is killed and cannot."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(part: Part, number: signal.Signals) -> None:
    try:
        os.killpg(part.process.pid, number)
    except (ProcessLookupError, PermissionError):
        return  # the group is gone already


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that is set by Ctrl-C, SIGTERM, or the terminal being closed; the second Ctrl-C is as harmless."""
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
