"""Imports of access logs that are killed, interrupted or short of a disk: the same command again, and no line is
missing or there twice."""

import json
import os
import signal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.import_commands import INTERRUPTED
from tests.api.measurement.downloads import product
from tests.faults.fleet import ON_SQLITE
from tests.faults.test_kill import API_STEPS, IMPORT_STEPS, WORKER_STEPS
from tests.imported import EPISODES, Imports, counted, line, outcomes, random_lines, straight, write

pytestmark = pytest.mark.faults

LINES = 3000
PADDING = "&x=" + "y" * 8000
"""Behind the path, so that a few thousand lines are several blocks."""


@pytest.fixture
def imports(engine: Engine, store_url: str, tmp_path: Path) -> Imports:
    """An installation with a feed's episodes."""
    product.publish(engine, EPISODES)
    return Imports(tmp_path, store_url)


def long_lines(seed: int) -> list[str]:
    """Of about three blocks."""
    return [text.replace(" HTTP/1.1", f"?source=feed{PADDING} HTTP/1.1") for text in random_lines(seed, LINES)]


@pytest.mark.parametrize("step", [*IMPORT_STEPS, *API_STEPS, *WORKER_STEPS])
def test_an_import_killed_at_any_step_goes_on_when_it_is_started_again(
    imports: Imports, engine: Engine, tmp_path: Path, step: str
) -> None:
    log = write(tmp_path / "a.log", long_lines(1))
    assert imports.run(log, EARSHOT_FAILPOINT=f"{step}:1").code == -signal.SIGKILL
    imports.run(log, EARSHOT_FAILPOINT=f"{step}:2")  # perhaps there is no second time
    again = imports.report(log)
    assert again["lines"] + again["skipped"] == log.read_text().count("\n")
    assert again["skipped"] or step not in {"import.after_append", "log.after_commit"}, "what was appended is imported"
    assert counted(engine) == straight(tmp_path / "straight", log)
    assert imports.report(log)["lines"] == 0


@pytest.mark.parametrize("step", [2, 4, 6, 7])
def test_a_file_that_grew_while_its_import_was_dead_loses_no_line(
    imports: Imports, engine: Engine, tmp_path: Path, step: int
) -> None:
    """Killed with a block, the first or the second, in some partitions of the event log and not in others. What follows
    is cut otherwise."""
    imports.settings["EARSHOT_PARTITIONS"] = "4"
    lines = long_lines(2)
    log = write(tmp_path / "a.log", lines[:1500])
    assert imports.run(log, EARSHOT_FAILPOINT=f"log.after_commit:{step}").code == -signal.SIGKILL
    write(log, lines)
    imports.report(log)
    found, whole = counted(engine), straight(tmp_path / "straight", log)
    # Lines of a block that some partitions had already are told as duplicates, and counted once.
    assert {**found, "pipeline_day": []} == {**whole, "pipeline_day": []}


@pytest.mark.parametrize("place", [1, 2])
def test_an_interrupted_import_says_how_it_goes_on(
    imports: Imports, engine: Engine, tmp_path: Path, place: int
) -> None:
    log = write(tmp_path / "a.log", long_lines(3))
    process = imports.start("--json", log, EARSHOT_FAILPOINT=f"import.after_append:{place}:stop")
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    out, _ = process.communicate()
    told = json.loads(out)
    assert process.returncode == 130
    assert told["problems"] == {str(log): INTERRUPTED}
    assert 0 < told["hits"] < LINES
    assert {name for name, hits in outcomes(engine).items() if hits} <= {"download", *told["causes"]}
    again = imports.report(log)
    assert again["skipped"] > 0
    assert counted(engine) == straight(tmp_path / "straight", log)


@ON_SQLITE
def test_the_interrupted_say_it_in_words_too(imports: Imports, tmp_path: Path) -> None:
    log = write(tmp_path / "a.log", [line()])
    process = imports.start(log, EARSHOT_FAILPOINT="import.after_append:1:stop")
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    out, _ = process.communicate()
    assert f"{log}: interrupted. The same command goes on from there." in " ".join(out.decode().split())


@ON_SQLITE
def test_a_disk_that_fails_is_told_and_the_import_goes_on_later(
    imports: Imports, engine: Engine, tmp_path: Path
) -> None:
    log = write(tmp_path / "a.log", long_lines(4))
    failed = imports.run(log, EARSHOT_FAILPOINT="log.before_commit:2:eio")
    assert (failed.code, "Input/output error" in failed.text, "Traceback" in failed.text) == (1, True, False)
    imports.report(log)
    assert counted(engine) == straight(tmp_path / "straight", log)


@ON_SQLITE
def test_an_import_takes_over_from_a_worker_that_was_killed(imports: Imports, engine: Engine, tmp_path: Path) -> None:
    """Its sign of life is still fresh, so it is waited for at first."""
    (tmp_path / "worker.alive").touch()
    log = write(tmp_path / "a.log", long_lines(5))
    imports.report(log)
    assert counted(engine) == straight(tmp_path / "straight", log)
