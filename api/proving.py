"""Proves statements from log and archive, and exports what proves them: payouts knows what a statement is, measurement
how to count again, and here they meet."""

import gzip
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import pyarrow as pa
from sqlalchemy import Engine
from sqlmodel import Session

from api.errors import ConflictError, UnavailableError
from api.events import EventLog
from api.events.archive import Archive, ArchiveBusyError
from api.measurement.download_step import Rules
from api.measurement.erasing import erase_pending
from api.measurement.rebuild import MissingRecordsError
from api.measurement.rebuild_then import Pins, StoreThen
from api.payouts import export, verify
from api.payouts.statements import Found
from api.payouts.verify_counts import Recounted
from models import statements as rules
from models.columns import day_number
from models.engine import read_only
from models.payouts import Statement
from models.queries import proving, statements
from models.queries.impressions import CountedAd
from models.statements import Inputs

Progress = Callable[[int, int], None]
"""Told records read so far, and how many there are."""


class UnprovableError(ConflictError):
    """Log and archive do not have all that it takes; the message says what is missing."""

    code = "cannot_be_proved"


def _no_progress(_done: int, _whole: int) -> None:
    return


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the truth is."""

    engine: Engine
    log: EventLog
    archive: Archive
    is_patient: bool = True
    """Wait when another process is at the archive, instead of refusing."""


def verify_statement(sources: Sources, found: Found, progress: Progress = _no_progress) -> verify.Report:
    """Check a statement, its counts too. What log and archive cannot say is noted, and is no agreement."""
    with Session(read_only(sources.engine)) as session:
        report = verify.check_statement(session, found.statement, found.creator)
    if report.inputs is None or report.statement.rule_version != rules.RULE_VERSION:
        return report
    try:
        recounted = _recount(sources, report.inputs, found.statement, progress)
    except UnprovableError as error:
        verify.cannot_count(report, error.message)
        return report
    with Session(read_only(sources.engine)) as session:
        verify.check_counts(session, report, recounted)
    return report


def _recount(sources: Sources, inputs: Inputs, statement: Statement, progress: Progress) -> Recounted:
    if not inputs["counts"]:
        return Recounted({}, {})
    with read_only(sources.engine).connect() as connection:
        ended = proving.list_days_ended(connection, statement.drafted_at)
    with _store_then(sources, inputs, statement, progress) as then:
        without = then.counts()
        everything = then.counts() if then.add_erased() else without
        return Recounted(without, everything, frozenset(ended))


@contextmanager
def _store_then(sources: Sources, inputs: Inputs, statement: Statement, progress: Progress) -> Iterator[StoreThen]:
    """The store as it stood, without what is left of devices that were erased since. Raises UnprovableError."""
    with Session(read_only(sources.engine)) as session:
        entry = proving.get_drafted_entry(session, statement)
    pins = pins_of(inputs, statement, entry or sys.maxsize)
    with _archive_for_us(sources), TemporaryDirectory(prefix="earshot-proof-") as folder:
        erase_pending(sources.engine, sources.log, sources.archive)
        then = StoreThen(sources.engine, sources.log, sources.archive, pins, Path(folder) / "store.db")
        try:
            then.fold(progress)
            yield then
        except MissingRecordsError as error:
            raise UnprovableError(str(error)) from error
        except (OSError, pa.ArrowException) as error:
            raise UnprovableError(f"A file of the archive cannot be read: {error}") from error
        finally:
            then.close()


@contextmanager
def _archive_for_us(sources: Sources) -> Iterator[None]:
    try:
        with sources.archive.lock(wait=sources.is_patient):
            yield
    except ArchiveBusyError as error:
        raise UnavailableError(
            "Another process is at the archive: it is tidied up, or another statement is being proved. Try again in a "
            "minute.",
            60,
        ) from error


def pins_of(inputs: Inputs, statement: Statement, entry: int) -> Pins:
    """What the counts of a statement depended on, besides log and archive. `entry`: of its draft in the audit trail."""
    days = [date.fromisoformat(row[2]) for row in inputs["counts"]]
    # Lines speak of whole months, so whole months are counted again: a day that the inputs lack is found, too.
    first, last = rules.month_of(min(days)), rules.last_day(rules.month_of(max(days)))
    counting = inputs["counting_rules"]
    return Pins(
        position={int(partition): offset for partition, offset in inputs["position"].items()},
        at=statement.drafted_at,
        entry=entry,
        days=(first, min(last, rules.last_day(statement.month))),
        seconds={row["id"]: row["duration_seconds"] for row in inputs["episodes"]},
        ads=[_ad(*row) for row in inputs["ads"]],
        billing={row["id"]: row["billing"] for row in inputs["campaigns"]},
        rules=Rules(counting["window"], counting["excess_cap"]),
    )


def _ad(
    episode: int, placement: int, campaign: int, start_ms: int, end_ms: int, first: str, last: str, percent: int
) -> CountedAd:
    from_day, to_day = (day_number(date.fromisoformat(text)) for text in (first, last))
    return CountedAd(episode, placement, campaign, start_ms, end_ms, from_day, to_day, percent)


def _inputs_of(statement: Statement) -> Inputs:
    try:
        return rules.unpack(statement.inputs)
    except (OSError, EOFError, ValueError) as error:
        raise UnprovableError(f"The inputs that the statement pins cannot be read: {error}.") from error


def export_statement(sources: Sources, found: Found, out: BinaryIO, progress: Progress = _no_progress) -> int:
    """Write a statement's export; how many playbacks are in it. Raises UnprovableError."""
    statement = found.statement
    inputs = _inputs_of(statement)
    with Session(read_only(sources.engine)) as session:
        lines = statements.list_lines(session, statement.id or 0)
    written = 0
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as file:
        file.write(export.encode(export.header(statement, lines, inputs)))
        if inputs["counts"]:
            with _store_then(sources, inputs, statement, progress) as then:
                then.add_erased()
                for record in export.delivered(inputs, then.counts()):
                    file.write(export.encode(record))
                for day, episodes in export.days_of(inputs).items():
                    for record in export.playbacks(day, then.heard(day, episodes), written + 1):
                        file.write(export.encode(record))
                        written += 1
        file.write(export.encode({"type": "end", "playbacks": written}))
    return written
