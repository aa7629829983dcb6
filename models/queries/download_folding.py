"""What the worker reads and writes to count downloads; set-based, in the transaction of its step."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, text

from models.bulk import BulkTable, Row, add_rows, chunks, put_rows, select_by_keys

CONSUMER_DAY = BulkTable(
    "consumer_day",
    {"day": "int", "address": "bigint", "agent": "bigint", "episode_id": "bigint"},
    {
        "hits": "bytea",
        "is_eligible": "bool",
        "app": "text",
        "device_class": "text",
        "country": "text",
        "earlier": "bigint",
        "downloads": "int",
    },
)
HIT_OUTCOME = BulkTable(
    "hit_outcome",
    {"episode_id": "bigint", "day": "int", "outcome": "text"},
    {"hits": "bigint", "sent_bytes": "bigint"},
)
DOWNLOAD_HOUR = BulkTable("download_hour", {"episode_id": "bigint", "hour": "bigint"}, {"downloads": "bigint"})
DOWNLOAD_SPLIT = BulkTable(
    "download_split",
    {"episode_id": "bigint", "day": "int", "kind": "text", "value": "text"},
    {"downloads": "bigint"},
)
SHOW_HIT_OUTCOME = BulkTable(
    "show_hit_outcome",
    {"show_id": "bigint", "day": "int", "outcome": "text"},
    {"hits": "bigint", "sent_bytes": "bigint"},
)
SHOW_DOWNLOAD_SPLIT = BulkTable(
    "show_download_split",
    {"show_id": "bigint", "kind": "text", "day": "int", "value": "text"},
    {"downloads": "bigint"},
)
DOWNLOAD_CONSUMERS = BulkTable(
    "download_consumers",
    {"show_id": "bigint", "day": "int", "episode_id": "bigint"},
    {"consumers": "bytea", "earlier": "bytea"},
)
COUNTING_RULE = BulkTable("counting_rule", {"name": "text"}, {"value": "text"})


def list_consumer_days(connection: Connection, keys: Sequence[Row]) -> Iterator[Row]:
    """Rows of `CONSUMER_DAY` that exist among (day, address, agent, episode_id)."""
    return select_by_keys(connection, CONSUMER_DAY, keys)


def put_consumer_days(connection: Connection, rows: Sequence[Row]) -> None:
    """Write rows whole."""
    put_rows(connection, CONSUMER_DAY, rows)


def list_busy(connection: Connection, keys: Sequence[Row], at_least: int) -> list[Row]:
    """Those of the (day, address) that have so many rows with an eligible hit; reads no more of them than that."""
    is_busy = (
        "(SELECT 1 FROM consumer_day t WHERE t.day = k.day AND t.address = k.address AND t.is_eligible "
        f"LIMIT 1 OFFSET {at_least - 1:d}) IS NOT NULL"
    )
    return list(_select_addresses(connection, keys, f"SELECT day, address FROM k WHERE {is_busy}"))


def count_eligible(connection: Connection, keys: Sequence[Row], most: int) -> dict[Row, int]:
    """How many rows of each (day, address) have an eligible hit; counts no further than `most`."""
    counted = (
        "(SELECT count(*) FROM (SELECT 1 FROM consumer_day t WHERE t.day = k.day AND t.address = k.address "
        f"AND t.is_eligible LIMIT {most:d}) AS found)"
    )
    rows = _select_addresses(connection, keys, f"SELECT day, address, {counted} FROM k")
    return {(day, address): count for day, address, count in rows}


def _select_addresses(connection: Connection, keys: Sequence[Row], statement: str) -> Iterator[Row]:
    """What a statement selects from `k`, which has these (day, address)."""
    for chunk in chunks(keys):
        if connection.dialect.name == "sqlite":
            values = ", ".join(["(?, ?)"] * len(chunk))
            with_keys = f"WITH k (day, address) AS (VALUES {values}) {statement}"
            found = connection.exec_driver_sql(with_keys, tuple(part for key in chunk for part in key))
        else:
            with_keys = f"WITH k AS (SELECT * FROM unnest(%s::int[], %s::bigint[]) AS k (day, address)) {statement}"
            found = connection.exec_driver_sql(with_keys, tuple(list(column) for column in zip(*chunk, strict=True)))
        yield from (tuple(row) for row in found.all())


def list_keys_of_addresses(connection: Connection, keys: Sequence[Row]) -> list[Row]:
    """The keys of all rows of each (day, address)."""
    statement = text("SELECT day, address, agent, episode_id FROM consumer_day WHERE day = :day AND address = :address")
    return [
        (row[0], row[1], row[2], row[3])
        for day, address in keys
        for row in connection.execute(statement, {"day": day, "address": address})
    ]


def list_keys_of_episode(connection: Connection, day: int, episode_id: int) -> list[Row]:
    """The keys of an episode's rows of a day. Reads that day of all episodes: for somebody who looks into it."""
    statement = text(
        "SELECT day, address, agent, episode_id FROM consumer_day WHERE day = :day AND episode_id = :episode_id "
        "ORDER BY address, agent"
    )
    rows = connection.execute(statement, {"day": day, "episode_id": episode_id})
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def add_outcomes_of_hits(connection: Connection, rows: Sequence[Row]) -> None:
    """Add to what became of hits."""
    add_rows(connection, HIT_OUTCOME, rows)


def add_download_hours(connection: Connection, rows: Sequence[Row]) -> None:
    """Add downloads of hours."""
    add_rows(connection, DOWNLOAD_HOUR, rows)


def add_download_splits(connection: Connection, rows: Sequence[Row]) -> None:
    """Add downloads by app, device class and country."""
    add_rows(connection, DOWNLOAD_SPLIT, rows)


def add_outcomes_of_shows(connection: Connection, rows: Sequence[Row]) -> None:
    """Add to what became of the hits of shows."""
    add_rows(connection, SHOW_HIT_OUTCOME, rows)


def add_splits_of_shows(connection: Connection, rows: Sequence[Row]) -> None:
    """Add downloads of shows by app, device class and country."""
    add_rows(connection, SHOW_DOWNLOAD_SPLIT, rows)


def lock_consumers(connection: Connection) -> None:
    """Keep workers of other partitions from reading sketches that this one is about to write.

    On SQLite a transaction has the store to itself already.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(1818326125)"))


def list_consumer_sketches(connection: Connection, keys: Sequence[Row]) -> Iterator[Row]:
    """Rows of `DOWNLOAD_CONSUMERS` that exist among (show_id, day, episode_id)."""
    return select_by_keys(connection, DOWNLOAD_CONSUMERS, keys)


def put_consumer_sketches(connection: Connection, rows: Sequence[Row]) -> None:
    """Write sketches whole."""
    put_rows(connection, DOWNLOAD_CONSUMERS, rows)


def list_consumers(connection: Connection, show_id: int, day: int, episode_id: int) -> list[tuple[int, int]]:
    """(agent, earlier) of the consumers with a download on a day, of an episode or, with 0, of the whole show.

    Reads that day of all shows: for the rare case that a download is taken back.
    """
    which = "episode_id = :episode" if episode_id else "episode_id IN (SELECT id FROM episode WHERE show_id = :show)"
    statement = text(f"SELECT agent, earlier FROM consumer_day WHERE day = :day AND downloads > 0 AND {which}")
    values: dict[str, Any] = {"day": day} | ({"episode": episode_id} if episode_id else {"show": show_id})
    return [(agent, earlier) for agent, earlier in connection.execute(statement, values)]


def list_counting_rules(connection: Connection) -> dict[str, str]:
    """The rules that the rollups were made with, by name."""
    rows = connection.execute(text("SELECT name, value FROM counting_rule")).all()
    return {str(name): str(value) for name, value in rows}


def put_counting_rules(connection: Connection, rules: dict[str, str]) -> None:
    """Note the rules that rollups are made with from here on."""
    put_rows(connection, COUNTING_RULE, sorted(rules.items()))


def has_hits(connection: Connection) -> bool:
    """Whether any hit was ever counted."""
    return connection.execute(text("SELECT 1 FROM consumer_day LIMIT 1")).first() is not None
