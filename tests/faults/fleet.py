"""Real processes for fault tests, with what they print and what the kernel says of them."""

import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from api.events.opening import open_log
from api.measurement.worker import Worker
from api.settings import Settings
from models.engine import make_engine
from tests.conftest import Processes, answers, free_port, wait_until

DRAIN_SECONDS = 300
"""A worker that has not come to the log's end by then hangs; no measurement."""


ON_SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For faults that the store has no part in."""


class Fleet(Processes):
    """Processes of one installation; each prints into a file of its own."""

    def start(self, *arguments: str, wrapper: Sequence[str] = (), **environment: str) -> subprocess.Popen[bytes]:
        """Start `earshot ARGUMENTS`, under the command `wrapper` when one is given."""
        command = [*wrapper, sys.executable, "-m", "api", *arguments]
        with self._output_path(len(self.running)).open("wb") as output:
            process = subprocess.Popen(
                command, env=self.environment(**environment), start_new_session=True, stdout=output, stderr=output
            )
        self.running.append(process)
        return process

    def serve_under(self, wrapper: Sequence[str] = (), **environment: str) -> tuple[str, subprocess.Popen[bytes]]:
        """As `serve`, under a wrapper."""
        port = free_port()
        process = self.start("serve", "--port", str(port), wrapper=wrapper, **environment)
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{url}/healthz"), f"{url} to answer", process)
        return url, process

    def output(self, process: subprocess.Popen[bytes]) -> str:
        """What a process has printed so far."""
        return self._output_path(self.running.index(process)).read_text(errors="replace")

    def wait_for_output(self, process: subprocess.Popen[bytes], part: str) -> None:
        """Wait until a process has printed this."""
        wait_until(lambda: part in self.output(process), f"{part!r} in the output", process)

    def worker(self, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker and wait until it can be asked to stop."""
        process = self.start("worker", **environment)
        wait_until(lambda: catches(process.pid, signal.SIGTERM), "the worker to catch SIGTERM", process)
        return process

    def drain(self, **environment: str) -> int:
        """Run a worker to the end of the log; its exit code."""
        return self.start("worker", "--once", **environment).wait(timeout=DRAIN_SECONDS)

    def fold_all(self) -> None:
        """Bring the count to the end of the log, in this process, which need not be started."""
        settings = Settings(home=self.home, store_url=self.store_url)
        engine = make_engine(self.store_url)
        log = open_log(settings.resolved_events_url())
        try:
            Worker(engine, log, settings).drain()
        finally:
            log.close()
            engine.dispose()

    def stop_cleanly(self, *processes: subprocess.Popen[bytes]) -> None:
        """Ask processes that are known to run to end, and see that they do so without complaint."""
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            assert process.wait(timeout=DRAIN_SECONDS) == 0, self.output(process)

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End a process the polite way; uvicorn ends by the signal once it has finished."""
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=DRAIN_SECONDS) in {0, -signal.SIGTERM}, self.output(process)

    def _output_path(self, number: int) -> Path:
        return self.home / f"output-{number}.txt"


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler for this signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = re.search(r"^SigCgt:\s*(\w+)", status, re.MULTILINE)
    return caught is not None and bool(int(caught[1], 16) >> (number - 1) & 1)


def wait_until_stopped(process: subprocess.Popen[bytes]) -> None:
    """Wait for the kernel to say that a process is stopped."""

    def is_stopped() -> bool:
        # The state follows the name, which stands in brackets and may contain anything.
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    wait_until(is_stopped, "the process to be stopped", process)


def killed(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process that a failpoint kills."""
    try:
        assert process.wait(timeout=DRAIN_SECONDS) == -signal.SIGKILL
    except subprocess.TimeoutExpired:
        pytest.fail("the failpoint was never reached")
