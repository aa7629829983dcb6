"""Erases a device: from the store, the log and the archive, with all totals kept; docs/operations.md.

Three steps, each of which may be interrupted and done again: the store's rows of the device are replaced by what stays
of them, in one transaction that also notes what that is; then its records in log and archive are replaced; then the
note goes.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from sqlalchemy import Engine

from api.events import EventLog, StoredRecord
from api.events.archive import Archive
from api.events.log import Record
from api.events.records import Actions, Gone, Kept, Replay, SyncBatch, pack, unpack
from api.measurement import playback
from api.measurement.archiving import refused
from api.measurement.rebuild import Rebuild, records_between
from models.columns import DAY_MS
from models.queries import erasures
from models.queries.erasures import PendingErasure

_logger = structlog.get_logger(__name__)


def erase_pending(engine: Engine, log: EventLog, archive: Archive) -> int:
    """Erase the devices that wish it; how many there were. The archive's lock must be held."""
    with engine.connect() as connection:
        pending = erasures.list_erasures(connection)
    for erasure in pending:
        kept = erasure.kept or _replace_in_store(engine, log, archive, erasure)
        _replace_records(log, archive, erasure, kept)
        with engine.begin() as connection:
            erasures.delete_erasure(connection, erasure.device)
        _logger.info("erased a device")
    return len(pending)


def records_of(log: EventLog, archive: Archive, partition: int, device: bytes) -> Iterator[StoredRecord]:
    """Everything that log and archive hold of a device, in order. Reads all of both."""
    for page in records_between(log, archive, partition, 0, log.end(partition)):
        yield from (record for record in page if record.key == device)


def _replace_in_store(engine: Engine, log: EventLog, archive: Archive, erasure: PendingErasure) -> bytes:
    """Replace its rows by what stays of them; that, packed."""
    records = [
        record
        for record in records_of(log, archive, erasure.partition, erasure.device)
        if record.offset < erasure.offset
    ]
    with TemporaryDirectory() as folder, Rebuild(engine, Path(folder) / "device.db") as rebuild:
        rebuild.fold(erasure.partition, records)
        sums = rebuild.sums()
    with engine.begin() as connection:
        old = erasures.list_playbacks_of_device(connection, erasure.device)
        uuids = erasures.list_uuids(connection, {row[2] for row in old})
        # Each with a stand-in of its own: who heard one episode cannot be seen to have heard another.
        new = [playback.to_row((row[0], secrets.token_bytes(16), row[2]), _without_device(row)) for row in old]
        kept = pack(
            Kept(
                erasures.hash_device(erasure.device),
                [(row[0], row[1], uuids[row[2]], row[4], row[5], row[6], row[9], row[10]) for row in new],
                *sums,
            )
        )
        erasures.replace_device(connection, erasure.device, old, new, kept)
    return kept


def _without_device(row: tuple[object, ...]) -> playback.Playback:
    state = playback.from_row(row)
    return playback.anonymous(int(str(row[0])) * DAY_MS, state.stored, state.wall_ms, state.is_start, state.is_offline)


def _replace_records(log: EventLog, archive: Archive, erasure: PendingErasure, kept: bytes) -> None:
    def replacement(record: StoredRecord) -> Record:
        if record.offset == erasure.offset:
            return Record(b"", kept)
        found = unpack(record.payload)
        is_later = record.offset > erasure.offset and isinstance(found, SyncBatch | Actions | Replay)
        return Record(b"", pack(refused(found) if is_later else Gone()))  # type: ignore[arg-type]

    partition = erasure.partition
    start = log.start(partition)
    in_log = [
        record
        for page in records_between(log, archive, partition, start, log.end(partition))
        for record in page
        if record.key == erasure.device
    ]
    log.rewrite(partition, {record.offset: replacement(record) for record in in_log})
    archive.rewrite(partition, erasure.device, replacement)
