"""Moves what the log holds into the archive, day by day, and takes out of it what may not be kept."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import msgspec

from api.events import EventLog, StoredRecord
from api.events.archive import FILE_RECORDS, PAGE, Archive, received_day
from api.events.log import Record
from api.events.records import Actions, AnyRecord, Erase, Gone, Hit, Replay, SyncBatch, pack, unpack
from models.columns import DAY_MS

AFTER_MS = DAY_MS
"""A day is archived this long after its end. Until then the log has addresses' user agents, for the windows of the
download rules; from then on nothing has."""


IsErased = Callable[[bytes], bool]
"""Whether a device, sixteen bytes, was erased."""


def archive_days(log: EventLog, archive: Archive, partition: int, end: int, *, now_ms: int, is_erased: IsErased) -> int:
    """Archive the days that are over, up to offset `end`, where counting is; how many records that were."""
    before_ms = (now_ms - AFTER_MS) // DAY_MS * DAY_MS
    first = max(archive.end(partition) or 0, log.start(partition))
    archived = 0
    while (day := _next_day(log, partition, first, end)) is not None and _is_over(day, before_ms, now_ms):
        with archive.writer(partition, received_day(day)) as writer:
            for page in _pages_of_day(log, partition, first, end):
                cleaned = [_cleaned(record, is_erased) for record in page]
                # In the log first: interrupted here, the archive is written from what is clean already.
                pairs = zip(cleaned, page, strict=True)
                log.rewrite(
                    partition, {new.offset: Record(new.key, new.payload) for new, old in pairs if new is not old}
                )
                writer.add(cleaned)
                first = page[-1].offset + 1
                if writer.records >= FILE_RECORDS:
                    break
        archived += writer.records
    return archived


def _is_over(record: StoredRecord, before_ms: int, now_ms: int) -> bool:
    """Its day was over by `before_ms`, or it is one of a clock that was far ahead: waiting for that day would keep all
    behind it from the archive."""
    return record.appended_ms < before_ms or record.appended_ms > now_ms + DAY_MS


def _next_day(log: EventLog, partition: int, first: int, end: int) -> StoredRecord | None:
    records = log.read(partition, first, 1) if first < end else ()
    return records[0] if records else None


def _pages_of_day(log: EventLog, partition: int, first: int, end: int) -> Iterator[Sequence[StoredRecord]]:
    """Records from `first` on that follow each other and were received on one day."""
    day = None
    while first < end:
        page = log.read(partition, first, min(PAGE, end - first))
        if not page:
            return
        found, group = next((found, list(group)) for found, group in groupby(page, received_day))
        if day not in {None, found}:
            return
        day = found
        yield group
        if len(group) < len(page):
            return
        first = page[-1].offset + 1


def _cleaned(record: StoredRecord, is_erased: IsErased) -> StoredRecord:
    """The record without a user agent, a referrer, or what an erased device sent; itself when it has none of these."""
    found = try_unpack(record)
    if isinstance(found, Hit) and (found.user_agent or found.referrer):
        clean = msgspec.structs.replace(found, user_agent="", referrer="")
        return StoredRecord(record.offset, record.key, pack(clean), record.appended_ms)
    if isinstance(found, Erase) and is_erased(found.device):  # asked for twice
        return StoredRecord(record.offset, b"", pack(Gone()), record.appended_ms)
    if isinstance(found, SyncBatch | Actions | Replay) and is_erased(found.device):
        return StoredRecord(record.offset, b"", pack(refused(found)), record.appended_ms)
    return record


def try_unpack(record: StoredRecord) -> AnyRecord | None:
    """What the record says, None when it is damaged or none of ours."""
    try:
        return None if record.is_damaged else unpack(record.payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def refused(record: SyncBatch | Actions | Replay) -> Gone:
    """What stays of what a device sent after it was erased: how much it was."""
    if isinstance(record, SyncBatch):
        return Gone(record.received_ms, len(record.events))
    return Gone(record.received_ms, len(record.actions)) if isinstance(record, Actions) else Gone()
