"""Several workers on one log, one of them halted and woken: every event is counted exactly once."""

import signal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.conftest import wait_until
from tests.faults.fleet import Fleet, wait_until_stopped
from tests.faults.invariants import check_all, rows
from tests.faults.traffic import LISTENS, Traffic, connect

pytestmark = pytest.mark.faults


def offset(engine: Engine) -> int:
    """How far the worker is."""
    found = rows(engine, "SELECT next_offset FROM consumer_offset")
    return int(found[0][0]) if found else 0


def test_two_workers_at_once_count_once(fleet: Fleet, engine: Engine, traffic: Traffic, home: Path) -> None:
    url, _ = fleet.serve()
    workers = [fleet.worker(EARSHOT_MICRO_BATCH="3") for _ in range(2)]
    with connect(url) as client, traffic.audience(url):
        assert all(traffic.send_each(client, traffic.phone(client)))
    fleet.fold_all()
    fleet.stop_cleanly(*workers)
    check_all(engine, traffic, home)


def test_a_worker_halted_before_its_claim_commits_nothing_twice(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path
) -> None:
    """It read records and an offset, slept, and another worker folded the same records meanwhile."""
    url, _ = fleet.serve()
    sleeper = fleet.worker(EARSHOT_FAILPOINT="worker.before_claim:1:stop")
    with connect(url) as client, traffic.audience(url):
        phone = traffic.phone(client)
        assert traffic.send(client, phone, 1, LISTENS)
        wait_until_stopped(sleeper)
        fleet.fold_all()
        assert offset(engine) > 0
        assert traffic.send(client, phone)
    sleeper.send_signal(signal.SIGCONT)
    fleet.wait_for_output(sleeper, "another worker is folding this partition")
    fleet.fold_all()
    fleet.stop_cleanly(sleeper)
    check_all(engine, traffic, home)


@pytest.mark.parametrize("step", ["worker.after_claim", "worker.before_commit"])
def test_a_worker_halted_within_its_transaction_keeps_only_the_workers_waiting(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path, step: str
) -> None:
    """It holds the store, or its row of it: batches are still taken and feeds still answer."""
    url, _ = fleet.serve()
    with connect(url) as client:
        phone = traffic.phone(client)
        sleeper = fleet.worker(EARSHOT_FAILPOINT=f"{step}:1:stop")
        assert traffic.send(client, phone, 1, LISTENS)
        wait_until_stopped(sleeper)
        other = fleet.worker()
        with traffic.audience(url):
            assert traffic.send(client, phone)
            assert traffic.send(client, phone, 1, 4)
    assert offset(engine) == 0
    sleeper.send_signal(signal.SIGCONT)
    wait_until(lambda: offset(engine) > 0, "the woken worker to commit", sleeper)
    fleet.fold_all()
    fleet.stop_cleanly(sleeper, other)
    check_all(engine, traffic, home)


def test_a_worker_told_to_stop_before_it_has_opened_anything_stops_cleanly(fleet: Fleet) -> None:
    fleet.stop_cleanly(fleet.worker())
