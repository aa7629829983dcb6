"""A second store beside the live one: copying the catalogue into it, and comparing what was counted, row by row."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, text
from sqlmodel import SQLModel

from models.bulk import BulkTable, Row, keep_rows
from models.downloads import AudioVersion
from models.listeners import EpisodeUrl
from models.queries.download_folding import (
    CONSUMER_DAY,
    COUNTING_RULE,
    DOWNLOAD_CONSUMERS,
    DOWNLOAD_HOUR,
    DOWNLOAD_SPLIT,
    HIT_OUTCOME,
    SHOW_DOWNLOAD_SPLIT,
    SHOW_HIT_OUTCOME,
)
from models.queries.erasures import ERASED_DEVICE, hash_device, list_erasures, list_hashes
from models.queries.folding import (
    ARRIVAL_DAY,
    DEVICE_LOG,
    EPISODE_DAY,
    EPISODE_HEARD,
    PIPELINE_DAY,
    PLAYBACK,
    SET_ASIDE,
    SHOW_ARRIVAL,
)
from models.queries.impressions import CAMPAIGN_DEVICE, CAMPAIGN_FREQUENCY, PLACEMENT_DAY, PLACEMENT_SPLIT
from models.queries.reach_cells import CAMPAIGN_REACH, SHOW_REACH
from models.tables import Episode, Show

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
ALL_TABLES = (
    PLAYBACK,
    EPISODE_DAY,
    ARRIVAL_DAY,
    SHOW_ARRIVAL,
    EPISODE_HEARD,
    PIPELINE_DAY,
    SET_ASIDE,
    DEVICE_LOG,
    CONSUMER_DAY,
    HIT_OUTCOME,
    DOWNLOAD_HOUR,
    DOWNLOAD_SPLIT,
    SHOW_HIT_OUTCOME,
    SHOW_DOWNLOAD_SPLIT,
    DOWNLOAD_CONSUMERS,
    COUNTING_RULE,
    PLACEMENT_DAY,
    PLACEMENT_SPLIT,
    CAMPAIGN_DEVICE,
    CAMPAIGN_FREQUENCY,
    SHOW_REACH,
    CAMPAIGN_REACH,
)
"""What the worker derives from the log and keeps."""
DAY_TABLES = (PLAYBACK, EPISODE_DAY, ARRIVAL_DAY, SHOW_ARRIVAL, SHOW_REACH, CAMPAIGN_REACH)
"""Those of which a span of days can be rebuilt without the days before it."""
CALENDAR_TABLES = (
    CONSUMER_DAY,
    HIT_OUTCOME,
    DOWNLOAD_SPLIT,
    SHOW_HIT_OUTCOME,
    SHOW_DOWNLOAD_SPLIT,
    DOWNLOAD_CONSUMERS,
    PLACEMENT_DAY,
    PLACEMENT_SPLIT,
)
"""Those besides, as long as no window of a download reaches from one day into the next."""


def copy_catalogue(source: Connection, target: Connection) -> None:
    """Copy what counting needs of the catalogue, in the place of an older copy.

    All episodes are given out as published long ago: when they were is judged by what was set aside.
    """
    for model in (Show, Episode, EpisodeUrl, AudioVersion):
        table = SQLModel.metadata.tables[str(model.__tablename__)]
        target.execute(table.delete())
        for rows in source.execute(select(table), execution_options={"yield_per": 5000}).mappings().partitions():
            target.execute(table.insert(), [dict(row) for row in rows])
    episodes = Episode.__table__  # type: ignore[attr-defined]
    target.execute(episodes.update().values(published_at=LONG_AGO))


def copy_past(source: Connection, target: Connection, *, is_cut: bool) -> None:
    """Copy what records that may not be folded would have left behind: devices that were erased and, when the records
    before some day are left out (`is_cut`), what was told and set aside by then."""
    pending = {hash_device(erasure.device) for erasure in list_erasures(source)}
    keep_rows(target, ERASED_DEVICE, [(digest,) for digest in sorted(list_hashes(source) - pending)])
    for table in (DEVICE_LOG, SET_ASIDE) if is_cut else ():
        keep_rows(target, table, list(list_rows(source, table)))


def list_held(connection: Connection, causes: Sequence[str]) -> dict[bytes, str]:
    """Events set aside for one of these causes, and which."""
    marks = ", ".join(f":c{place}" for place in range(len(causes)))
    statement = text(f"SELECT event_id, cause FROM set_aside WHERE cause IN ({marks})")
    found = connection.execute(statement, {f"c{place}": str(cause) for place, cause in enumerate(causes)})
    return {bytes(event_id): cause for event_id, cause in found}


def list_sums(connection: Connection) -> tuple[list[Any], list[Any], list[Any]]:
    """Arrivals and arrivals by show, with an episode's UUID for a key, and events by received day and outcome."""
    episodes = Episode.__table__  # type: ignore[attr-defined]
    # Only episodes with a recording: no other is ever found again by what counts.
    statement = select(episodes.c.id, episodes.c.uuid, episodes.c.show_id).where(episodes.c.duration_ms.is_not(None))
    known = {number: (str(uuid), show) for number, uuid, show in connection.execute(statement)}
    name_of_show = {show: uuid for uuid, show in known.values()}
    arrivals = [(known[row[0]][0], *row[1:]) for row in list_rows(connection, ARRIVAL_DAY)]
    by_show = [(name_of_show[row[0]], *row[1:]) for row in list_rows(connection, SHOW_ARRIVAL)]
    outcomes = [(row[0], row[2], row[3]) for row in list_rows(connection, PIPELINE_DAY) if row[1] == "event"]
    return arrivals, by_show, outcomes


def list_rows(connection: Connection, table: BulkTable, days: tuple[int, int] | None = None) -> Iterator[Row]:
    """Rows in the order of their keys, of these day numbers (first, last) or all; bytes are bytes on both engines.

    A month's row is of no span of days: it may have other days in it.
    """
    # Text sorts by its bytes, as SQLite sorts it, whatever the language of the PostgreSQL database.
    is_postgresql = connection.dialect.name == "postgresql"
    keys = [f'{key} COLLATE "C"' if kind == "text" and is_postgresql else key for key, kind in table.keys.items()]
    where = "WHERE day BETWEEN :first AND :last" if days else ""
    if days and "is_month" in table.keys:
        where += " AND NOT is_month"
    statement = text(f"SELECT {', '.join(table.columns)} FROM {table.name} {where} ORDER BY {', '.join(keys)}")
    bounds = {"first": days[0], "last": days[1]} if days else {}
    for row in connection.execute(statement, bounds, execution_options={"yield_per": 5000}):
        yield tuple(_plain(value, kind) for value, kind in zip(row, table.types, strict=True))


def _plain(value: Any, kind: str) -> Any:
    """SQLite's truth values are numbers, and PostgreSQL's blobs may be views."""
    if kind == "bool":
        return bool(value)
    return bytes(value) if kind == "bytea" else value
