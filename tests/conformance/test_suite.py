"""The suite against Earshot itself, from the command line as anybody would."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from tests.conformance.conftest import Running
from tests.conformance.crooked import Crooked, Reply, Request, serving
from tests.conftest import Processes, free_port
from tests.factories import make_user

ROOT = Path(__file__).parents[2]


def conformance(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`earshot conformance ARGUMENTS`."""
    command = [sys.executable, "-m", "api", "conformance", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_earshot_meets_its_own_protocol(processes: Processes, engine: Engine) -> None:
    with Session(engine) as session:
        api_key = make_user(session)[1]
    url, _ = processes.serve()
    processes.start("worker")
    done = conformance(url, "--api-key", api_key, "--json")
    report = json.loads(done.stdout)
    assert [each for each in report["requirements"] if each["result"] == "failed"] == []
    assert {each["id"] for each in report["requirements"] if each["result"] == "skipped"} <= {"conduct/busy"}
    assert (done.returncode, report["is_conformant"], report["is_complete"]) == (0, True, True)


def test_without_a_key_what_is_counted_is_skipped_with_a_reason(running: Running) -> None:
    done = conformance(running.url, "--json")
    report = json.loads(done.stdout)
    skipped = {each["id"]: each["seen"] for each in report["requirements"] if each["result"] == "skipped"}
    assert done.returncode == 0
    assert "--api-key" in skipped["playbacks/exactly-thirty-seconds"]
    assert report["passed"] + report["skipped"] == len(report["requirements"])
    assert set(report["requirements"][0]) == {"id", "clause", "title", "result", "seen"}


class Elsewhere(Crooked):
    """Some other web server, at any path."""

    def answer(self, request: Request) -> Reply:
        return Reply(404, b"<h1>Not found</h1>", {"Content-Type": "text/html"})


class MovedAway(Crooked):
    """Sends on to https."""

    def answer(self, request: Request) -> Reply:
        return Reply(301, b"", {"Location": "https://podcasts.example.com/v1/devices"})


class WrongInOneThing(Crooked):
    """Says nothing of the events it took."""

    def answer(self, request: Request) -> Reply:
        found = self.forward(request)
        return found.altered(accepted=None) if request.is_batch and found.status == 202 else found


def test_a_server_that_fails_is_exit_status_1_with_a_table_that_says_what_was_seen(running: Running) -> None:
    with serving(WrongInOneThing(), running.url) as url:
        done = conformance(url)
    assert done.returncode == 1
    assert "FAIL" in done.stdout
    assert "accepted is None of 2 good events" in done.stdout
    assert "does not meet sync protocol v1" in done.stdout


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("127.0.0.1:8000", "Write it whole, as http://127.0.0.1:8000"),
        ("ftp://127.0.0.1", "Write it whole"),
        ("http://..", "Write it whole"),
        ("http://127.0.0.1 8000", "Write it whole"),
        ("http://127.0.0.1:99999", "Write it whole"),
        ("http://127.0.0.1:8000/?x=1", "Leave the rest away"),
        ("", "Write it whole"),
    ],
)
def test_what_is_no_address_is_said_in_a_line(url: str, says: str) -> None:
    done = conformance(url)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nobody_there_is_said_in_a_line() -> None:
    done = conformance(f"http://127.0.0.1:{free_port()}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Is it running, is the port right, is it http or https?" in done.stderr


def test_http_spoken_as_https_is_said_in_a_line(running: Running) -> None:
    done = conformance(running.url.replace("http:", "https:"))
    assert done.returncode == 2
    assert "is it http or https?" in done.stderr


@pytest.mark.parametrize(
    ("other", "says"), [(Elsewhere(), "not as a sync server"), (MovedAway(), "https://podcasts.example.com")]
)
def test_another_server_is_told_from_a_wrong_one(other: Crooked, says: str) -> None:
    with serving(other) as url:
        done = conformance(f"{url}/some/path/")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_a_key_that_is_refused_is_said_at_once(running: Running) -> None:
    done = conformance(running.url, "--api-key", "es_wrong")
    assert (done.returncode, done.stdout) == (2, "")
    assert "The API key is refused" in done.stderr


class Interrupts(Crooked):
    """Has the suite interrupted as soon as it sends its first batch."""

    suite: subprocess.Popen[str] | None = None

    def answer(self, request: Request) -> Reply:
        if request.is_batch and self.suite is not None:
            self.suite.send_signal(signal.SIGINT)
        return self.forward(request)


def test_ctrl_c_shows_what_was_tried_by_then(running: Running) -> None:
    crooked = Interrupts()
    with serving(crooked, running.url) as url:
        command = [sys.executable, "-m", "api", "conformance", url]
        crooked.suite = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
        )
        out, err = crooked.suite.communicate()
    assert crooked.suite.returncode == 130
    assert "Stopped before the end: 3 passed" in out
    assert "Traceback" not in err
