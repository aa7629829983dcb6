"""Folds what log and archive hold into a fresh store, by the very code that the worker folds with."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec
from sqlalchemy import Connection, Engine, event

from api.consumers import MEASUREMENT
from api.events import EventLog, StoredRecord
from api.events.archive import Archive
from api.events.records import Kept, Replay, is_replay, unpack
from api.measurement.causes import MAY_PASS
from api.measurement.committing import commit_records, micro_batch
from api.measurement.download_step import Rules
from api.measurement.impressions_redo import count_as
from api.measurement.incoming import only_days
from api.measurement.prepare import Prepared
from api.measurement.redo import recount_outdated
from models.columns import DAY_MS
from models.engine import make_engine, read_only
from models.migrate import migrate
from models.queries import download_folding, offsets, rebuilding
from models.queries.impressions import list_all_counted

PAGE = 2000
"""Records read, and folded, at a time."""


class MissingRecordsError(Exception):
    """Records that are in neither log nor archive; the text says which."""


def records_between(
    log: EventLog, archive: Archive, partition: int, first: int, end: int, *, strict: bool = False
) -> Iterator[Sequence[StoredRecord]]:
    """Records with `first` <= offset < `end` in order, in pages: from the archive while it has them, then the log.

    `strict`: raises MissingRecordsError when some are in neither, instead of going on behind them.
    """
    for page in archive.read(partition, first, end):
        if strict and page[0].offset != first:
            break  # the log may have what the archive lacks
        yield page
        first = page[-1].offset + 1
    while first < end and (found := log.read(partition, first, min(PAGE, end - first))):
        if strict and found[0].offset != first:
            raise MissingRecordsError(
                f"The records from offset {first} to {found[0].offset - 1} of partition {partition} are in neither log "
                "nor archive."
            )
        yield found
        first = found[-1].offset + 1


class Rebuild:
    """A fresh SQLite store with a copy of the catalogue, to fold into. Its file is the caller's to keep or delete.

    What lies in the catalogue of then is not in the log: whether an episode was known and published when an event of
    it came. There the rebuild believes the live store's set-aside events, and the log's replays of them.
    """

    def __init__(
        self, live: Engine, path: Path, days: tuple[int, int] | None = None, rules: Rules | None = None
    ) -> None:
        """`days`: fold only events of these UTC day numbers, first and last. `rules`: of downloads; the live store's
        if absent."""
        self.engine = make_engine(f"sqlite:///{path}", durability="NORMAL")
        self._days = days
        self._next: dict[int, int] = {}
        self._replayed: dict[bytes, str] = {}
        self._held: dict[bytes, str] = {}

        @event.listens_for(self.engine, "connect")
        def on_connect(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA foreign_keys=OFF")  # the catalogue comes without its owners
            connection.execute("PRAGMA synchronous=OFF")

        migrate(self.engine)
        with read_only(live).connect() as source:
            self.refresh(source)
            texts = rules.to_texts() if rules else download_folding.list_counting_rules(source)
            with self.engine.begin() as target:
                rebuilding.copy_past(source, target, is_cut=days is not None)
                download_folding.put_counting_rules(target, texts)

    def refresh(self, source: Connection) -> None:
        """Take over the catalogue as the live store has it now, what it has set aside because of it, and the ads it
        counts."""
        with self.engine.begin() as target:
            rebuilding.copy_catalogue(source, target)
            count_as(target, list_all_counted(source))
        recount_outdated(self.engine)
        self._held = self._replayed | rebuilding.list_held(source, MAY_PASS)

    def note_replays(self, records: Iterable[StoredRecord]) -> None:
        """Know of replays before the events are folded: until then these were set aside."""
        for record in records:
            if not record.is_damaged and is_replay(record.payload):
                found = unpack(record.payload)
                if isinstance(found, Replay):
                    self._replayed[found.event_id] = ""
                    self._held.setdefault(found.event_id, "")

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
        return commit_records(self.engine, partition, self._next[partition], batch, self._as_then)

    def _as_then(self, prepared: Prepared) -> Prepared:
        prepared.held = self._held
        return _only_days(prepared, *self._days) if self._days else prepared

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
    prepared.chunks = [only_days(chunk, first, last) for chunk in prepared.chunks]
    if prepared.kept:
        prepared.kept = Kept(
            prepared.kept.device_hash,
            [row for row in prepared.kept.playbacks if first <= row[0] <= last],
            [row for row in prepared.kept.arrivals if first <= row[2] <= last],
            [row for row in prepared.kept.show_arrivals if first <= row[1] <= last],
            prepared.kept.outcomes,
        )
    return prepared
