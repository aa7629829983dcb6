"""Holds as a scan reads and writes them, and what they keep from being paid."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, text, update
from sqlmodel import col

from models.advertising import HeldDownload, HeldPlayback, Hold, HoldState
from models.bulk import BulkTable, Row, chunks, delete_by_keys, keep_rows, put_rows, select_by_keys
from models.columns import day_number
from models.tables import Show

HELD_PLAYBACK = BulkTable(
    "held_playback",
    {"day": "int", "episode_id": "bigint", "device": "bytea", "hold_id": "bigint"},
    {"found_at": "timestamptz"},
)
HELD_DOWNLOAD = BulkTable(
    "held_download",
    {"day": "int", "episode_id": "bigint", "address": "bigint", "agent": "bigint", "hold_id": "bigint"},
    {"found_at": "timestamptz"},
)
HELD_DAY = BulkTable(
    "held_day",
    {"episode_id": "bigint", "day": "int", "placement_id": "bigint", "kind": "text", "state": "text", "rule": "text"},
    {"number": "bigint"},
)
_HOLD = Hold.__table__  # type: ignore[attr-defined]
_HELD_PLAYBACK = HeldPlayback.__table__  # type: ignore[attr-defined]
_HELD_DOWNLOAD = HeldDownload.__table__  # type: ignore[attr-defined]


class Found(NamedTuple):
    """A hold as a scan sees it."""

    id: int
    uuid: UUID
    subject: str
    state: str
    evidence: str


class Flag(NamedTuple):
    """A playback, or a consumer's day, that stands flagged: what holds of it have not been released."""

    key: Row
    """As in `playback` or `consumer_day`."""
    rule: str
    state: str


def lock_holds(connection: Connection) -> None:
    """Keep other scans and decisions waiting until the transaction ends.

    On SQLite a transaction has the store to itself already.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(1818326127)"))


# -- what a scan reads and writes ----------------------------------------------------------------------------------


def list_found(connection: Connection, rule: str, day: int) -> list[Found]:
    """The holds of a rule and a day."""
    columns = _HOLD.c.id, _HOLD.c.uuid, _HOLD.c.subject, _HOLD.c.state, _HOLD.c.evidence
    rows = connection.execute(select(*columns).where(_HOLD.c.rule == rule, _HOLD.c.day == day).order_by(_HOLD.c.id))
    return [Found(*row) for row in rows]


def append_hold(connection: Connection, hold: Hold) -> int:
    """Add a hold; its number."""
    values = hold.model_dump(exclude={"id"})
    return int(connection.execute(insert(_HOLD).values(values).returning(_HOLD.c.id)).scalar_one())


def put_evidence(connection: Connection, hold_id: int, evidence: str) -> None:
    """Say anew what was measured."""
    connection.execute(update(_HOLD).where(_HOLD.c.id == hold_id).values(evidence=evidence))


def delete_holds(connection: Connection, holds: Sequence[tuple[int, int]]) -> None:
    """Take back open holds, given as (id, day), with what they flag."""
    for hold_id, day in holds:
        for table in (_HELD_PLAYBACK, _HELD_DOWNLOAD):
            connection.execute(delete(table).where(table.c.day == day, table.c.hold_id == hold_id))
        connection.execute(delete(_HOLD).where(_HOLD.c.id == hold_id))


def list_held_playbacks(connection: Connection, day: int, holds: Sequence[int]) -> set[tuple[int, bytes]]:
    """(episode_id, device) of the playbacks that these holds of a day flag."""
    table = _HELD_PLAYBACK
    statement = select(table.c.episode_id, table.c.device).where(table.c.day == day, table.c.hold_id.in_(holds))
    return (
        {(int(episode_id), bytes(device)) for episode_id, device in connection.execute(statement)} if holds else set()
    )


def list_held_downloads(connection: Connection, day: int, holds: Sequence[int]) -> set[tuple[int, int, int]]:
    """(episode_id, address, agent) of the consumers' days that these holds of a day flag."""
    table = _HELD_DOWNLOAD
    columns = table.c.episode_id, table.c.address, table.c.agent
    statement = select(*columns).where(table.c.day == day, table.c.hold_id.in_(holds))
    return {(int(row[0]), int(row[1]), int(row[2])) for row in connection.execute(statement)} if holds else set()


def list_existing(connection: Connection, day: int, playbacks: Iterable[tuple[int, bytes]]) -> set[tuple[int, bytes]]:
    """Those (episode_id, device) of a day that there is a playback of: a device may have been erased meanwhile."""
    keys = sorted((day, device, episode_id) for episode_id, device in playbacks)
    table = BulkTable("playback", {"day": "int", "device": "bytea", "episode_id": "bigint"}, {})
    return {(int(row[2]), bytes(row[1])) for row in select_by_keys(connection, table, keys)}


def append_held_playbacks(connection: Connection, hold_id: int, day: int, keys: Iterable[Row], now: datetime) -> None:
    """Flag playbacks, given as (episode_id, device)."""
    keep_rows(connection, HELD_PLAYBACK, [(day, *key, hold_id, _instant(connection, now)) for key in sorted(keys)])


def append_held_downloads(connection: Connection, hold_id: int, day: int, keys: Iterable[Row], now: datetime) -> None:
    """Flag consumers' days, given as (episode_id, address, agent)."""
    keep_rows(connection, HELD_DOWNLOAD, [(day, *key, hold_id, _instant(connection, now)) for key in sorted(keys)])


def _instant(connection: Connection, at: datetime) -> Any:
    """As the column has it, for statements that go past SQLAlchemy's types."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f") if connection.dialect.name == "sqlite" else at


def list_released(connection: Connection, rule: str) -> list[tuple[str, int, datetime, str]]:
    """(subject, day, decided_at, evidence) of a rule's released holds: as many as people decided."""
    columns = _HOLD.c.subject, _HOLD.c.day, _HOLD.c.decided_at, _HOLD.c.evidence
    statement = select(*columns).where(_HOLD.c.rule == rule, _HOLD.c.state == HoldState.RELEASED)
    rows = connection.execute(statement.order_by(_HOLD.c.decided_at))
    return [(subject, day_number(day), decided_at, evidence) for subject, day, decided_at, evidence in rows]


def list_devices_held(connection: Connection, rule: str, first: int, last: int) -> list[tuple[str, str, bytes]]:
    """(subject, state, device) of what a rule flagged on the days from `first` to `last`."""
    statement = (
        select(_HOLD.c.subject, _HOLD.c.state, _HELD_PLAYBACK.c.device)
        .join(_HELD_PLAYBACK, and_(_HELD_PLAYBACK.c.day == _HOLD.c.day, _HELD_PLAYBACK.c.hold_id == _HOLD.c.id))
        .where(_HOLD.c.rule == rule, _HOLD.c.day.between(first, last))
        .distinct()
    )
    return [(subject, state, bytes(device)) for subject, state, device in connection.execute(statement)]


# -- what is held of a day -----------------------------------------------------------------------------------------


def list_flags(connection: Connection, day: int) -> tuple[list[Flag], list[Flag]]:
    """The playbacks (day, device, episode_id) and consumers' days (day, address, agent, episode_id) that holds flag,
    once for each hold; those of released ones are left out."""
    playbacks, downloads = _HELD_PLAYBACK, _HELD_DOWNLOAD
    heard = select(playbacks.c.day, playbacks.c.device, playbacks.c.episode_id, _HOLD.c.rule, _HOLD.c.state)
    fetched = select(
        *(downloads.c.day, downloads.c.address, downloads.c.agent, downloads.c.episode_id, _HOLD.c.rule, _HOLD.c.state)
    )
    found: list[list[Flag]] = []
    for statement, table in ((heard, playbacks), (fetched, downloads)):
        standing = statement.join(_HOLD, _HOLD.c.id == table.c.hold_id).where(
            table.c.day == day, _HOLD.c.state != HoldState.RELEASED
        )
        found.append([Flag((day, *row[1:-2]), row[-2], row[-1]) for row in connection.execute(standing)])
    return found[0], found[1]


def list_held_heard(connection: Connection, keys: Sequence[Row]) -> Iterator[Row]:
    """(day, device, episode_id, coverage, is_offline) of the playbacks that exist among (day, device, episode_id)."""
    table = BulkTable(
        "playback",
        {"day": "int", "device": "bytea", "episode_id": "bigint"},
        {"coverage": "bytea", "is_offline": "bool"},
    )
    return select_by_keys(connection, table, sorted(keys))


def list_held_days(connection: Connection, day: int) -> set[Row]:
    """Rows of `HELD_DAY` of a day, of all episodes that have a flag or had one."""
    statement = text(
        f"SELECT {', '.join(HELD_DAY.columns)} FROM held_day WHERE day = :day AND episode_id IN "
        "(SELECT id FROM episode)"
    )
    return {tuple(row) for row in connection.execute(statement, {"day": day})}


def replace_held_days(connection: Connection, gone: Iterable[Row], new: Iterable[Row]) -> None:
    """Take rows of `HELD_DAY` away, and put others."""
    delete_by_keys(connection, HELD_DAY, sorted(row[:-1] for row in gone))
    put_rows(connection, HELD_DAY, sorted(new))


def list_days_held(connection: Connection, episodes: Iterable[int]) -> list[int]:
    """The days of which anything of these episodes is flagged."""
    statement = text("SELECT DISTINCT day FROM held_day WHERE episode_id IN :episodes").bindparams(
        bindparam("episodes", expanding=True)
    )
    days = {
        int(row[0]) for chunk in chunks(sorted(episodes)) for row in connection.execute(statement, {"episodes": chunk})
    }
    return sorted(days)


# -- whom it concerns -----------------------------------------------------------------------------------------------


def get_audience(connection: Connection, show_id: int) -> tuple[UUID, int] | None:
    """A show's id in the API, and who owns it."""
    row = connection.execute(select(col(Show.uuid), col(Show.owner_id)).where(col(Show.id) == show_id)).first()
    return None if row is None else (row[0], int(row[1]))


def list_flagged_by_rule(connection: Connection, first: int, last: int) -> dict[str, tuple[int, int]]:
    """Rule -> playbacks and consumers' days of these days that it flags, each once, whatever was decided."""
    statement = text(
        "SELECT h.rule, count(*), 0 FROM held_playback p JOIN hold h ON h.id = p.hold_id "
        "WHERE p.day BETWEEN :first AND :last GROUP BY h.rule UNION ALL "
        "SELECT h.rule, 0, count(*) FROM held_download d JOIN hold h ON h.id = d.hold_id "
        "WHERE d.day BETWEEN :first AND :last GROUP BY h.rule"
    )
    found: dict[str, tuple[int, int]] = {}
    for rule, playbacks, downloads in connection.execute(statement, {"first": first, "last": last}):
        before = found.get(rule, (0, 0))
        found[rule] = before[0] + int(playbacks), before[1] + int(downloads)
    return dict(sorted(found.items()))


def count_scanned(connection: Connection, first: int, last: int) -> tuple[int, int]:
    """Playbacks and consumers' days of these days."""
    statement = text(
        "SELECT (SELECT count(*) FROM playback WHERE day BETWEEN :first AND :last), "
        "(SELECT count(*) FROM consumer_day WHERE day BETWEEN :first AND :last)"
    )
    playbacks, consumers = connection.execute(statement, {"first": first, "last": last}).one()
    return int(playbacks), int(consumers)
