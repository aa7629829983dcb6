"""The processes of a bench: servers, worker, load generator. All end with it, Ctrl-C included."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from bench.load import HOST, Order, Result

START_SECONDS = 60
STOP_SECONDS = 5
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """The bench cannot go on, and why."""


class Processes:
    """What this bench started. Each process leads a group of its own, so its children end with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second Ctrl-C must not leave servers behind
        for process in self._running:
            stop(process)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def start(self, *arguments: str, environment: dict[str, str] | None = None, pipes: bool = False,
              log: str = "processes.log") -> subprocess.Popen[bytes]:  # fmt: skip
        """Start `python ARGUMENTS`; what it prints goes to a file in the bench's folder."""
        pipe = subprocess.PIPE if pipes else None
        with (self.folder / log).open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env={**_plain_environment(self.folder), **(environment or {})},
                stdin=pipe or subprocess.DEVNULL,
                stdout=pipe or output,
                stderr=output,
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def serve(self, *arguments: str, environment: dict[str, str]) -> "Server":
        """Start a server with `--port N` added, and wait until it answers."""
        port = free_port()
        process = self.start(*arguments, "--port", str(port), environment=environment)
        server = Server(process, port)
        wait_until(server.answers, f"{' '.join(arguments)} on port {port}", process, self.folder)
        return server


class Server:
    """A server that answers on 127.0.0.1."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    def answers(self) -> bool:
        """Whether /healthz says 200."""
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False

    def get(self, path: str, token: str = "") -> tuple[int, bytes]:
        """Status and body of one GET."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def cpu_seconds(self) -> float:
        """CPU time the process used so far."""
        return cpu_seconds(self.process.pid)


class Loader:
    """The load generator, asked over its pipes."""

    def __init__(self, processes: Processes) -> None:
        self._process = processes.start("-m", "bench.load", pipes=True, log="load.log")

    def send(self, order: Order) -> Result:
        """Have an order carried out."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise BenchError("the load generator ended; see load.log in the bench's folder (--keep keeps it)")
        return msgspec.json.decode(line, type=Result)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def free_port() -> int:
    """A port on 127.0.0.1 that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def wait_until(is_true: Callable[[], bool], what: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    """Poll until it is so; BenchError when the process ended first or nothing happened for a minute."""
    deadline = time.monotonic() + START_SECONDS
    while not is_true():
        if process.poll() is not None:
            said = (folder / "processes.log").read_text()[-2000:]
            raise BenchError(f"waited for {what}, but the process ended with {process.returncode}:\n{said}")
        if time.monotonic() > deadline:
            raise BenchError(f"waited {START_SECONDS} s for {what}")
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and its children: asked first, then made to."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        try:
            os.killpg(process.pid, signal_number)
            process.wait(STOP_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _plain_environment(folder: Path) -> dict[str, str]:
    # A developer's own EARSHOT_ settings must not decide what is measured, nor which store is written to.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EARSHOT_", "NAIVE_"))}
    root = str(Path(__file__).resolve().parent.parent)
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (root, kept.get("PYTHONPATH", ""))))
    if kept.pop("PYTHONDONTWRITEBYTECODE", ""):
        # Else each of the processes compiles every library anew, seconds of CPU time next to what is measured.
        kept["PYTHONPYCACHEPREFIX"] = str(folder / "pycache")
    return kept
