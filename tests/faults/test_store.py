"""A store that is locked or gone: batches are still taken, feeds and audio still answer, and the count catches up."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, make_url
from sqlmodel import Session

from models.queries import catalogue
from tests.conftest import wait_until
from tests.faults.fleet import Fleet
from tests.faults.invariants import check_all, check_answers
from tests.faults.traffic import Traffic, connect
from tests.postgres import PostgresServer

pytestmark = pytest.mark.faults


@contextmanager
def store_locked(home: Path) -> Iterator[None]:
    """Another program holds the SQLite store's write lock."""
    with closing(sqlite3.connect(home / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def store_gone(server: PostgresServer, database: str) -> Iterator[None]:
    """The PostgreSQL database cuts every connection and takes no new one."""
    server.connection.execute(f"ALTER DATABASE {database} WITH ALLOW_CONNECTIONS false")
    server.connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])
    try:
        yield
    finally:
        server.connection.execute(f"ALTER DATABASE {database} WITH ALLOW_CONNECTIONS true")


@contextmanager
def table_locked(server: PostgresServer, url: str) -> Iterator[None]:
    """Another program holds the row that the worker needs, and the worker waits for it."""
    with psycopg.connect(f"host={server.socket_folder} user=postgres dbname={make_url(url).database}") as other:
        other.execute("LOCK TABLE consumer_offset IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


@pytest.mark.parametrize(
    ("store_url", "fault"),
    [("sqlite", "locked"), ("postgresql", "gone"), ("postgresql", "locked")],
    indirect=["store_url"],
)
def test_a_store_that_does_not_answer_stops_the_count_and_nothing_else(
    fleet: Fleet,
    engine: Engine,
    traffic: Traffic,
    home: Path,
    store_url: str,
    fault: str,
    request: pytest.FixtureRequest,
) -> None:
    url, _ = fleet.serve()
    worker = fleet.worker()
    with connect(url) as client:
        phone = traffic.phone(client)
        assert traffic.send(client, phone, 1, 4)
        with traffic.audience(url), outage(request, home, store_url, fault):
            assert all(traffic.send_each(client, phone))
            if store_url.startswith("sqlite") or fault == "gone":
                fleet.wait_for_output(worker, "not available, trying again")
            else:
                server: PostgresServer = request.getfixturevalue("postgres_server")
                wait_until(lambda: is_waiting_for_a_lock(server), "the worker to wait for the lock", worker)
            assert all(traffic.send_each(client, phone))
    fleet.fold_all()
    fleet.stop_cleanly(worker)
    check_all(engine, traffic, home)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_connection_cut_after_the_feed_was_read_does_not_take_the_feed(
    client: TestClient, traffic: Traffic, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = catalogue.get_feed_state

    def read_and_cut(session: Session, slug: str, now: datetime) -> Any:
        state = read(session, slug, now)
        [(pid,)] = session.connection().exec_driver_sql("SELECT pg_backend_pid()")
        postgres_server.connection.execute("SELECT pg_terminate_backend(%s, 60000)", [pid])
        return state

    traffic.ask(client)
    monkeypatch.setattr(catalogue, "get_feed_state", read_and_cut)
    traffic.ask(client)
    check_answers(traffic)


@contextmanager
def outage(request: pytest.FixtureRequest, home: Path, store_url: str, fault: str) -> Iterator[None]:
    """One of the above."""
    if store_url.startswith("sqlite"):
        with store_locked(home):
            yield
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    database = str(make_url(store_url).database)
    with store_gone(server, database) if fault == "gone" else table_locked(server, store_url):
        yield


def is_waiting_for_a_lock(server: PostgresServer) -> bool:
    """Whether some statement is."""
    found = server.connection.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()
    return found is not None and found[0] > 0
