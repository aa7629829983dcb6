"""Folds records of the log into a store, in transactions; what no store can take is found by halving and set aside."""

from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DataError

from api.consumers import MEASUREMENT
from api.events import StoredRecord
from api.events.columns import ColumnsError
from api.events.records import group_of, is_control
from api.measurement.prepare import Prepared, prepare, undecodable
from api.measurement.store_step import commit_step

MAX_BYTES = 4 << 20
"""Packed bytes of one micro-batch, about 40,000 events: long enough to share its statements, short enough to commit
several times a second. With small batches `Settings.micro_batch` is the bound."""
UNSTORABLE = (DataError, OverflowError, UnicodeError, ColumnsError)
"""What a value raises that does not fit its column, on either engine, or columns of hits that are none; trying again
would not help."""

TOLD_OFFSETS = 20
"""Offsets of undecodable records that a line of output names; the pipeline page has all."""

_logger = structlog.get_logger(__name__)


def micro_batch(records: Sequence[StoredRecord]) -> list[StoredRecord]:
    """The first records that may be folded together. A control record comes alone: what it says holds from there on.
    Lines of an access log come with others of the same log and the same day of receipt only, so that what each import
    changed can be told, and when."""
    size = 0
    kept: list[StoredRecord] = []
    group = group_of(records[0].payload) if records else b""
    for record in records:
        if is_control(record.payload):
            return kept or [record]
        if group_of(record.payload) != group:
            return kept
        kept.append(record)
        size += len(record.payload)
        if size >= MAX_BYTES:
            break
    return kept


def commit_records(
    engine: Engine,
    partition: int,
    offset: int,
    records: Sequence[StoredRecord],
    change: Callable[[Prepared], Prepared] = lambda prepared: prepared,
) -> int:
    """Fold records in one transaction; how many events they had. One that no store can take is found by halving and
    set aside, so that it never stops those behind it. `change` is for a rebuild."""
    try:
        prepared = change(prepare(records))
        commit_step(engine, MEASUREMENT, partition, offset, prepared)
    except UNSTORABLE as error:
        _logger.error("records cannot be stored", partition=partition, offset=offset, cause=str(error))
        half = len(records) // 2
        if half:
            events = commit_records(engine, partition, offset, records[:half], change)
            return events + commit_records(engine, partition, records[half].offset, records[half:], change)
        prepared = undecodable(records[0])
        commit_step(engine, MEASUREMENT, partition, offset, prepared)
    else:
        if prepared.undecodable:
            _tell_undecodable(partition, prepared.undecodable)
    return prepared.events


def _tell_undecodable(partition: int, records: Sequence[StoredRecord]) -> None:
    _logger.error(
        "records of the event log cannot be read; they are set aside as undecodable, and counting goes on",
        partition=partition,
        records=len(records),
        damaged_on_disk=sum(record.is_damaged for record in records),
        offsets=[record.offset for record in records[:TOLD_OFFSETS]],
    )
