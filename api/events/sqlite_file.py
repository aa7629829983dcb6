"""What is in the file of an SQLite log."""

import sqlite3
import struct
import zlib

SCHEMA = """
CREATE TABLE IF NOT EXISTS partition (
    partition INTEGER PRIMARY KEY,
    next_offset INTEGER NOT NULL,
    first_offset INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS record (
    id INTEGER PRIMARY KEY,
    appended_ms INTEGER NOT NULL,
    key BLOB NOT NULL,
    payload BLOB NOT NULL,
    crc INTEGER
);
"""
"""Records kept have the offsets from `first_offset` up to, not including, `next_offset`, without a hole."""
NEWER_COLUMNS = {
    "record": ("crc", "ALTER TABLE record ADD COLUMN crc INTEGER"),
    "partition": ("first_offset", "ALTER TABLE partition ADD COLUMN first_offset INTEGER NOT NULL DEFAULT 0"),
}
"""Columns that files made by Earshot 0.1 do not have."""
FIRST_KEPT = """
    UPDATE partition SET first_offset = coalesce(
        (SELECT min(id) & ?1 FROM record WHERE id >= partition << ?2 AND id < (partition + 1) << ?2), next_offset)
"""
PARTITION_SHIFT = 48
"""A record's id is its partition and, in the lower 48 bits, its offset: SQLite keeps rows with an integer key, unlike
those of a WITHOUT ROWID table, whole in their page up to 4 KB, and a batch has about 1.7 KB."""
OFFSET_MASK = (1 << PARTITION_SHIFT) - 1

_pack_head = struct.Struct(">qq").pack


def checksum(record_id: int, appended_ms: int, key: bytes, payload: bytes) -> int:
    """CRC-32 over a whole row: a disk that gives other bytes back than it was given is noticed."""
    return zlib.crc32(payload, zlib.crc32(key, zlib.crc32(_pack_head(record_id, appended_ms))))


def prepare_file(connection: sqlite3.Connection, partitions: int) -> int:
    """Make the tables, or bring an older file up to date; how many partitions the file has."""
    connection.executescript(SCHEMA)
    (count,) = connection.execute("SELECT count(*) FROM partition").fetchone()
    if count and not _missing_columns(connection):
        return int(count)  # without the write lock: to open a log must neither wait for those that append nor stop them
    connection.execute("BEGIN IMMEDIATE")
    _add_newer_columns(connection)
    (count,) = connection.execute("SELECT count(*) FROM partition").fetchone()
    if count == 0:
        connection.executemany("INSERT INTO partition VALUES (?, 0, 0)", [(n,) for n in range(partitions)])
        count = partitions
    connection.execute("COMMIT")
    return int(count)


def _add_newer_columns(connection: sqlite3.Connection) -> None:
    """Records of an older Earshot stay without a checksum."""
    for table in _missing_columns(connection):
        _, statement = NEWER_COLUMNS[table]
        connection.execute(statement)
        if table == "partition":
            connection.execute(FIRST_KEPT, (OFFSET_MASK, PARTITION_SHIFT))


def _missing_columns(connection: sqlite3.Connection) -> list[str]:
    """The tables that lack their newer column."""
    return [
        table
        for table, (column, _) in NEWER_COLUMNS.items()
        if column not in {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    ]
