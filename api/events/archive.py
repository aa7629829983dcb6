"""The archive: what the log kept, for good, as Parquet files in folders by the day they were received.

    received_day=2026-11-20/partition=0/000000000000-000000041999.parquet

A file holds a stretch of offsets without a hole, named by its first and last, so that the folder says by itself how far
the archive goes. Columns: `offset`, `appended_ms`, `key`, `payload` (a packed record; see `records.py`),
`is_damaged` (the log could no longer say what was appended there).
"""

import fcntl
import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from api.events.log import Record, StoredRecord

SCHEMA = pa.schema(
    [
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("appended_ms", pa.int64(), nullable=False),
        pa.field("key", pa.binary(), nullable=False),
        pa.field("payload", pa.binary(), nullable=False),
        pa.field("is_damaged", pa.bool_(), nullable=False),
    ]
)
PAGE = 5000
"""Records in a row group, and in memory at a time."""
FILE_RECORDS = 500_000
"""Records in a file, at most."""

_NAME = re.compile(r"received_day=(\d{4}-\d\d-\d\d)/partition=(\d+)/(\d+)-(\d+)\.parquet$")


class ArchiveBusyError(Exception):
    """Another process is writing to the archive."""


@dataclass(frozen=True, slots=True, order=True)
class ArchiveFile:
    """A file of the archive."""

    first: int
    """Offset of its first record."""
    last: int
    day: date
    path: Path


class Archive:
    """A local folder of Parquet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self, partition: int) -> list[ArchiveFile]:
        """The files of a partition, in order of their offsets."""
        found = []
        for path in self.folder.glob(f"received_day=*/partition={partition}/*.parquet"):
            if match := _NAME.search(path.as_posix()):
                day, _, first, last = match.groups()
                found.append(ArchiveFile(int(first), int(last), date.fromisoformat(day), path))
        return sorted(found)

    def end(self, partition: int) -> int | None:
        """The offset behind the last record kept; None when there is none."""
        files = self.files(partition)
        return files[-1].last + 1 if files else None

    def last_record(self, partition: int) -> StoredRecord | None:
        """The record with the highest offset."""
        files = self.files(partition)
        if not files:
            return None
        *_, page = _pages(files[-1].path)
        return page[-1]

    def read(self, partition: int, first: int, end: int) -> Iterator[list[StoredRecord]]:
        """Records with `first` <= offset < `end`, in order, in pages."""
        for file in self.files(partition):
            if file.last < first or file.first >= end:
                continue
            for page in _pages(file.path):
                wanted = [record for record in page if first <= record.offset < end]
                if wanted:
                    yield wanted

    @contextmanager
    def writer(self, partition: int, day: date) -> Iterator["ArchiveWriter"]:
        """Writes one file of records received on that day, which is there, whole and on disk, when the block ends."""
        writer = ArchiveWriter(self._folder_of(partition, day))
        try:
            yield writer
        except BaseException:
            writer.abandon()
            raise
        writer.finish()

    def rewrite(self, partition: int, keys: Collection[bytes], change: Callable[[StoredRecord], Record]) -> int:
        """Put what `change` makes of them in the place of the records with these keys; how many there were.

        Files without any are only read by their key column. A file is replaced whole or not at all.
        """
        changed = 0
        wanted = pa.array(list(keys), pa.binary())
        for file in self.files(partition):
            column = pq.read_table(file.path, columns=["key"]).column("key")
            meant = pc.sum(pc.is_in(column, value_set=wanted)).as_py()
            if not meant:
                continue
            with self.writer(partition, file.day) as writer:
                for page in _pages(file.path):
                    writer.add([_changed(record, change) if record.key in keys else record for record in page])
            changed += meant
        return changed

    @contextmanager
    def lock(self, *, wait: bool = True) -> Iterator[None]:
        """Keep other processes from writing. Raises ArchiveBusyError when one is and we are not to wait."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                raise ArchiveBusyError("Another process is writing to the archive.") from error
            for left in self.folder.glob("received_day=*/partition=*/.*.unfinished"):
                left.unlink()  # of a process that was killed; nobody else writes now
            yield

    def _folder_of(self, partition: int, day: date) -> Path:
        return self.folder / f"received_day={day.isoformat()}" / f"partition={partition}"


class ArchiveWriter:
    """Writes records into a file that has no name until it is whole."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._unfinished = folder / f".{os.getpid()}.unfinished"
        self._parquet = pq.ParquetWriter(self._unfinished, SCHEMA, compression="zstd")
        self.first: int | None = None
        self.last = -1
        self.records = 0

    def add(self, records: Sequence[StoredRecord]) -> None:
        """Append records, whose offsets go on where the last ones ended."""
        if not records:
            return
        self.first = records[0].offset if self.first is None else self.first
        self.last = records[-1].offset
        self.records += len(records)
        columns = (
            [record.offset for record in records],
            [record.appended_ms for record in records],
            [record.key for record in records],
            [record.payload for record in records],
            [record.is_damaged for record in records],
        )
        self._parquet.write_table(pa.table(list(columns), schema=SCHEMA), row_group_size=PAGE)

    def finish(self) -> None:
        """Make the file durable, then give it its name."""
        self._parquet.close()
        if self.first is None:
            self._unfinished.unlink()
            return
        with self._unfinished.open("rb") as handle:
            os.fsync(handle.fileno())
        self._unfinished.replace(self._folder / f"{self.first:012d}-{self.last:012d}.parquet")
        for folder in (self._folder, self._folder.parent, self._folder.parent.parent):
            _sync_folder(folder)

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._parquet.close()
        self._unfinished.unlink(missing_ok=True)


def received_day(record: StoredRecord) -> date:
    """The UTC day under which a record is archived."""
    return datetime.fromtimestamp(record.appended_ms / 1000, UTC).date()


def _pages(path: Path) -> Iterator[list[StoredRecord]]:
    names = ["offset", "key", "payload", "appended_ms", "is_damaged"]
    with pq.ParquetFile(path) as file:
        # Group by group: each has no more bytes than were read from the log at once.
        for group in range(file.num_row_groups):
            for batch in file.iter_batches(batch_size=PAGE, row_groups=[group], columns=names):
                columns = [column.to_pylist() for column in batch.columns]
                yield [StoredRecord(*row) for row in zip(*columns, strict=True)]


def _changed(record: StoredRecord, change: Callable[[StoredRecord], Record]) -> StoredRecord:
    new = change(record)
    return StoredRecord(record.offset, new.key, new.payload, record.appended_ms)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
