"""One step of the worker: a micro-batch of records into the store, in one transaction with the log offset."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine

from api import clock, failpoints
from api.events import StoredRecord
from api.events.chain import chain_ids
from api.events.records import Hit, SyncBatch, unpack
from api.measurement import device_log, playback
from api.measurement.causes import Cause
from api.measurement.device_log import DeviceLog
from api.measurement.fold import (
    Fold,
    PreparedBatch,
    conclude,
    fold_batches,
    ids_to_look_up,
    load_playback,
    playback_keys,
)
from models.chain_state import worst
from models.columns import DAY_MS
from models.queries import folding, offsets
from models.queries.folding import CatalogueEpisode


class LostPartitionError(Exception):
    """Another worker folded these records; nothing of ours was committed."""


class OutdatedDurationError(Exception):
    """An episode's recording was replaced by one of another length; its rollup must be redone first."""


@dataclass(slots=True)
class Prepared:
    """Records, unpacked and hashed: all that can be done without the store."""

    next_offset: int
    batches: list[PreparedBatch] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    undecodable: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Key and payload."""

    @property
    def events(self) -> int:
        """How many events the records have."""
        return sum(len(prepared.batch.events) for prepared in self.batches)


def prepare(records: Sequence[StoredRecord]) -> Prepared:
    """Unpack records and work out the ids of their events."""
    prepared = Prepared(next_offset=records[-1].offset + 1)
    for stored in records:
        try:
            record = unpack(stored.payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            prepared.undecodable.append((stored.key, stored.payload))
            continue
        if isinstance(record, SyncBatch):
            ids = chain_ids(str(UUID(bytes=record.device)), record.after, record.events)
            prepared.batches.append(PreparedBatch(record, ids, record.received_ms // DAY_MS))
        else:
            prepared.hits.append(record)
    return prepared


def undecodable(record: StoredRecord) -> Prepared:
    """A record that could be read and cannot be stored, as one to be set aside."""
    return Prepared(next_offset=record.offset + 1, undecodable=[(record.key, record.payload)])


def commit_step(engine: Engine, consumer: str, partition: int, offset: int, prepared: Prepared) -> None:
    """Fold and write, with the offset, or not at all.

    Raises LostPartitionError when `offset` is not where the consumer stands, OutdatedDurationError when a rollup must
    be redone with `recount_outdated` first.
    """
    with engine.begin() as connection:
        folding.lock_folding(connection, exclusive=False)
        if not offsets.claim_offset(connection, consumer, partition, offset, prepared.next_offset, clock.now_ms()):
            raise LostPartitionError
        failpoints.reach("worker.after_claim")
        fold = _load(connection, prepared)
        fold_batches(fold, prepared.batches)
        fold.known_aside = {
            bytes(row[0]) for row in folding.list_set_aside(connection, ids_to_look_up(prepared.batches))
        }
        conclude(fold, prepared.batches)
        _write(connection, fold, prepared)
        failpoints.reach("worker.before_commit")
    failpoints.reach("worker.after_commit")


def _load(connection: Connection, prepared: Prepared) -> Fold:
    names = {event[2] for item in prepared.batches for event in item.batch.events} | {h.episode for h in prepared.hits}
    uuids = [uuid for name in names if (uuid := _try_uuid(name)) is not None]
    fold = Fold(episodes=folding.list_episodes(connection, uuids))
    durations = {episode.id: episode.duration_seconds for episode in fold.episodes.values()}
    counted: dict[int, int] = dict(
        folding.list_counted_durations(connection, [(episode_id,) for episode_id in sorted(durations)])
    )
    if any(durations[episode_id] != seconds for episode_id, seconds in counted.items()):
        raise OutdatedDurationError
    new = sorted((key, seconds) for key, seconds in durations.items() if key not in counted)
    folding.append_counted_durations(connection, new)
    # Another partition's worker may have been first with another duration; then its row stands.
    if set(folding.list_counted_durations(connection, [(key,) for key, _ in new])) != set(new):
        raise OutdatedDurationError
    for row in folding.list_playbacks(connection, playback_keys(prepared.batches, fold.episodes)):
        load_playback(fold, row, durations[row[2]])
    devices = sorted({item.batch.device for item in prepared.batches})
    fold.device_logs = {device: DeviceLog() for device in devices}
    for row in folding.list_device_logs(connection, [(device,) for device in devices]):
        fold.device_logs[bytes(row[0])] = device_log.from_row(row)
    return fold


@lru_cache(maxsize=100_000)
def _try_uuid(name: str) -> UUID | None:
    """The UUID that a name is, in its one lowercase spelling."""
    try:
        uuid = UUID(name)
    except ValueError:
        return None
    return uuid if str(uuid) == name else None


def _write(connection: Connection, fold: Fold, prepared: Prepared) -> None:
    # In key order everywhere: two workers on different partitions then never wait for each other in a circle.
    folding.put_playbacks(connection, [playback.to_row(key, fold.playbacks[key]) for key in sorted(fold.changed)])
    failpoints.reach("worker.after_playbacks")
    _write_hits(connection, fold, prepared.hits)
    _write_undecodable(fold, prepared.undecodable)
    folding.add_episode_days(connection, [(*key, *row) for key, row in sorted(fold.episode_days.items())])
    failpoints.reach("worker.after_rollups")
    folding.add_arrivals(connection, [(*key, *row) for key, row in sorted(fold.arrivals.items())])
    folding.append_set_aside(connection, [fold.aside_rows[event_id] for event_id in sorted(fold.aside_rows)])
    folding.add_outcomes(connection, [(*key, events) for key, events in sorted(fold.outcomes.items())])
    _write_receipts(connection, fold)
    folding.put_device_logs(connection, [device_log.to_row(key, log) for key, log in sorted(fold.device_logs.items())])


def _write_receipts(connection: Connection, fold: Fold) -> None:
    keys = sorted(fold.receipts)
    for day, device, receipt, counted, duplicate, aside, chain in folding.list_receipts(connection, keys):
        row = fold.receipts[day, bytes(device), bytes(receipt)]
        row[0] += counted
        row[1] += duplicate
        row[2].update(json.loads(aside))
        row[3] = worst((row[3], chain))
    folding.put_receipts(
        connection,
        [
            (*key, counted, duplicate, json.dumps(aside) if aside else "{}", chain)
            for key, (counted, duplicate, aside, chain) in sorted(fold.receipts.items())
        ],
    )


def _write_hits(connection: Connection, fold: Fold, hits: Sequence[Hit]) -> None:
    rows: dict[tuple[int, int], list[int]] = {}
    for hit in hits:
        episode: CatalogueEpisode | None = fold.episodes.get(hit.episode)
        day = hit.at_ms // DAY_MS
        fold.outcomes[day, "hit", "counted" if episode else Cause.UNKNOWN_EPISODE] += 1
        if episode:
            row = rows.setdefault((episode.id, day), [0, 0])
            row[0] += 1
            row[1] += hit.sent_bytes
    folding.add_hits(connection, [(*key, *row) for key, row in sorted(rows.items())])


def _write_undecodable(fold: Fold, undecodable: Sequence[tuple[bytes, bytes]]) -> None:
    """A record that is none of ours stays in the log; here a trace of it, so that the sums still hold."""
    causes: Counter[int] = Counter()
    now_ms = clock.now_ms()
    for key, payload in undecodable:
        event_id = sha256(payload).digest()
        causes[now_ms // DAY_MS] += 1
        fold.aside_rows[event_id] = (event_id, Cause.UNDECODABLE, key, now_ms, json.dumps({"record": payload.hex()}))
    for day, events in causes.items():
        fold.outcomes[day, "record", Cause.UNDECODABLE] += events


def recount_outdated(engine: Engine) -> int:
    """Redo the rollups of episodes whose recording changed its length; how many there were."""
    with engine.begin() as connection:
        folding.lock_folding(connection, exclusive=True)
        outdated = folding.list_outdated_durations(connection)
        for episode_id, duration_seconds in outdated:
            _recount_episode(connection, episode_id, duration_seconds)
    return len(outdated)


def _recount_episode(connection: Connection, episode_id: int, duration_seconds: int) -> None:
    days: dict[int, list[int]] = {}
    # A day without a row has no playback that was started, and without a start nothing is ever counted.
    for day in folding.list_days_of_episode(connection, episode_id):
        total = days[day] = [0] * 5
        for row in folding.list_playbacks_of_episode(connection, episode_id, day):
            counts = playback.contribution(playback.from_row(row), duration_seconds)
            total[:] = [old + count for old, count in zip(total, counts, strict=True)]
    folding.delete_episode_days(connection, episode_id)
    folding.add_episode_days(connection, [(episode_id, day, *total) for day, total in sorted(days.items())])
    folding.put_counted_duration(connection, episode_id, duration_seconds)
