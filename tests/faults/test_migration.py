"""A new schema comes while events are on their way: they are counted after it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from alembic import command
from sqlalchemy import Engine

from models.migrate import _config, is_current, migrate
from tests.conftest import wait_until
from tests.faults.fleet import Fleet
from tests.faults.invariants import check_all
from tests.faults.traffic import Traffic, connect

pytestmark = pytest.mark.faults


def downgrade(engine: Engine, revision: str) -> None:
    """Make the store what an older Earshot left."""
    with engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def age_log(path: Path) -> None:
    """Make the log what Earshot 0.1 left: no checksums, no first offset."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE record DROP COLUMN crc")
        connection.execute("ALTER TABLE partition DROP COLUMN first_offset")
        connection.commit()


@contextmanager
def sending(traffic: Traffic, url: str) -> Iterator[None]:
    """A phone that sends its log again and again, all through the block."""
    over, started = Event(), Event()
    taken: list[bool] = []
    with connect(url) as client:
        phone = traffic.phones[0]

        def send_on() -> None:
            while not over.is_set():
                taken.append(all(traffic.send_each(client, phone)))
                started.set()

        sender = Thread(target=send_on)
        sender.start()
        try:
            wait_until(started.is_set, "the phone to have sent its log once")
            yield
        finally:
            over.set()
            sender.join()
    assert taken
    assert all(taken)


def test_events_that_came_before_and_during_a_migration_are_counted_after_it(
    fleet: Fleet, engine: Engine, traffic: Traffic, home: Path
) -> None:
    url, api = fleet.serve()
    with connect(url) as client:
        phone = traffic.phone(client)
        assert traffic.send(client, phone, 1, 10)
    fleet.fold_all()
    with connect(url) as client:
        assert traffic.send(client, phone, 6, 14)
    fleet.stop(api)
    age_log(home / "events.db")

    url, _ = fleet.serve()
    with sending(traffic, url), traffic.audience(url):
        downgrade(engine, "0001")
        assert not is_current(engine)
        assert fleet.drain() == 1
        assert "Run `earshot migrate` first" in fleet.output(fleet.running[-1])
        assert migrate(engine)
    fleet.fold_all()
    check_all(engine, traffic, home, coarser=["show_arrival"])
