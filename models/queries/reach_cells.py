"""What the worker reads and writes of reach: cells of sketches, by their keys. Days are day numbers."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import Connection, text

from models.bulk import BulkTable, Row, chunks, delete_by_keys, keep_rows, put_rows, select_by_keys
from models.reach import NOTHING, Sketches

_CELL = {"is_month": "bool", "day": "int"}
_SKETCHES = {"hll": "bytea", "theta": "bytea"}
SHOW_REACH = BulkTable("show_reach", {"show_id": "bigint", **_CELL}, _SKETCHES)
CAMPAIGN_REACH = BulkTable("campaign_reach", {"campaign_id": "bigint", "show_id": "bigint", **_CELL}, _SKETCHES)


def lock_cells(connection: Connection, table: BulkTable, keys: Sequence[Row]) -> dict[Row, Sketches]:
    """These cells as they are, kept from other writers until the transaction ends; one that was not there is there now.

    In the order of the keys, so that two never wait for each other in a circle. On SQLite a transaction has the store
    to itself already.
    """
    ordered = sorted(keys)
    if connection.dialect.name == "postgresql":
        keep_rows(connection, table, [(*key, *NOTHING) for key in ordered])
        for chunk in chunks(ordered):
            _wait_for(connection, table, chunk)
    size = len(table.keys)
    found = {_key(row[:size]): Sketches(*map(bytes, row[size:])) for row in select_by_keys(connection, table, ordered)}
    return {key: found.get(key, NOTHING) for key in ordered}


def _key(row: Row) -> Row:
    # SQLite's truth values are numbers.
    return (*row[:-2], bool(row[-2]), row[-1])


def _wait_for(connection: Connection, table: BulkTable, keys: Sequence[Row]) -> None:
    arrays = ", ".join(f"%s::{kind}[]" for kind in table.keys.values())
    names = ", ".join(table.keys)
    match = " AND ".join(f"t.{key} = k.{key}" for key in table.keys)
    order = ", ".join(f"t.{key}" for key in table.keys)
    statement = (
        f"SELECT 1 FROM unnest({arrays}) AS k ({names}) JOIN {table.name} t ON {match} ORDER BY {order} FOR UPDATE OF t"
    )
    connection.exec_driver_sql(statement, tuple(list(column) for column in zip(*keys, strict=True))).all()


def put_cells(connection: Connection, table: BulkTable, cells: Iterable[tuple[Row, Sketches]]) -> None:
    """Write cells whole; those without a device go."""
    listed = sorted(cells)
    put_rows(connection, table, [(*key, *cell) for key, cell in listed if cell != NOTHING])
    delete_by_keys(connection, table, [key for key, cell in listed if cell == NOTHING])


def list_days_of_month(connection: Connection, table: BulkTable, owner: Row, days: range) -> list[Sketches]:
    """All cells of single days that a show, or a campaign in a show, has among these days."""
    names = [name for name in table.keys if name not in _CELL]
    match = " AND ".join(f"{name} = :{name}" for name in names)
    statement = text(
        f"SELECT hll, theta FROM {table.name} WHERE {match} AND is_month = :is_month AND day BETWEEN :first AND :last"
    )
    bounds = {"is_month": False, "first": days[0], "last": days[-1]}
    found = connection.execute(statement, {**dict(zip(names, owner, strict=True)), **bounds})
    return [Sketches(bytes(hll), bytes(theta)) for hll, theta in found]


def list_heard_of_shows(
    connection: Connection, shows: Collection[int], day: int
) -> Iterator[tuple[int, bytes, bytes, int]]:
    """(show_id, device, coverage, seconds of the recording as it is counted) of these shows' playbacks of a day. Reads
    that day of all shows: for when something is taken back."""
    marks = ", ".join(str(int(show_id)) for show_id in shows)
    statement = text(
        "SELECT e.show_id, p.device, p.coverage, c.duration_seconds FROM playback p "
        "JOIN episode e ON e.id = p.episode_id JOIN episode_counted c ON c.episode_id = p.episode_id "
        f"WHERE p.day = :day AND e.show_id IN ({marks})"
    )
    for show_id, device, coverage, seconds in connection.execute(statement, {"day": day}):
        yield show_id, bytes(device), bytes(coverage), seconds


def list_owner_days(connection: Connection, table: BulkTable, first: int, last: int) -> list[Row]:
    """The owners and days of cells, of months by their first days, in this span."""
    names = ", ".join(name for name in table.keys if name not in _CELL)
    statement = text(f"SELECT DISTINCT {names}, day FROM {table.name} WHERE day BETWEEN :first AND :last")
    return [tuple(row) for row in connection.execute(statement, {"first": first, "last": last})]
