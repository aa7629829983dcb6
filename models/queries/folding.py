"""What the worker reads and writes in one transaction. All of it set-based: never a statement per event."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select, text
from sqlmodel import SQLModel

from models.bulk import BulkTable, Row, add_rows, chunks, delete_by_keys, keep_rows, put_rows, select_by_keys
from models.columns import day_number
from models.counting import EpisodeDay, Playback
from models.tables import Episode

PLAYBACK = BulkTable(
    "playback",
    {"day": "int", "device": "bytea", "episode_id": "bigint"},
    {
        "event_ids": "bytea",
        "coverage": "bytea",
        "repeats": "bytea",
        "wall_ms": "bigint",
        "first_at_ms": "bigint",
        "last_at_ms": "bigint",
        "is_start": "bool",
        "is_offline": "bool",
    },
)
EPISODE_DAY = BulkTable(
    "episode_day",
    {"episode_id": "bigint", "day": "int"},
    dict.fromkeys(("starts", "listens", "offline_listens", "completions", "heard_seconds"), "bigint"),
)
ARRIVAL_DAY = BulkTable(
    "arrival_day",
    {"episode_id": "bigint", "received_day": "int", "day": "int"},
    dict.fromkeys(("events", "starts", "listens", "heard_seconds", "last_received_ms"), "bigint"),
)
SHOW_ARRIVAL = BulkTable(
    "show_arrival",
    {"show_id": "bigint", "day": "int", "lag_hours": "bigint"},
    dict.fromkeys(("starts", "listens", "heard_seconds"), "bigint"),
)
EPISODE_HEARD = BulkTable(
    "episode_heard",
    {"episode_id": "bigint", "chunk": "bigint"},
    dict.fromkeys(("heard", "spanned", "repeated"), "bytea"),
)
PIPELINE_DAY = BulkTable(
    "pipeline_day", {"received_day": "int", "kind": "text", "outcome": "text"}, {"events": "bigint"}
)
SET_ASIDE = BulkTable(
    "set_aside",
    {"event_id": "bytea"},
    {"cause": "text", "device": "bytea", "received_at_ms": "bigint", "payload": "text"},
)
RECEIPT = BulkTable(
    "receipt",
    {"received_day": "int", "device": "bytea", "receipt": "bytea"},
    {"counted": "int", "duplicate": "int", "set_aside": "text", "chain": "text"},
)
DEVICE_LOG = BulkTable(
    "device_log",
    {"device": "bytea"},
    {
        "last_seq": "bigint",
        "last_id": "bytea",
        "missing": "text",
        "is_broken": "bool",
        "is_forked": "bool",
        "last_received_ms": "bigint",
    },
)
EPISODE_COUNTED = BulkTable("episode_counted", {"episode_id": "bigint"}, {"duration_seconds": "int"})


@dataclass(frozen=True, slots=True)
class CatalogueEpisode:
    """What counting needs to know of an episode."""

    id: int
    duration_seconds: int
    """Whole seconds of the recording."""
    published_ms: int | None
    """Unix ms; None for a draft."""
    show_id: int = 0
    uuid: str = ""


def list_episodes(connection: Connection, uuids: Iterable[UUID]) -> dict[str, CatalogueEpisode]:
    """The episodes among `uuids` that have audio, deleted ones too: what was heard was heard."""
    found: dict[str, CatalogueEpisode] = {}
    table = Episode.__table__  # type: ignore[attr-defined]
    for chunk in chunks(uuids):
        statement = select(table.c.uuid, table.c.id, table.c.duration_ms, table.c.published_at, table.c.show_id).where(
            table.c.uuid.in_(chunk), table.c.duration_ms.is_not(None)
        )
        for uuid, number, duration_ms, published_at, show_id in connection.execute(statement):
            published_ms = round(published_at.timestamp() * 1000) if published_at else None
            found[str(uuid)] = CatalogueEpisode(number, duration_ms // 1000, published_ms, show_id, str(uuid))
    return found


def list_playbacks(connection: Connection, keys: Sequence[Row]) -> Iterator[Row]:
    """Rows of `PLAYBACK` that exist among (day, device, episode_id)."""
    return select_by_keys(connection, PLAYBACK, keys)


def list_device_logs(connection: Connection, devices: Sequence[Row]) -> Iterator[Row]:
    """Rows of `DEVICE_LOG` that exist among (device,)."""
    return select_by_keys(connection, DEVICE_LOG, devices)


def list_set_aside(connection: Connection, event_ids: Sequence[Row]) -> Iterator[Row]:
    """Rows of `SET_ASIDE` that exist among (event_id,)."""
    return select_by_keys(connection, SET_ASIDE, event_ids)


def list_set_aside_pages(connection: Connection, cause: str, size: int) -> Iterator[Sequence[Row]]:
    """All rows of `SET_ASIDE` with this cause, in pages."""
    statement = text(
        f"SELECT {', '.join(SET_ASIDE.columns)} FROM set_aside WHERE cause = :cause ORDER BY received_at_ms"
    )
    result = connection.execute(statement, {"cause": cause}, execution_options={"yield_per": size})
    for page in result.partitions():
        yield [tuple(row) for row in page]


def list_counted_durations(connection: Connection, episodes: Sequence[Row]) -> Iterator[Row]:
    """Rows of `EPISODE_COUNTED` that exist among (episode_id,)."""
    return select_by_keys(connection, EPISODE_COUNTED, episodes)


def list_receipts(connection: Connection, keys: Sequence[Row]) -> Iterator[Row]:
    """Rows of `RECEIPT` that exist among (received_day, device, receipt)."""
    return select_by_keys(connection, RECEIPT, keys)


def put_playbacks(connection: Connection, rows: Sequence[Row]) -> None:
    """Write playbacks whole."""
    put_rows(connection, PLAYBACK, rows)


def add_episode_days(connection: Connection, rows: Sequence[Row]) -> None:
    """Add differences to the rollup."""
    add_rows(connection, EPISODE_DAY, rows)


def add_arrivals(connection: Connection, rows: Sequence[Row]) -> None:
    """Add what arrived to the rollup."""
    add_rows(connection, ARRIVAL_DAY, rows, newest="last_received_ms")


def add_show_arrivals(connection: Connection, rows: Sequence[Row]) -> None:
    """Add what arrived how long after its day began."""
    add_rows(connection, SHOW_ARRIVAL, rows)


def list_heard(connection: Connection, keys: Sequence[Row]) -> Iterator[Row]:
    """Rows of `EPISODE_HEARD` that exist among (episode_id, chunk)."""
    return select_by_keys(connection, EPISODE_HEARD, keys)


def lock_episodes(connection: Connection, episodes: Sequence[int]) -> None:
    """Wait for other transactions that change the retention of these counted episodes: it is read, summed and written.

    In key order, so that two never wait for each other. On SQLite a transaction has the store to itself already.
    """
    if connection.dialect.name == "postgresql":
        statement = "SELECT 1 FROM episode_counted WHERE episode_id = ANY(%s) ORDER BY episode_id FOR UPDATE"
        connection.exec_driver_sql(statement, (sorted(episodes),)).all()


def put_heard(connection: Connection, rows: Sequence[Row]) -> None:
    """Write chunks of retention whole."""
    put_rows(connection, EPISODE_HEARD, rows)


def delete_set_aside(connection: Connection, event_ids: Sequence[Row]) -> None:
    """Forget events that count now, given as (event_id,)."""
    delete_by_keys(connection, SET_ASIDE, event_ids)


def add_outcomes(connection: Connection, rows: Sequence[Row]) -> None:
    """Add to the conservation table."""
    add_rows(connection, PIPELINE_DAY, rows)


def append_set_aside(connection: Connection, rows: Sequence[Row]) -> None:
    """Keep events that cannot be counted, each once."""
    keep_rows(connection, SET_ASIDE, rows)


def put_receipts(connection: Connection, rows: Sequence[Row]) -> None:
    """Write receipts whole."""
    put_rows(connection, RECEIPT, rows)


def put_device_logs(connection: Connection, rows: Sequence[Row]) -> None:
    """Write where devices' chains stand."""
    put_rows(connection, DEVICE_LOG, rows)


def append_counted_durations(connection: Connection, rows: Sequence[Row]) -> None:
    """Note the durations that new episodes are counted with."""
    keep_rows(connection, EPISODE_COUNTED, rows)


def list_outdated_durations(connection: Connection, limit: int) -> list[tuple[int, int]]:
    """(episode_id, new duration in seconds) of episodes whose recording was replaced by one of another length."""
    statement = text(
        "SELECT e.id, e.duration_ms / 1000 FROM episode e JOIN episode_counted c ON c.episode_id = e.id "
        "WHERE e.duration_ms / 1000 <> c.duration_seconds ORDER BY e.id LIMIT :limit"
    )
    return [(int(episode_id), int(seconds)) for episode_id, seconds in connection.execute(statement, {"limit": limit})]


def list_days_of_episodes(connection: Connection, episodes: Sequence[int]) -> list[tuple[int, int]]:
    """(episode_id, day number) of these episodes' rollup rows."""
    table = EpisodeDay.__table__  # type: ignore[attr-defined]
    found = connection.execute(select(table.c.episode_id, table.c.day).where(table.c.episode_id.in_(episodes)))
    return [(int(episode_id), day_number(day)) for episode_id, day in found]


def list_playbacks_of_episodes(connection: Connection, episodes: Sequence[int], day: int) -> Iterator[Row]:
    """The rows of `PLAYBACK` of these episodes and a day. Reads that day of all episodes: for replaced recordings."""
    table = Playback.__table__  # type: ignore[attr-defined]
    columns = [table.c[name] for name in PLAYBACK.columns]
    statement = select(*columns).where(table.c.day == day, table.c.episode_id.in_(episodes))
    for row in connection.execute(statement):
        yield (day, *row[1:])


def delete_rollups(connection: Connection, episodes: Sequence[int]) -> None:
    """Forget what is summed over these episodes' playbacks, before it is written anew."""
    for name in ("episode_day", "episode_heard"):
        table = SQLModel.metadata.tables[name]
        connection.execute(table.delete().where(table.c.episode_id.in_(episodes)))


def put_counted_durations(connection: Connection, rows: Sequence[Row]) -> None:
    """Note the durations that episodes' rollups are computed with from here on."""
    put_rows(connection, EPISODE_COUNTED, rows)


def lock_folding(connection: Connection, *, exclusive: bool) -> None:
    """Keep a recount of an episode apart from folds of other partitions until the transaction ends.

    On SQLite a transaction has the store to itself already.
    """
    if connection.dialect.name == "postgresql":
        kind = "" if exclusive else "_shared"
        connection.execute(text(f"SELECT pg_advisory_xact_lock{kind}(1818326124)"))


def delete_old_receipts(connection: Connection, before_day: int) -> None:
    """Forget receipts of batches received before that day."""
    connection.execute(text("DELETE FROM receipt WHERE received_day < :day"), {"day": before_day})
