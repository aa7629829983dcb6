"""Follows a device's hash chain from batch to batch; docs/sync-protocol.md.

Nothing here refuses an event. It says whether what the device tells now fits what it told before: `broken` (a head that
its events do not give), `gap` (a stretch not seen yet), `fork` (two different events for one seq).
"""

import json
from dataclasses import dataclass, field
from typing import Any

from api.events.chain import GENESIS
from models.chain_state import ChainState

MAX_MISSING = 100
"""Stretches remembered; a log with more holes is marked broken, for it proves nothing any more."""

Stretch = tuple[int, int, str, str]
"""first seq, last seq, id before it, id that what follows names as its own `after`."""


@dataclass(slots=True)
class DeviceLog:
    """Where a device's chain stands."""

    last_seq: int = 0
    last_id: str = GENESIS
    missing: list[Stretch] = field(default_factory=list)
    is_broken: bool = False
    is_forked: bool = False
    last_received_ms: int = 0


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """What a batch says of the chain."""

    first_seq: int
    last_seq: int
    after: str
    head: str
    id_at: dict[int, str]
    """seq -> id computed here, of accepted events."""
    new_seqs: frozenset[int]
    """Accepted events that were never seen before."""


def follow(log: DeviceLog, first_seq: int, last_seq: int, after: str, head: str, computed_head: str) -> bool:
    """Take in a batch that just carries on from a log without holes, as nearly all do; False leaves it to `advance`."""
    if first_seq != log.last_seq + 1 or after != log.last_id or head != computed_head or log.missing:
        return False
    log.last_seq, log.last_id = last_seq, head
    return True


def advance(log: DeviceLog, batch: BatchFacts) -> ChainState:
    """Take a batch into the device's log; the state that the batch itself showed."""
    state = _state(log, batch)
    log.is_broken = log.is_broken or state == "broken"
    log.is_forked = log.is_forked or state == "fork"
    if batch.last_seq > log.last_seq:
        if batch.first_seq > log.last_seq + 1:
            log.missing.append((log.last_seq + 1, batch.first_seq - 1, log.last_id, batch.after))
        log.last_seq, log.last_id = batch.last_seq, batch.head
    log.missing = [left for stretch in log.missing for left in _without(stretch, batch)]
    if len(log.missing) > MAX_MISSING:
        log.missing, log.is_broken = log.missing[-MAX_MISSING:], True
    return state


def _state(log: DeviceLog, batch: BatchFacts) -> ChainState:
    if _id_at(batch, batch.last_seq) != batch.head:
        return "broken"
    if batch.first_seq == 1 and batch.after != GENESIS:
        return "broken"
    if _contradicts(log, batch):
        return "fork"
    return "gap" if batch.first_seq > log.last_seq + 1 else "intact"


def _id_at(batch: BatchFacts, seq: int) -> str:
    """The id of the last accepted event up to `seq`: a refused one is skipped in the chain."""
    while seq >= batch.first_seq:
        if seq in batch.id_at:
            return batch.id_at[seq]
        seq -= 1
    return batch.after


def _contradicts(log: DeviceLog, batch: BatchFacts) -> bool:
    """Whether the batch gives another event for a seq that was told before."""
    ends = [(log.last_seq, log.last_id)]
    for first, last, before, after in log.missing:
        ends += [(first - 1, before), (last, after)]
    for seq, known in ends:
        if batch.first_seq - 1 <= seq <= batch.last_seq and _id_at(batch, seq) != known:
            return True
    return any(seq <= log.last_seq and not _is_missing(log, seq) for seq in batch.new_seqs)


def _is_missing(log: DeviceLog, seq: int) -> bool:
    return any(first <= seq <= last for first, last, _, _ in log.missing)


def _without(stretch: Stretch, batch: BatchFacts) -> list[Stretch]:
    """What is still missing of a stretch after the batch."""
    first, last, before, after = stretch
    if batch.last_seq < first or batch.first_seq > last:
        return [stretch]
    left: list[Stretch] = []
    if first < batch.first_seq:
        left.append((first, batch.first_seq - 1, before, batch.after))
    if batch.last_seq < last:
        left.append((batch.last_seq + 1, last, batch.head, after))
    return left


def to_row(device: bytes, log: DeviceLog) -> tuple[Any, ...]:
    """A row of `models.queries.folding.DEVICE_LOG`."""
    missing = json.dumps(log.missing) if log.missing else "[]"
    last_id = bytes.fromhex(log.last_id)
    return (device, log.last_seq, last_id, missing, log.is_broken, log.is_forked, log.last_received_ms)


def from_row(row: tuple[Any, ...]) -> DeviceLog:
    """The log in a row of `models.queries.folding.DEVICE_LOG`."""
    missing = [tuple(stretch) for stretch in json.loads(row[3])] if row[3] != "[]" else []
    return DeviceLog(row[1], bytes(row[2]).hex(), missing, bool(row[4]), bool(row[5]), row[6])
