"""Erases a device: from the store, the log and the archive, with all totals kept; docs/operations.md.

Three steps, each of which may be interrupted and done again: the store's rows of the device are replaced by what stays
of them, in one transaction that also notes what that is; then its records in log and archive are replaced; then the
note goes.
"""

import secrets
from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog
from sqlalchemy import Connection, Engine

from api.events import EventLog, StoredRecord
from api.events.archive import Archive
from api.events.log import Record
from api.events.records import Actions, Gone, Kept, Replay, SyncBatch, pack
from api.holds.erasing import follow_device
from api.measurement import playback
from api.measurement.archiving import refused, try_unpack
from api.measurement.impressions_redo import replace_device
from api.measurement.reach_step import redo_shows
from api.measurement.rebuild import Rebuild, records_between
from models.columns import DAY_MS
from models.engine import empty_wal
from models.queries import erasures, folding
from models.queries.erasures import PendingErasure
from models.queries.impressions import list_shows_of_episodes

AT_ONCE = 500
"""Devices erased with one reading of log and archive; all their records are in memory then."""

_logger = structlog.get_logger(__name__)


def erase_pending(engine: Engine, log: EventLog, archive: Archive) -> int:
    """Erase the devices that wish it; how many there were. The archive's lock must be held.

    Log and archive are read once for `AT_ONCE` devices of a partition, however many wishes each of them sent.
    """
    with engine.connect() as connection:
        pending = erasures.list_erasures(connection)
    for partition, group in groupby(pending, lambda erasure: erasure.partition):
        wishes = list(group)
        for start in range(0, len(wishes), AT_ONCE):
            _erase(engine, log, archive, partition, wishes[start : start + AT_ONCE])
    if pending:
        _logger.info("erased devices", devices=len(pending))
    return len(pending)


def records_of(
    log: EventLog, archive: Archive, partition: int, devices: Collection[bytes]
) -> dict[bytes, list[StoredRecord]]:
    """Everything that log and archive hold of these devices, in order. Reads all of both."""
    found: dict[bytes, list[StoredRecord]] = {device: [] for device in devices}
    for page in records_between(log, archive, partition, 0, log.end(partition)):
        for record in page:
            if record.key in found:
                found[record.key].append(record)
    return found


def _erase(engine: Engine, log: EventLog, archive: Archive, partition: int, wishes: Sequence[PendingErasure]) -> None:
    found = records_of(log, archive, partition, [wish.device for wish in wishes])
    kept = {wish.device: wish.kept or _replace_in_store(engine, wish, found[wish.device]) for wish in wishes}
    empty_wal(engine)
    asked_at = {wish.device: wish.offset for wish in wishes}

    def replacement(record: StoredRecord) -> Record:
        return _replacement(record, asked_at[record.key], kept[record.key])

    start = log.start(partition)
    in_log = (record for records in found.values() for record in records if record.offset >= start)
    log.rewrite(partition, {record.offset: replacement(record) for record in in_log})
    archive.rewrite(partition, asked_at.keys(), replacement)
    with engine.begin() as connection:
        for wish in wishes:
            erasures.delete_erasure(connection, wish.device)


def _replacement(record: StoredRecord, asked_at: int, kept: bytes) -> Record:
    """What stands in the place of an erased device's record."""
    if record.offset == asked_at:
        return Record(b"", kept)
    found = try_unpack(record)
    if record.offset > asked_at and isinstance(found, SyncBatch | Actions | Replay):
        return Record(b"", pack(refused(found)))
    return Record(b"", pack(Gone()))


def _replace_in_store(engine: Engine, wish: PendingErasure, records: Sequence[StoredRecord]) -> bytes:
    """Replace its rows by what stays of them; that, packed."""
    before = [record for record in records if record.offset < wish.offset]
    sums = _sums_of(engine, wish.partition, before) if before else ([], [], [])
    with engine.begin() as connection:
        folding.lock_folding(connection, exclusive=False)
        old = erasures.list_playbacks_of_device(connection, wish.device)
        uuids = erasures.list_uuids(connection, {row[2] for row in old})
        # Each with a stand-in of its own: who heard one episode cannot be seen to have heard another.
        new = [playback.to_row((row[0], secrets.token_bytes(16), row[2]), _without_device(row)) for row in old]
        kept = pack(
            Kept(
                erasures.hash_device(wish.device),
                [(row[0], row[1], uuids[row[2]], row[4], row[5], row[6], row[9], row[10]) for row in new],
                *sums,
            )
        )
        erasures.replace_device(connection, wish.device, old, new, kept)
        follow_device(connection, wish.device, old, new)
        replace_device(connection, wish.device, new)
        _redo_reach(connection, new)
    return kept


def _redo_reach(connection: Connection, playbacks: Sequence[tuple[Any, ...]]) -> None:
    shows = list_shows_of_episodes(connection, {row[2] for row in playbacks})
    days: dict[int, set[int]] = defaultdict(set)
    for row in playbacks:
        days[row[0]].add(shows[row[2]])
    redo_shows(connection, days)


def _sums_of(engine: Engine, partition: int, records: Sequence[StoredRecord]) -> tuple[list[Any], list[Any], list[Any]]:
    with TemporaryDirectory() as folder, Rebuild(engine, Path(folder) / "device.db") as rebuild:
        rebuild.fold(partition, records)
        return rebuild.sums()


def _without_device(row: tuple[Any, ...]) -> playback.Playback:
    state = playback.from_row(row)
    return playback.anonymous(row[0] * DAY_MS, state.stored, state.wall_ms, state.is_start, state.is_offline)
