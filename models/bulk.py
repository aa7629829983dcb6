"""Set-based statements for both engines: many keys read, many rows written, each in a few statements.

SQLite takes VALUES lists, to write with `executemany` (one prepared statement, no round trips); PostgreSQL takes
arrays through `unnest`, one round trip each. Rows go in and come out as plain tuples: this is the worker's hot path.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

from sqlalchemy import Connection

Row = tuple[Any, ...]
_Key = TypeVar("_Key")
MAX_KEYS = 5_000
"""Keys in one statement: SQLite allows 32,766 variables."""
ROWS_AT_ONCE = 200
"""Rows in one INSERT of SQLite: a fifth less time than one by one."""


@dataclass(frozen=True, slots=True)
class BulkTable:
    """A table as the worker sees it: keys first, and PostgreSQL's names of the column types."""

    name: str
    keys: dict[str, str]
    values: dict[str, str]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, keys first."""
        return (*self.keys, *self.values)

    @property
    def types(self) -> tuple[str, ...]:
        """PostgreSQL types of `columns`."""
        return (*self.keys.values(), *self.values.values())


def select_by_keys(connection: Connection, table: BulkTable, keys: Sequence[Row]) -> Iterator[Row]:
    """The rows that exist among `keys` (tuples in key order), columns in the table's order."""
    columns = ", ".join(f"t.{column}" for column in table.columns)
    match = " AND ".join(f"t.{key} = k.{key}" for key in table.keys)
    key_names = ", ".join(table.keys)
    for start in range(0, len(keys), MAX_KEYS):
        chunk = keys[start : start + MAX_KEYS]
        if connection.dialect.name == "sqlite":
            mark = f"({', '.join('?' * len(table.keys))})"
            values = ", ".join([mark] * len(chunk))
            # CROSS JOIN keeps SQLite from scanning the table and looking the keys up.
            statement = (
                f"WITH k ({key_names}) AS (VALUES {values}) "
                f"SELECT {columns} FROM k CROSS JOIN {table.name} t ON {match}"
            )
            yield from connection.exec_driver_sql(statement, tuple(part for key in chunk for part in key)).all()
        else:
            arrays = ", ".join(f"%s::{kind}[]" for kind in table.keys.values())
            statement = f"SELECT {columns} FROM unnest({arrays}) AS k ({key_names}) JOIN {table.name} t ON {match}"
            yield from connection.exec_driver_sql(statement, tuple(list(column) for column in zip(*chunk, strict=True)))


def chunks(keys: Iterable[_Key]) -> Iterator[list[_Key]]:
    """Keys in groups that one statement can take."""
    listed = list(keys)
    for start in range(0, len(listed), MAX_KEYS):
        yield listed[start : start + MAX_KEYS]


def _grouped(rows: Sequence[Row]) -> Iterator[tuple[int, list[Row]]]:
    """How many rows a statement has, and the values of each time it is to be run."""
    whole = len(rows) // ROWS_AT_ONCE * ROWS_AT_ONCE
    if whole:
        groups = (rows[start : start + ROWS_AT_ONCE] for start in range(0, whole, ROWS_AT_ONCE))
        yield ROWS_AT_ONCE, [tuple(chain.from_iterable(group)) for group in groups]
    if whole < len(rows):
        yield 1, list(rows[whole:])


def _insert(connection: Connection, table: BulkTable, rows: Sequence[Row], on_conflict: str) -> None:
    if not rows:
        return
    names = ", ".join(table.columns)
    if connection.dialect.name == "sqlite":
        mark = f"({', '.join('?' * len(table.columns))})"
        for size, some in _grouped(rows):
            statement = f"INSERT INTO {table.name} ({names}) VALUES {', '.join([mark] * size)} {on_conflict}"
            connection.exec_driver_sql(statement, some)
    else:
        arrays = ", ".join(f"%s::{kind}[]" for kind in table.types)
        statement = f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays}) {on_conflict}"
        connection.exec_driver_sql(statement, tuple(list(column) for column in zip(*rows, strict=True)))


def put_rows(connection: Connection, table: BulkTable, rows: Sequence[Row]) -> None:
    """Insert rows, replacing those with the same key. Keys must not repeat within `rows`."""
    new = ", ".join(f"{column} = excluded.{column}" for column in table.values)
    _insert(connection, table, rows, f"ON CONFLICT ({', '.join(table.keys)}) DO UPDATE SET {new}")


def add_rows(connection: Connection, table: BulkTable, rows: Sequence[Row], *, newest: str = "") -> None:
    """Insert rows, adding to those with the same key; the column `newest` keeps the larger value instead."""

    def merged(column: str) -> str:
        old, new = f"{table.name}.{column}", f"excluded.{column}"
        return f"CASE WHEN {old} > {new} THEN {old} ELSE {new} END" if column == newest else f"{old} + {new}"

    sums = ", ".join(f"{column} = {merged(column)}" for column in table.values)
    _insert(connection, table, rows, f"ON CONFLICT ({', '.join(table.keys)}) DO UPDATE SET {sums}")


def keep_rows(connection: Connection, table: BulkTable, rows: Sequence[Row]) -> None:
    """Insert rows whose keys are new; leave the others as they are."""
    _insert(connection, table, rows, "ON CONFLICT DO NOTHING")


def delete_by_keys(connection: Connection, table: BulkTable, keys: Sequence[Row]) -> None:
    """Delete the rows that exist among `keys` (tuples in key order)."""
    if not keys:
        return
    if connection.dialect.name == "sqlite":
        match = " AND ".join(f"{key} = ?" for key in table.keys)
        connection.exec_driver_sql(f"DELETE FROM {table.name} WHERE {match}", list(keys))
    else:
        arrays = ", ".join(f"%s::{kind}[]" for kind in table.keys.values())
        match = " AND ".join(f"t.{key} = k.{key}" for key in table.keys)
        statement = f"DELETE FROM {table.name} t USING unnest({arrays}) AS k ({', '.join(table.keys)}) WHERE {match}"
        connection.exec_driver_sql(statement, tuple(list(column) for column in zip(*keys, strict=True)))
