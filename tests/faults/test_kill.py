"""kill -9 at every step: after restart and client retry, every acknowledged event is counted exactly once."""

import re
import signal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.faults.fleet import ON_SQLITE, Fleet, killed
from tests.faults.invariants import check_all, read_log, rows
from tests.faults.traffic import LISTENS, Traffic, connect

pytestmark = pytest.mark.faults

API_STEPS = ["log.before_commit", "log.after_commit"]
WORKER_STEPS = [
    "worker.before_claim",
    "worker.after_claim",
    "worker.after_playbacks",
    "worker.after_rollups",
    "worker.before_commit",
    "worker.after_commit",
]
IMPORT_STEPS = ["import.after_append"]
SENDING_STEPS = ["webhooks.before_settle"]


def counted_events(engine: Engine) -> int:
    """Events that were counted."""
    found = rows(engine, "SELECT sum(events) FROM pipeline_day WHERE kind = 'event' AND outcome = 'counted'")
    return int(found[0][0] or 0)


def test_every_place_to_die_is_died_at() -> None:
    api = Path(__file__).parents[2] / "api"
    named = {
        name for path in api.rglob("*.py") for name in re.findall(r'failpoints\.reach\("([\w.]+)"', path.read_text())
    }
    assert named == {*API_STEPS, *WORKER_STEPS, *IMPORT_STEPS, *SENDING_STEPS}


@ON_SQLITE
@pytest.mark.parametrize("step", API_STEPS)
def test_the_api_killed_around_a_commit_loses_and_doubles_nothing(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path, step: str
) -> None:
    url, api = fleet.serve(EARSHOT_FAILPOINT=f"{step}:3")
    with connect(url) as client:
        phone = traffic.phone(client)
        acknowledged = traffic.send_each(client, phone)
    killed(api)
    assert acknowledged == [True] * 2 + [False] * (2 * LISTENS - 2)
    fleet.fold_all()
    assert counted_events(engine) == (2 if step == "log.before_commit" else 3)

    url, _ = fleet.serve()
    with connect(url) as client, traffic.audience(url):
        assert all(traffic.send_each(client, phone))
    fleet.fold_all()
    assert counted_events(engine) == 2 * LISTENS
    check_all(engine, traffic, home)


@pytest.mark.parametrize("step", WORKER_STEPS)
def test_the_worker_killed_at_any_step_counts_once(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path, step: str
) -> None:
    url, _ = fleet.serve()
    with connect(url) as client:
        phone = traffic.phone(client)
        assert traffic.send(client, phone, 1, 10)
        assert traffic.send(client, phone)
    assert fleet.drain(EARSHOT_FAILPOINT=step) == -signal.SIGKILL
    assert counted_events(engine) == (2 * LISTENS if step == "worker.after_commit" else 0)
    with traffic.audience(url):
        fleet.fold_all()
    fleet.fold_all()  # what the audience heard of
    assert counted_events(engine) == 2 * LISTENS
    check_all(engine, traffic, home)


def test_a_worker_killed_after_every_commit_counts_once(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path
) -> None:
    """Killed after each micro-batch in turn, until the log is folded."""
    url, _ = fleet.serve()
    with connect(url) as client:
        assert all(traffic.send_each(client, traffic.phone(client)))
    assert len(read_log(home)) == 2 * LISTENS
    exits = [fleet.drain(EARSHOT_FAILPOINT="worker.before_commit", EARSHOT_MICRO_BATCH="12")]
    for _ in range(2 * LISTENS):
        exits.append(fleet.drain(EARSHOT_FAILPOINT="worker.after_commit", EARSHOT_MICRO_BATCH="12"))
        if exits[-1] == 0:
            break
    assert exits == [-signal.SIGKILL] * 3 + [0]
    with traffic.audience(url):
        pass
    fleet.fold_all()
    check_all(engine, traffic, home)
