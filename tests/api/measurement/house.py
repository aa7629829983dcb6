"""An installation without processes, for tests that replay days: its clock is set, its worker is called."""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from api import clock
from api.events import Record
from api.events.archive import Archive
from api.events.opening import open_log
from api.events.records import Hit, SyncBatch, pack
from api.measurement.housekeeping import Housekeeper
from api.measurement.recount import Days, Recount, Report
from api.measurement.worker import Worker
from api.settings import Settings
from models.columns import DAY_MS
from tests.device import Phone

NOON_MS = 12 * 3_600_000


class House:
    """Store, log and archive of one installation."""

    def __init__(self, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engine = engine
        self.settings = settings
        self.now_ms = clock.now_ms() // DAY_MS * DAY_MS + NOON_MS
        self.today = self.now_ms // DAY_MS
        monkeypatch.setattr("api.clock.now_ms", lambda: self.now_ms)
        self.log = open_log(settings.resolved_events_url(), partitions=settings.partitions)
        self.archive = Archive(settings.resolved_archive_dir())
        self.worker = Worker(engine, self.log, settings)
        self.housekeeper = Housekeeper(engine, self.log, self.archive, settings.retention_days)

    def close(self) -> None:
        """Let go of the log."""
        with suppress(Exception):
            self.log.close()

    def day(self, number: int) -> None:
        """Set the clock to noon of a day, counted from today: -1 is yesterday."""
        self.now_ms = (self.today + number) * DAY_MS + NOON_MS

    def append(self, key: bytes, payload: bytes) -> None:
        """Append a record, durably."""
        asyncio.run(self.log.append(Record(key, payload)))

    def send(self, phone: Phone, first: int, last: int) -> None:
        """A batch of the phone arrives."""
        body = phone.batch(first, last)
        events = [tuple(event.values()) for event in body["events"]]
        record = SyncBatch(
            phone.bytes, self.now_ms, uuid4().bytes * 2, body["after"], body["head"], first, last, events
        )
        self.append(phone.bytes, pack(record))

    def hit(self, episode: Any, user_agent: str = "Castaway/7.1 (iPhone)") -> None:
        """Somebody asks for the audio."""
        consumer = uuid4().bytes
        hit = Hit(
            self.now_ms, str(episode), consumer, "GET", 200, "", 2_000_000, user_agent, "https://referrer.example/", ""
        )
        self.append(consumer, pack(hit))

    def count(self) -> None:
        """The worker folds all there is."""
        self.worker.drain()

    def recount(self, days: Days | None = None, *, apply: bool = False) -> Report:
        """Rebuild and compare."""
        return Recount(self.engine, self.log, self.archive, days).run(apply=apply)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What a statement finds."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]

    def change(self, statement: str) -> None:
        """Change the store behind Earshot's back."""
        with self.engine.begin() as connection:
            connection.execute(text(statement))

    def totals(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that any page shows."""
        return {
            table: sorted(self.rows(f"SELECT * FROM {table}"))
            for table in ("episode_day", "arrival_day", "show_arrival", "episode_heard", "hit_outcome", "pipeline_day")
        }

    def kept_payloads(self) -> list[bytes]:
        """Keys and payloads of every record of log and archive."""
        found = []
        for partition in range(self.log.partitions):
            pages = [self.log.read(partition, 0, 10_000), *self.archive.read(partition, 0, 1 << 40)]
            found += [part for page in pages for record in page for part in (record.key, record.payload)]
        return found


def wrong(report: Report) -> dict[str, tuple[int, int, int]]:
    """Tables that differ: rows missing, extra, different."""
    return {table.table: (table.missing, table.extra, table.different) for table in report.tables if table.wrong}
