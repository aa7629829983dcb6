"""What a fold says beside its counts: events set aside, chains, receipts, and the conservation table."""

import json
from collections import Counter

from api.measurement import device_log
from api.measurement.device_log import BatchFacts, DeviceLog
from api.measurement.fold import Fold, PreparedBatch, Source
from models.chain_state import worst


def conclude(fold: Fold, batches: list[PreparedBatch]) -> None:
    """Settle set-aside events, chains, receipts and the conservation table, batch by batch in log order."""
    for prepared in batches:
        if prepared.source is Source.REPLAY:
            _conclude_replay(fold, prepared)
            continue
        aside = _set_aside(fold, prepared)
        _account(fold, prepared, aside)
        if prepared.source is Source.DEVICE:
            new_seqs = {seq for seq, _ in prepared.suspects} | {event[0] for event, _, _ in prepared.aside}
            log = fold.device_logs[prepared.batch.device]
            chain = _advance(log, prepared, new_seqs)
            log.last_received_ms = max(log.last_received_ms, prepared.batch.received_ms)
            _note_receipt(fold, prepared, aside, chain)


def _conclude_replay(fold: Fold, prepared: PreparedBatch) -> None:
    """Its receipt stays as it was received; only what became of it has changed."""
    for _, event_id in prepared.suspects:
        received_day, cause = fold.known_aside.pop(event_id)
        fold.outcomes[received_day, "event", cause] -= 1
        fold.outcomes[received_day, "event", "counted"] += 1
        fold.replayed.append((event_id,))


def _advance(log: DeviceLog, prepared: PreparedBatch, new_seqs: set[int]) -> str:
    batch = prepared.batch
    head = prepared.ids[-1].hex() if prepared.ids else batch.after
    if device_log.follow(log, batch.first_seq, batch.last_seq, batch.after, batch.head, head):
        return "intact"
    id_at = {event[0]: event_id.hex() for event, event_id in zip(batch.events, prepared.ids, strict=True)}
    facts = BatchFacts(batch.first_seq, batch.last_seq, batch.after, batch.head, id_at, frozenset(new_seqs))
    return device_log.advance(log, facts)


def _set_aside(fold: Fold, prepared: PreparedBatch) -> Counter[str]:
    """Causes of the batch's newly set-aside events."""
    causes: Counter[str] = Counter()
    for event, event_id, cause in prepared.aside:
        causes[cause] += 1
        payload = json.dumps(dict(zip(EVENT_FIELDS, event, strict=True)))
        fold.aside_rows[event_id] = (event_id, cause, prepared.batch.device, prepared.batch.received_ms, payload)
    return causes


EVENT_FIELDS = ("seq", "kind", "episode", "session", "at_ms", "from_ms", "to_ms", "wall_ms", "offline")


def _account(fold: Fold, prepared: PreparedBatch, aside: Counter[str]) -> None:
    for outcome, events in (("counted", prepared.counted), ("duplicate", prepared.duplicate), *aside.items()):
        if events:
            fold.outcomes[prepared.received_day, "event", outcome] += events


def _note_receipt(fold: Fold, prepared: PreparedBatch, aside: Counter[str], chain: str) -> None:
    key = (prepared.received_day, prepared.batch.device, prepared.batch.receipt)
    receipt = fold.receipts.setdefault(key, [0, 0, Counter(), "intact"])
    receipt[0] += prepared.counted
    receipt[1] += prepared.duplicate
    receipt[2].update(aside)
    receipt[3] = worst((receipt[3], chain))
