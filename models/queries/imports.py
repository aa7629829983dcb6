"""Access logs that were imported, and what each changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, text

from models.bulk import BulkTable, add_rows
from models.downloads import ImportOutcome, LogImport

IMPORT_OUTCOME = BulkTable("import_outcome", {"source": "bytea", "outcome": "text"}, {"hits": "bigint"})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a log has been counted."""

    source: bytes
    name: str
    lines: int
    unpacked_bytes: int
    digest: bytes


def get_lines(connection: Connection, source: bytes) -> int | None:
    """How many lines of a log are counted; None when it is new."""
    table = LogImport.__table__  # type: ignore[attr-defined]
    return connection.execute(select(table.c.lines).where(table.c.source == source)).scalar()


def list_progress(connection: Connection, prefix: bytes) -> list[Progress]:
    """How far the logs are whose sixteen bytes begin so: one for each partition of the event log."""
    table = LogImport.__table__  # type: ignore[attr-defined]
    names = ("source", "name", "lines", "unpacked_bytes", "digest")
    last = prefix + b"\xff" * (16 - len(prefix))
    statement = select(*(table.c[name] for name in names)).where(table.c.source.between(prefix, last))
    return [
        Progress(bytes(row[0]), row[1], row[2], row[3], bytes(row[4]))
        for row in connection.execute(statement.order_by(table.c.source))
    ]


def put_import(
    connection: Connection,
    progress: Progress,
    *,
    format_name: str,
    has_ranges: bool,
    now: datetime,
) -> None:
    """Note how far a log is counted."""
    table = LogImport.__table__  # type: ignore[attr-defined]
    values = {
        "lines": progress.lines,
        "unpacked_bytes": progress.unpacked_bytes,
        "digest": progress.digest,
        "has_ranges": has_ranges,
        "updated_at": now,
    }
    changed = connection.execute(
        table.update().where(table.c.source == bindparam("of_source")), {**values, "of_source": progress.source}
    )
    if not changed.rowcount:
        new = {"source": progress.source, "name": progress.name, "format": format_name, "started_at": now}
        connection.execute(table.insert(), {**values, **new})


def add_import_outcomes(connection: Connection, source: bytes, outcomes: Mapping[str, int]) -> None:
    """Add to what an import changed."""
    rows = [(source, outcome, hits) for outcome, hits in sorted(outcomes.items()) if hits]
    add_rows(connection, IMPORT_OUTCOME, rows)


def sum_import_outcomes(connection: Connection, prefix: bytes) -> dict[str, int]:
    """What the imports whose sixteen bytes begin so changed: outcome -> hits."""
    table = ImportOutcome.__table__  # type: ignore[attr-defined]
    statement = text(
        f"SELECT outcome, CAST(sum(hits) AS BIGINT) FROM {table.name} "
        "WHERE source BETWEEN :first AND :last GROUP BY outcome ORDER BY outcome"
    )
    bounds = {"first": prefix, "last": prefix + b"\xff" * (16 - len(prefix))}
    return {outcome: int(hits) for outcome, hits in connection.execute(statement, bounds)}
