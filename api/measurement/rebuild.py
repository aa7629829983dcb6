"""Folds what log and archive hold into a fresh store, by the very code that the worker folds with."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec
from sqlalchemy import Engine, event

from api.consumers import MEASUREMENT
from api.events import EventLog, StoredRecord
from api.events.archive import Archive
from api.events.records import Kept
from api.measurement.committing import commit_records, micro_batch
from api.measurement.prepare import Prepared, prepare
from api.measurement.store_step import commit_step
from models.columns import DAY_MS
from models.engine import make_engine, read_only
from models.migrate import migrate
from models.queries import offsets, rebuilding

PAGE = 2000
"""Records read, and folded, at a time."""


def records_between(
    log: EventLog, archive: Archive, partition: int, first: int, end: int
) -> Iterator[Sequence[StoredRecord]]:
    """Records with `first` <= offset < `end` in order, in pages: from the archive while it has them, then the log."""
    page: Sequence[StoredRecord]
    for page in archive.read(partition, first, end):
        yield page
        first = page[-1].offset + 1
    while first < end and (page := log.read(partition, first, min(PAGE, end - first))):
        yield page
        first = page[-1].offset + 1


class Rebuild:
    """A fresh SQLite store with a copy of the catalogue, to fold into. Its file is the caller's to keep or delete."""

    def __init__(self, live: Engine, path: Path, days: tuple[int, int] | None = None) -> None:
        """`days`: fold only events of these UTC day numbers, first and last."""
        self.engine = make_engine(f"sqlite:///{path}", durability="NORMAL")
        self._days = days
        self._next: dict[int, int] = {}

        @event.listens_for(self.engine, "connect")
        def on_connect(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA foreign_keys=OFF")  # the catalogue comes without its owners
            connection.execute("PRAGMA synchronous=OFF")

        migrate(self.engine)
        with read_only(live).connect() as source, self.engine.begin() as target:
            rebuilding.copy_catalogue(source, target)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()

    def fold(self, partition: int, records: Sequence[StoredRecord]) -> int:
        """Fold records that follow those folded before; how many events they had."""
        events = 0
        if partition not in self._next:
            with self.engine.begin() as connection:
                offsets.append_consumer(connection, MEASUREMENT, partition)
            self._next[partition] = 0
        while records:
            batch = micro_batch(records[:PAGE])
            events += self._commit(partition, batch)
            self._next[partition] = batch[-1].offset + 1
            records = records[len(batch) :]
        return events

    def _commit(self, partition: int, batch: Sequence[StoredRecord]) -> int:
        offset = self._next[partition]
        if self._days is None:
            return commit_records(self.engine, partition, offset, batch)
        prepared = _only_days(prepare(batch), *self._days)
        commit_step(self.engine, MEASUREMENT, partition, offset, prepared)
        return prepared.events

    def sums(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Arrivals, arrivals by show, and outcomes, as `Kept` has them."""
        with read_only(self.engine).connect() as connection:
            return rebuilding.list_sums(connection)


def _only_days(prepared: Prepared, first: int, last: int) -> Prepared:
    """Without the events of other days."""
    for item in prepared.batches:
        is_in = [first <= event_tuple[4] // DAY_MS <= last for event_tuple in item.batch.events]
        item.ids = [event_id for event_id, wanted in zip(item.ids, is_in, strict=True) if wanted]
        events = [found for found, wanted in zip(item.batch.events, is_in, strict=True) if wanted]
        item.batch = msgspec.structs.replace(item.batch, events=events)
    prepared.hits = [hit for hit in prepared.hits if first <= hit.at_ms // DAY_MS <= last]
    if prepared.kept:
        prepared.kept = Kept(
            prepared.kept.device_hash,
            [row for row in prepared.kept.playbacks if first <= row[0] <= last],
            [row for row in prepared.kept.arrivals if first <= row[2] <= last],
            [row for row in prepared.kept.show_arrivals if first <= row[1] <= last],
            prepared.kept.outcomes,
        )
    return prepared
