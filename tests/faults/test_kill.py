"""kill -9 at every step: after restart and client retry, every acknowledged event is counted exactly once."""

import signal
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from api.events.opening import open_log
from models.tables import Episode
from tests.conftest import Processes
from tests.device import DAY_MS, Phone, encode, now_ms, register
from tests.factories import make_episode

pytestmark = pytest.mark.faults

LISTENS = 12


@pytest.fixture
def episode(engine: Engine) -> Episode:
    """A published episode of ten minutes."""
    with Session(engine) as session:
        return make_episode(session)


def listener(client: httpx2.Client, episode: Episode) -> Phone:
    """A phone with one offline listen on each of several days, two events each."""
    phone = register(client)
    for day in range(LISTENS):
        at_ms = now_ms() - (day + 1) * DAY_MS
        phone.write(episode.uuid, "play", at_ms=at_ms, offline=True)
        phone.write(episode.uuid, "pause", 0, 45_000, at_ms=at_ms + 1000, offline=True)
    return phone


def send(client: httpx2.Client, phone: Phone, first: int, last: int) -> bool:
    """Send a batch; whether it was acknowledged."""
    try:
        answer = client.post("/v1/sync", content=encode(phone.batch(first, last)), headers=phone.headers)
    except httpx2.TransportError:
        return False
    assert answer.status_code in {202, 503}, answer.text
    return answer.status_code == 202


def counted(engine: Engine) -> tuple[int, int, int]:
    """Listens and heard seconds of the rollup, and events over all outcomes but duplicates."""
    with engine.connect() as connection:
        listens, seconds = connection.execute(
            text("SELECT coalesce(sum(listens), 0), coalesce(sum(heard_seconds), 0) FROM episode_day")
        ).one()
        events = connection.execute(
            text("SELECT coalesce(sum(events), 0) FROM pipeline_day WHERE kind = 'event' AND outcome <> 'duplicate'")
        ).scalar_one()
        return int(listens), int(seconds), int(events)


def run_worker(processes: Processes, **environment: str) -> int:
    """Drain the log; the exit code."""
    return processes.start("worker", "--once", **environment).wait(timeout=120)


@pytest.mark.parametrize("failpoint", ["log.before_commit:3", "log.after_commit:3"])
def test_the_api_killed_around_a_commit_loses_and_doubles_nothing(
    processes: Processes, engine: Engine, episode: Episode, failpoint: str
) -> None:
    url, api = processes.serve(EARSHOT_FAILPOINT=failpoint)
    with httpx2.Client(base_url=url) as client:
        phone = listener(client, episode)
        stretches = [(first, first + 3) for first in range(1, 2 * LISTENS, 4)]
        acknowledged = [stretch for stretch in stretches if send(client, phone, *stretch)]
    assert api.wait(timeout=30) == -signal.SIGKILL
    assert 0 < len(acknowledged) < len(stretches)
    run_worker(processes)
    listens, _, _ = counted(engine)
    assert listens >= 2 * len(acknowledged)

    url, _ = processes.serve()
    with httpx2.Client(base_url=url) as client:
        assert all(send(client, phone, *stretch) for stretch in stretches)
    run_worker(processes)
    assert counted(engine) == (LISTENS, LISTENS * 45, 2 * LISTENS)


STEPS = [
    "worker.after_claim",
    "worker.after_playbacks",
    "worker.after_rollups",
    "worker.before_commit",
    "worker.after_commit",
]


@pytest.mark.parametrize("failpoint", STEPS)
def test_the_worker_killed_at_any_step_counts_once(
    processes: Processes, engine: Engine, episode: Episode, failpoint: str
) -> None:
    url, _ = processes.serve()
    with httpx2.Client(base_url=url) as client:
        phone = listener(client, episode)
        assert send(client, phone, 1, 10)
        assert send(client, phone, 1, 2 * LISTENS)
    assert run_worker(processes, EARSHOT_FAILPOINT=failpoint) == -signal.SIGKILL
    before = counted(engine)
    assert before == ((LISTENS, LISTENS * 45, 2 * LISTENS) if failpoint == "worker.after_commit" else (0, 0, 0))
    assert run_worker(processes) == 0
    assert counted(engine) == (LISTENS, LISTENS * 45, 2 * LISTENS)


def test_a_worker_killed_after_every_commit_counts_once(
    processes: Processes, engine: Engine, episode: Episode, tmp_path: Path
) -> None:
    """Killed after each micro-batch in turn, until the log is folded."""
    url, _ = processes.serve()
    with httpx2.Client(base_url=url) as client:
        phone = listener(client, episode)
        for seq in range(1, 2 * LISTENS + 1):
            assert send(client, phone, seq, seq)
    log = open_log(f"sqlite:///{tmp_path / 'events.db'}")
    assert log.end(0) == 2 * LISTENS
    log.close()
    exits = [run_worker(processes, EARSHOT_FAILPOINT="worker.before_commit", EARSHOT_MICRO_BATCH="6")]
    for _ in range(2 * LISTENS):
        exits.append(run_worker(processes, EARSHOT_FAILPOINT="worker.after_commit", EARSHOT_MICRO_BATCH="6"))
        if exits[-1] == 0:
            break
    assert exits[-1] == 0
    assert exits.count(-signal.SIGKILL) == 5
    assert counted(engine) == (LISTENS, LISTENS * 45, 2 * LISTENS)


def test_two_workers_at_once_count_once(processes: Processes, engine: Engine, episode: Episode) -> None:
    url, _ = processes.serve()
    with httpx2.Client(base_url=url) as client:
        phone = listener(client, episode)
        workers = [processes.start("worker") for _ in range(2)]
        for seq in range(1, 2 * LISTENS + 1):
            assert send(client, phone, seq, seq)
    assert run_worker(processes) == 0
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    assert [worker.wait(timeout=30) for worker in workers] == [0, 0]
    assert counted(engine) == (LISTENS, LISTENS * 45, 2 * LISTENS)


def test_a_stopped_worker_that_wakes_up_later_commits_nothing_twice(
    processes: Processes, engine: Engine, episode: Episode
) -> None:
    url, _ = processes.serve()
    sleeper = processes.start("worker")
    with httpx2.Client(base_url=url) as client:
        phone = listener(client, episode)
        assert send(client, phone, 1, LISTENS)
        sleeper.send_signal(signal.SIGSTOP)
        assert send(client, phone, LISTENS + 1, 2 * LISTENS)
    other = processes.start("worker")
    sleeper.send_signal(signal.SIGCONT)
    assert run_worker(processes) == 0
    for worker in (sleeper, other):
        worker.send_signal(signal.SIGTERM)
    assert [worker.wait(timeout=30) for worker in (sleeper, other)] == [0, 0]
    assert counted(engine) == (LISTENS, LISTENS * 45, 2 * LISTENS)
