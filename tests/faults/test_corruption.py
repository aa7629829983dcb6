"""Bytes of the log that the disk did not keep: what was in them is told as lost, everything behind it is counted."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.events.records import SyncBatch, unpack
from tests.conftest import free_port
from tests.device import DAY_MS
from tests.faults.fleet import DRAIN_SECONDS, ON_SQLITE, Fleet
from tests.faults.invariants import (
    check_acknowledged_is_kept,
    check_all,
    check_each_once_and_nothing_invented,
    check_rollups,
    read_log,
    rows,
)
from tests.faults.traffic import Traffic, connect

pytestmark = pytest.mark.faults
ROOT = Path(__file__).parents[2]
BATCHES = 40
PAGE = 4096
LEAF = 13
"""The first byte of a page that holds rows."""


@pytest.fixture
def log(fleet: Fleet, traffic: Traffic, home: Path) -> Path:
    """A log of many small acknowledged batches, all of it in the database file, and nobody using it."""
    url, api = fleet.serve()
    with connect(url) as client, traffic.audience(url):
        assert all(traffic.send_each(client, traffic.phone(client, BATCHES // 2)))
    fleet.stop(api)
    path = home / "events.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


def events_at(home: Path) -> dict[int, set[str]]:
    """Offset -> ids, hex, of the phone's events in that record, before anything is broken."""
    found = {}
    for record in read_log(home):
        unpacked = unpack(record.payload)
        if isinstance(unpacked, SyncBatch):
            found[record.offset] = {unpacked.head}
    return found


def flip(path: Path, place: int, count: int = 1) -> None:
    """Turn bytes of a file over."""
    content = bytearray(path.read_bytes())
    for index in range(place, place + count):
        content[index] ^= 0x55
    path.write_bytes(content)


def flip_a_payload(path: Path, offset: int) -> list[int]:
    """Flip one byte, in the middle of the times of one event: still good msgpack, still an event, another one."""
    connection = sqlite3.connect(path)
    [(payload,)] = connection.execute("SELECT payload FROM record WHERE id = ?", (offset,)).fetchall()
    connection.close()
    event = unpack(payload).events[0]
    place = payload.index(event[4].to_bytes(8, "big")) + 5  # about two days earlier or later
    whole = path.read_bytes()
    assert whole.count(payload) == 1
    flip(path, whole.index(payload) + place)
    return [offset]


def leaf_of(path: Path, offset: int) -> int:
    """The number of the page, from 0, in which a record lies."""
    connection = sqlite3.connect(path)
    [(payload,)] = connection.execute("SELECT payload FROM record WHERE id = ?", (offset,)).fetchall()
    connection.close()
    page = path.read_bytes().index(payload) // PAGE
    assert path.read_bytes()[page * PAGE] == LEAF
    return page


def offsets_in(path: Path, page: int) -> list[int]:
    """The offsets of the records in a page."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT id, payload FROM record ORDER BY id").fetchall()
    connection.close()
    content = path.read_bytes()[page * PAGE : (page + 1) * PAGE]
    return [offset for offset, payload in found if payload in content]


def wreck_a_page(path: Path, offset: int) -> list[int]:
    """Overwrite the whole page, as a bad sector does."""
    page = leaf_of(path, offset)
    lost = offsets_in(path, page)
    flip(path, page * PAGE, PAGE)
    return lost


def empty_a_page(path: Path, offset: int) -> list[int]:
    """Say that the page has no rows: nothing complains, they are just not there."""
    page = leaf_of(path, offset)
    lost = offsets_in(path, page)
    with path.open("r+b") as file:
        file.seek(page * PAGE + 3)
        file.write(bytes(2))
    return lost


DAMAGES: dict[str, Callable[[Path, int], list[int]]] = {
    "a byte of a time": flip_a_payload,
    "a page that cannot be read": wreck_a_page,
    "a page that has forgotten its rows": empty_a_page,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_the_disk_destroyed_is_told_and_all_behind_it_is_counted(
    log: Path,
    fleet: Fleet,
    engine: Engine,
    traffic: Traffic,
    home: Path,
    damage: Callable[[Path, int], list[int]],
) -> None:
    ids = events_at(home)
    middle = sorted(ids)[len(ids) // 2]
    last = max(ids)
    lost = damage(log, middle)
    assert middle in lost
    assert last not in lost
    worker = fleet.worker()
    fleet.wait_for_output(worker, "set aside as undecodable")
    told = re.search(r"damaged_on_disk.*?(\d+).*?offsets.*?\[([\d, ]+)\]", fleet.output(worker), re.DOTALL)
    assert told is not None, fleet.output(worker)
    fleet.fold_all()
    fleet.stop_cleanly(worker)
    excused = {event_id for offset in lost for event_id in ids.get(offset, ())}
    check_all(engine, traffic, home, excused=excused, unreadable=len(lost))
    aside = rows(engine, "SELECT payload, received_at_ms FROM set_aside WHERE cause = 'undecodable'")
    assert sorted(int(re.search(r'"offset": (\d+)', payload)[1]) for payload, _ in aside) == lost  # type: ignore[index]
    assert all(received_ms > 20_000 * DAY_MS for _, received_ms in aside)

    # A phone that still has its log, say from a backup, can send it again.
    url, _ = fleet.serve()
    with connect(url) as client:
        assert all(traffic.send_each(client, traffic.phones[0]))
    fleet.fold_all()
    check_all(engine, traffic, home, unreadable=len(lost))


@ON_SQLITE
def test_a_log_that_cannot_be_opened_names_itself_and_can_be_begun_anew(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path
) -> None:
    url, api = fleet.serve()
    with connect(url) as client:
        phone = traffic.phone(client)
        assert all(traffic.send_each(client, phone))
    fleet.fold_all()
    fleet.stop(api)
    path = home / "events.db"
    path.write_bytes(b"no database, but long enough to be looked at" * 200)
    for arguments in (["worker"], ["worker", "--once"], ["serve", "--port", str(free_port())]):
        process = fleet.start(*arguments)
        assert process.wait(timeout=DRAIN_SECONDS) != 0
        assert str(path) in fleet.output(process)
        assert "docs/operations.md" in fleet.output(process)

    # As the page says.
    path.rename(home / "events.db.damaged")
    assert fleet.drain() == 1
    offset, partition = re.search(
        r"up to offset (\d+) of partition (\d+)", fleet.output(fleet.running[-1]).replace("\n", " ")
    ).groups()  # type: ignore[union-attr]
    with closing(sqlite3.connect(path)) as log:
        update = "UPDATE partition SET first_offset = ?1, next_offset = ?1 WHERE partition = ?2"
        log.execute(update, (offset, partition))
        log.commit()
    assert update in (ROOT / "docs" / "operations.md").read_text()
    url, _ = fleet.serve()
    with connect(url) as client, traffic.audience(url):
        assert all(traffic.send_each(client, phone))
        assert all(traffic.send_each(client, traffic.phone(client)))
    fleet.fold_all()
    check_acknowledged_is_kept(engine, traffic, ())
    check_each_once_and_nothing_invented(engine, traffic)
    check_rollups(engine, traffic)
