"""Reads records of an SQLite log so that damage costs what was damaged, and nothing behind it.

Offsets count up without a hole from the first that is kept to the end, and each record has a checksum: a record that
is missing, cannot be read or is not what was appended is handed out as damaged, in its place.
"""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from api import clock
from api.events.log import StoredRecord
from api.events.sqlite_file import OFFSET_MASK, PARTITION_SHIFT, checksum

READ_BYTES = 8 << 20
"""In one call, about: one record may be a heartbeat or sixty thousand lines of a log."""
SALVAGE_ROWS = 1000
"""Offsets asked for one by one in one call, when rows together cannot be read."""
TIME_ROWS = 100
"""Neighbours looked at for an intact one."""
NO_RECORD = b"\xc1"
"""Begins no msgpack value: what is left of a record may look like one, and must not count wherever it is copied to."""
ROW = "SELECT id & ?, key, payload, appended_ms, crc FROM record"

_Row = tuple[Any, ...]


def read_records(connection: sqlite3.Connection, partition: int, offset: int, limit: int) -> list[StoredRecord]:
    """Up to `limit` records with offsets >= `offset`, in order and without a hole."""
    first = partition << PARTITION_SHIFT
    with _snapshot(connection):
        kept_from, end = connection.execute(
            "SELECT first_offset, next_offset FROM partition WHERE partition = ?", (partition,)
        ).fetchone()
        offset = max(offset, kept_from)
        limit = min(limit, end - offset)
        if limit <= 0:
            return []
        try:
            rows, is_cut = _read_some(connection, (OFFSET_MASK, first + offset, first + end, limit))
            limit = rows[-1][0] - offset + 1 if is_cut else limit
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            limit = min(limit, SALVAGE_ROWS)
            rows = _read_singly(connection, first, range(offset, offset + limit))
        is_whole = len(rows) == limit and rows[-1][0] == offset + limit - 1
        if is_whole and all(_is_intact(first, row) for row in rows):
            return [StoredRecord(*row[:4]) for row in rows]
        appended_ms = _time_near(connection, first, offset)
    return _with_losses(rows, first, range(offset, offset + limit), appended_ms)


def _read_some(connection: sqlite3.Connection, bounds: tuple[int, int, int, int]) -> tuple[list[_Row], bool]:
    """Rows in order, and whether there are more of them: after `READ_BYTES` it is enough."""
    rows: list[_Row] = []
    size = 0
    for row in connection.execute(f"{ROW} WHERE id >= ? AND id < ? ORDER BY id LIMIT ?", bounds):
        rows.append(row)
        size += len(row[2]) if isinstance(row[2], bytes) else 0
        if size >= READ_BYTES:
            return rows, True
    return rows, False


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is bad, so that trying again would not help."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """One state of the file for several statements: others append and forget meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:  # SQLite ends it by itself on some errors
            connection.execute("ROLLBACK")


def _read_singly(connection: sqlite3.Connection, first: int, offsets: range) -> list[_Row]:
    """The rows that can still be read: a bad page hides those that are in it, and only those."""
    rows = []
    for offset in offsets:
        try:
            rows += connection.execute(f"{ROW} WHERE id = ?", (OFFSET_MASK, first + offset)).fetchall()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
    return rows


def _is_intact(first: int, row: _Row) -> bool:
    offset, key, payload, appended_ms, crc = row
    if crc is None:
        return True  # appended before there were checksums
    try:
        return bool(checksum(first + offset, appended_ms, key, payload) == crc)
    except (TypeError, struct.error):  # a flipped bit can change what type a value has
        return False


def _time_near(connection: sqlite3.Connection, first: int, offset: int) -> int:
    """When the last intact record before `offset` was appended, or the next one after it."""
    for condition in ("id < ?2 AND id >= ?3 ORDER BY id DESC", "id >= ?2 AND id < ?4 ORDER BY id"):
        with suppress(sqlite3.DatabaseError):
            rows = connection.execute(
                f"SELECT id & ?1, key, payload, appended_ms, crc FROM record WHERE {condition} LIMIT {TIME_ROWS}",
                (OFFSET_MASK, first + offset, first, first + OFFSET_MASK),
            )
            for row in rows:
                if _is_intact(first, row):
                    return int(row[3])
    return clock.now_ms()


def _with_losses(rows: list[_Row], first: int, offsets: range, appended_ms: int) -> list[StoredRecord]:
    """A record for each of `offsets`. A damaged one cannot say when it was appended: the one before it does."""
    found = {row[0]: row for row in rows}
    intact = {offset for offset, row in found.items() if _is_intact(first, row)}
    records = []
    for offset in offsets:
        if offset in intact:
            record = StoredRecord(*found[offset][:4])
            appended_ms = record.appended_ms
        else:
            left = found[offset][2] if offset in found else b""
            payload = left if isinstance(left, bytes) else repr(left).encode()
            record = StoredRecord(offset, b"", NO_RECORD + payload, appended_ms, is_damaged=True)
        records.append(record)
    return records
