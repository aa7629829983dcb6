"""A network that loses requests and answers, and a client that does not know which: it sends again."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Engine

from tests.faults.fleet import ON_SQLITE, Fleet
from tests.faults.invariants import check_all, read_log, rows
from tests.faults.proxy import Loss, proxy_to
from tests.faults.traffic import LISTENS, Traffic, connect

pytestmark = pytest.mark.faults


@ON_SQLITE
def test_whatever_the_network_loses_is_sent_again_and_counted_once(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path
) -> None:
    url, _ = fleet.serve()
    taken = {}
    with proxy_to(url) as proxy, connect(url) as client, traffic.audience(url):
        for loss in Loss:
            phone = traffic.phone(client)
            before = len(batches(home))
            proxy.losses.append(loss)
            with connect(proxy.url) as lossy:
                assert not traffic.send(lossy, phone)
            taken[loss] = len(batches(home)) - before
            with connect(proxy.url) as passing:
                assert traffic.send(passing, phone)
    # Half a batch is no batch; one whose answer got lost was kept.
    assert taken == {Loss.ACK: 1, Loss.REPLY: 1, Loss.REQUEST: 0, Loss.HEAD: 0}
    fleet.fold_all()
    check_all(engine, traffic, home)
    assert outcomes(engine) == {"counted": 4 * 2 * LISTENS, "duplicate": 2 * 2 * LISTENS}


def test_the_same_batch_from_eight_connections_at_once_counts_once(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path
) -> None:
    url, _ = fleet.serve()
    with connect(url) as client:
        phone = traffic.phone(client)
    ready = Barrier(8)

    def send(_number: int) -> bool:
        with connect(url) as client:
            ready.wait()
            return traffic.send(client, phone)

    worker = fleet.worker(EARSHOT_MICRO_BATCH="1")
    with ThreadPoolExecutor(8) as pool, traffic.audience(url):
        assert all(pool.map(send, range(8)))
    fleet.fold_all()
    fleet.stop_cleanly(worker)
    check_all(engine, traffic, home)
    assert outcomes(engine) == {"counted": 2 * LISTENS, "duplicate": 7 * 2 * LISTENS}


def batches(home: Path) -> list[bytes]:
    """The batches in the log, without the hits."""
    return [record.payload for record in read_log(home) if record.payload[1] == 1]


def outcomes(engine: Engine) -> dict[str, int]:
    """What became of the events."""
    found = rows(engine, "SELECT outcome, sum(events) FROM pipeline_day WHERE kind = 'event' GROUP BY outcome")
    return {outcome: int(events) for outcome, events in found}
