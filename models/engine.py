"""Engines for the store, tuned the same way everywhere."""

import sqlite3
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

BUSY_TIMEOUT_MS = 15_000
"""How long a writer waits for another process's transaction before it fails."""

Durability = Literal["FULL", "NORMAL"]


def make_engine(url: str | URL, *, durability: Durability = "FULL") -> Engine:
    """An engine for SQLite or PostgreSQL.

    `durability` is SQLite's `synchronous`. The worker may use NORMAL: a power cut then takes back its last commits,
    effects and offset together, and the log still has the events. Everybody else acknowledges something, so FULL.
    Errors do not show the values of a statement: they go into the service's log, and values are people's.
    """
    url = make_url(url)
    match url.get_backend_name():
        case "sqlite":
            return _sqlite_engine(url, durability)
        case "postgresql":
            return create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True)
        case other:
            raise ArgumentError(f"no store on {other}; use sqlite:///path/to/store.db or postgresql+psycopg://...")


def _sqlite_engine(url: URL, durability: Durability) -> Engine:
    database = url.database
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    connect_args = {"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
    engine = create_engine(url, connect_args=connect_args, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def on_connect(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own BEGIN comes late and deferred; ours is sent by on_begin.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={durability}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("PRAGMA cache_size=-65536")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        # A deferred transaction that reads first and writes later fails at once with SQLITE_BUSY_SNAPSHOT when another
        # process wrote in between, whatever the timeout; writers therefore ask for the lock at their start.
        options = connection.get_execution_options()
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("is_writer", True) else "BEGIN")

    return engine


def empty_wal(engine: Engine) -> None:
    """On SQLite, copy the write-ahead log into the store and cut it: it still has the bytes of what was deleted.

    Best effort: readers that are at it keep it for a while.
    """
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.close()


def read_only(engine: Engine) -> Engine:
    """The same store and the same connections for reading: on SQLite its transactions do not wait for writers."""
    return engine.execution_options(is_writer=False)


def make_read_engine(url: str) -> Engine:
    """An engine for readers, with connections of its own: writers that wait for each other never keep a reader waiting,
    neither for SQLite's lock nor for a place in the pool."""
    return read_only(make_engine(url))
