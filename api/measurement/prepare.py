"""Unpacks records and hashes their events: all of a step that can be done without the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
import numpy as np

from api.events import StoredRecord
from api.events.chain import chain_ids
from api.events.records import Actions, AnyRecord, Erase, Gone, Hit, HitChunk, Kept, Replay, SyncBatch, unpack
from api.measurement.causes import ACTION
from api.measurement.fold import PreparedBatch, Source
from api.measurement.incoming import check_times
from models.columns import DAY_MS


@dataclass(slots=True)
class Prepared:
    """Records, unpacked and hashed: all that can be done without the store."""

    next_offset: int
    batches: list[PreparedBatch] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    chunks: list[HitChunk] = field(default_factory=list)
    """Lines of one access log."""
    undecodable: list[StoredRecord] = field(default_factory=list)
    erase: tuple[bytes, int] | None = None
    """A device that is to be erased, and the offset of that wish; then there is nothing else."""
    refused: list[Gone] = field(default_factory=list)
    """Batches that devices sent after they were erased."""
    held: Mapping[bytes, str] = field(default_factory=dict)
    """For a rebuild, which cannot see the catalogue of then: events that were set aside for a cause that lies in it,
    with that cause, or empty for those that were replayed later."""
    kept: Kept | None = None
    """What stays of an erased device; then there is nothing else."""

    @property
    def events(self) -> int:
        """How many events, or lines of logs, the records have."""
        events = sum(len(prepared.batch.events) for prepared in self.batches)
        return events + sum(chunk.hits for chunk in self.chunks)


def prepare(records: Sequence[StoredRecord]) -> Prepared:
    """Unpack records and work out the ids of their events. A control record has to come alone."""
    prepared = Prepared(next_offset=records[-1].offset + 1)
    for stored in records:
        if stored.is_damaged:
            prepared.undecodable.append(stored)
            continue
        try:
            _sort_in(prepared, unpack(stored.payload), stored.offset)
        except (msgspec.DecodeError, ValueError, RecursionError):
            prepared.undecodable.append(stored)
    return prepared


def _sort_in(prepared: Prepared, record: AnyRecord, offset: int) -> None:
    match record:
        case SyncBatch():
            ids = chain_ids(str(UUID(bytes=record.device)), record.after, record.events)
            prepared.batches.append(PreparedBatch(record, ids, record.received_ms // DAY_MS))
        case Hit():
            check_times(np.array([record.at_ms]))
            prepared.hits.append(record)
        case HitChunk():
            check_times(np.array([record.received_ms]))
            prepared.chunks.append(record)
        case Actions() | Replay():
            prepared.batches.append(_unchained(record))
        case Erase():
            prepared.erase = record.device, offset
        case Kept():
            prepared.kept = record
        case Gone():
            prepared.refused.append(record)


def _unchained(record: Actions | Replay) -> PreparedBatch:
    """Events that are in no hash chain, as a batch."""
    if isinstance(record, Replay):
        source, ids, events = Source.REPLAY, [record.event_id], [record.event]
    else:
        source, ids = Source.GPODDER, [action[0] for action in record.actions]
        events = [
            (0, ACTION, uuid or reference(url, guid), "", at_ms, from_ms, to_ms, 0, False)
            for _, at_ms, from_ms, to_ms, uuid, _, url, guid in record.actions
        ]
    batch = SyncBatch(record.device, record.received_ms, b"", "", "", 0, 0, events)
    return PreparedBatch(batch, ids, record.received_ms // DAY_MS, source)


def reference(url: str, guid: str) -> str:
    """The name of an episode that has no id here yet: neither part has a line break, and no UUID has one."""
    return f"{url}\n{guid}"


def undecodable(record: StoredRecord) -> Prepared:
    """A record that could be read and cannot be stored, as one to be set aside."""
    return Prepared(next_offset=record.offset + 1, undecodable=[record])
