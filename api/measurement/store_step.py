"""One step of the worker: a micro-batch of records into the store, in one transaction with the log offset."""

import json
from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import Connection, Engine

from api import clock, failpoints
from api.events import StoredRecord
from api.measurement import device_log, heard, playback
from api.measurement.causes import Cause
from api.measurement.conclude import conclude
from api.measurement.fold import Fold, fold_batches
from api.measurement.hit_step import write_chunks, write_hits
from api.measurement.impressions_step import write_impressions
from api.measurement.load import load
from api.measurement.prepare import Prepared
from api.measurement.reach_step import write_reach
from models.chain_state import worst
from models.columns import DAY_MS
from models.queries import erasures, folding, offsets


class LostPartitionError(Exception):
    """Another worker folded these records; nothing of ours was committed."""


def commit_step(engine: Engine, consumer: str, partition: int, offset: int, prepared: Prepared) -> None:
    """Fold and write, with the offset, or not at all.

    Raises LostPartitionError when `offset` is not where the consumer stands, OutdatedDurationError when a rollup must
    be redone with `recount_outdated` first.
    """
    failpoints.reach("worker.before_claim")
    with engine.begin() as connection:
        folding.lock_folding(connection, exclusive=False)
        if not offsets.claim_offset(connection, consumer, partition, offset, prepared.next_offset, clock.now_ms()):
            raise LostPartitionError
        failpoints.reach("worker.after_claim")
        if prepared.erase:
            erasures.append_erasure(connection, prepared.erase[0], partition, prepared.erase[1])
        else:
            fold = load(connection, prepared)
            fold_batches(fold, prepared.batches)
            conclude(fold, prepared.batches)
            _write(connection, fold, prepared, partition)
        failpoints.reach("worker.before_commit")
    failpoints.reach("worker.after_commit")


def _write(connection: Connection, fold: Fold, prepared: Prepared, partition: int) -> None:
    # In key order everywhere: two workers on different partitions then never wait for each other in a circle.
    folding.put_playbacks(connection, [playback.to_row(key, fold.playbacks[key]) for key in sorted(fold.changed)])
    failpoints.reach("worker.after_playbacks")
    write_hits(connection, prepared.hits, fold.outcomes, fold.delivered)
    if prepared.chunks:
        write_chunks(connection, prepared.chunks, fold.outcomes, fold.delivered)
    _write_undecodable(fold, prepared.undecodable, partition)
    _write_heard(connection, fold)
    folding.add_episode_days(connection, [(*key, *row) for key, row in sorted(fold.episode_days.items())])
    write_reach(connection, fold, write_impressions(connection, fold))
    failpoints.reach("worker.after_rollups")
    folding.add_arrivals(connection, [(*key, *row) for key, row in sorted(fold.arrivals.items())])
    folding.add_show_arrivals(connection, [(*key, *row) for key, row in sorted(fold.show_arrivals.items())])
    folding.append_set_aside(connection, [fold.aside_rows[event_id] for event_id in sorted(fold.aside_rows)])
    folding.delete_set_aside(connection, fold.replayed)
    if prepared.kept:
        erasures.append_erased(connection, prepared.kept.device_hash)
    folding.add_outcomes(connection, [(*key, events) for key, events in sorted(fold.outcomes.items())])
    _write_receipts(connection, fold)
    folding.put_device_logs(connection, [device_log.to_row(key, log) for key, log in sorted(fold.device_logs.items())])


def _write_heard(connection: Connection, fold: Fold) -> None:
    """Add to the listeners of each second what the changed playbacks heard now, less what they had heard before."""
    durations = {episode.id: episode.duration_seconds for episode in fold.episodes.values()}
    changed: dict[int, list[playback.Playback]] = defaultdict(list)
    for key in fold.changed:
        changed[key[2]].append(fold.playbacks[key])
    rows: list[heard.ChunkRow] = []
    for episode_id, states in sorted(changed.items()):
        after = (playback.packed(state) for state in states)
        before = (state.stored for state in states)
        seconds = durations[episode_id]
        rows += heard.chunk_rows(episode_id, heard.steps_of(after, seconds), heard.steps_of(before, seconds))
    if not rows:
        return
    folding.lock_episodes(connection, [row[0] for row in rows])
    stored = {(row[0], row[1]): row for row in folding.list_heard(connection, [row[:2] for row in rows])}
    folding.put_heard(connection, [heard.merge_rows(row, old) if (old := stored.get(row[:2])) else row for row in rows])


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


def _write_undecodable(fold: Fold, undecodable: Sequence[StoredRecord], partition: int) -> None:
    """A record that is none of ours, or damaged, stays in the log; here a trace of it, so that the sums still hold."""
    for stored in undecodable:
        # Its place is its identity: of two destroyed records there may be the same left, nothing.
        event_id = sha256(b"%d/%d/%b" % (partition, stored.offset, stored.payload)).digest()
        fold.outcomes[stored.appended_ms // DAY_MS, "record", Cause.UNDECODABLE] += 1
        trace = json.dumps({"partition": partition, "offset": stored.offset, "record": stored.payload.hex()})
        fold.aside_rows[event_id] = (event_id, Cause.UNDECODABLE, stored.key, stored.appended_ms, trace)
