"""The event log's interface: append durably, read from an offset, know the end.

A log has numbered partitions. Records with the same key go to the same partition and keep their order; each record has
an offset in its partition that never changes and is never reused.
"""

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Record:
    """Something to append."""

    key: bytes
    """What keeps its order: a device's id, a consumer's hash."""
    payload: bytes
    """A packed record; see `records.py`."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """Something read back."""

    offset: int
    key: bytes
    payload: bytes
    appended_ms: int = 0
    """When it was appended, by the clock of the process that did."""
    is_damaged: bool = False
    """The log can no longer say what was appended here: `payload` is what is left, behind a byte that makes it
    undecodable, and the key is lost."""


class LogUnavailableError(Exception):
    """The append is not durable and must not be acknowledged; the sender should come again."""


class LogFullError(LogUnavailableError):
    """Too many appends are waiting already."""


class EventLog(Protocol):
    """What a log can do. Appending is asynchronous, for requests; reading blocks, for the worker's own thread."""

    @property
    def partitions(self) -> int:
        """How many partitions the log has."""
        ...

    async def append(self, record: Record) -> None:
        """Return when the record is on disk. Raises LogUnavailableError; the record may or may not be kept then."""
        ...

    def append_nowait(self, record: Record) -> bool:
        """Append without waiting, best effort; False when it had to be dropped."""
        ...

    def read(self, partition: int, offset: int, limit: int) -> Sequence[StoredRecord]:
        """Up to `limit` records with offsets >= `offset`, in order; empty at the end."""
        ...

    def end(self, partition: int) -> int:
        """The offset that the next record will get."""
        ...

    def start(self, partition: int) -> int:
        """The lowest offset still kept (equal to `end` when none is)."""
        ...

    def trim(self, partition: int, offset: int, received_before_ms: int) -> int:
        """Forget records below `offset` that were appended before that instant; the number forgotten."""
        ...

    def rewrite(self, partition: int, records: Mapping[int, Record]) -> None:
        """Put other records in the place of those at these offsets, durably; nothing of the old ones is left."""
        ...

    def close(self) -> None:
        """Write what is waiting, then let go."""
        ...


APPENDED_AT_ONCE = 1000
"""Of the records of one request: the queue has 4,096 places, for everybody."""


async def append_all(log: EventLog, records: Sequence[Record]) -> None:
    """Append in groups; returns when all are on disk. Raises LogUnavailableError, and some may be appended then."""
    for start in range(0, len(records), APPENDED_AT_ONCE):
        await asyncio.gather(*(log.append(record) for record in records[start : start + APPENDED_AT_ONCE]))


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key; the same in every process and on every machine."""
    return zlib.crc32(key) % partitions
