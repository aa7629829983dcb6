"""Folds a micro-batch of log records in memory: rows as they were in, rows as they are to be out.

Nothing here depends on where micro-batches are cut: a fold of two halves gives what a fold of the whole gives.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from api.events.records import EventTuple, SyncBatch
from api.measurement import device_log, playback
from api.measurement.causes import FASTEST, FASTEST_SLACK_MS, cause_of, countable_ms
from api.measurement.device_log import BatchFacts, DeviceLog
from api.measurement.playback import Playback
from models.chain_state import worst
from models.columns import DAY_MS
from models.queries.folding import CatalogueEpisode

Key = tuple[int, bytes, int]
"""UTC day number, device, episode id: the key of a playback."""


UNKNOWN = -1
"""Stands for the id of an episode that is not in the catalogue; its playback stays empty and is never written."""


@dataclass(slots=True)
class _Run:
    """Events of a batch that follow each other and belong to one playback: what holds for all of them."""

    name: str
    day_from_ms: int
    day_to_ms: int
    from_ms: int
    to_ms: int
    """First and last `at_ms` that may count."""
    key: Key
    episode: CatalogueEpisode | None
    state: Playback
    counted: int = 0


@dataclass(slots=True)
class PreparedBatch:
    """A sync batch with the ids of its events, worked out before the transaction begins."""

    batch: SyncBatch
    ids: list[bytes]
    received_day: int
    counted: int = 0
    duplicate: int = 0
    suspects: list[tuple[int, bytes]] = field(default_factory=list)
    """seq and id of events that count although their seq was told before: a fork, unless once set aside."""
    aside: list[tuple[EventTuple, bytes, str]] = field(default_factory=list)
    """event, id and cause."""
    runs: list[_Run] = field(default_factory=list)


@dataclass(slots=True)
class Fold:
    """The state of one micro-batch: loaded first, then folded, then written by `store_step.py`."""

    episodes: dict[str, CatalogueEpisode]
    playbacks: dict[Key, Playback] = field(default_factory=dict)
    device_logs: dict[bytes, DeviceLog] = field(default_factory=dict)
    known_aside: set[bytes] = field(default_factory=set)
    changed: set[Key] = field(default_factory=set)
    episode_days: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * 5))
    arrivals: dict[tuple[int, int, int], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * 5))
    outcomes: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    aside_rows: dict[bytes, tuple[Any, ...]] = field(default_factory=dict)
    receipts: dict[tuple[int, bytes, bytes], list[Any]] = field(default_factory=dict)
    _touched: set[Key] = field(default_factory=set)
    _top_seq: dict[bytes, int] = field(default_factory=dict)


def playback_keys(batches: Iterable[PreparedBatch], episodes: dict[str, CatalogueEpisode]) -> list[Key]:
    """The playbacks that these events belong to, in key order."""
    keys: set[Key] = set()
    for prepared in batches:
        device = prepared.batch.device
        for name, day in {(event[2], event[4] // DAY_MS) for event in prepared.batch.events}:
            if name in episodes:
                keys.add((day, device, episodes[name].id))
    return sorted(keys)


def load_playback(fold: Fold, row: tuple[Any, ...], duration_seconds: int) -> None:
    """Take a stored playback in; what it contributes is in the rollups already."""
    loaded = playback.from_row(row)
    loaded.settled = playback.contribution(loaded, duration_seconds)
    fold.playbacks[row[0], bytes(row[1]), row[2]] = loaded


def fold_batches(fold: Fold, batches: list[PreparedBatch]) -> None:
    """Fold batches in log order. A batch of another received day first settles the one before, so that what a day
    brought is told apart wherever the micro-batch was cut."""
    received_day = batches[0].received_day if batches else 0
    for prepared in batches:
        if prepared.received_day != received_day:
            _settle(fold, received_day)
            received_day = prepared.received_day
        _fold_batch(fold, prepared)
    _settle(fold, received_day)


def _fold_batch(fold: Fold, prepared: PreparedBatch) -> None:
    batch = prepared.batch
    device, received_ms = batch.device, batch.received_ms
    top_seq = fold._top_seq.get(device)
    if top_seq is None:
        top_seq = fold.device_logs[device].last_seq
    run: _Run | None = None
    for event, event_id in zip(batch.events, prepared.ids, strict=True):
        seq, kind, name, _, at_ms, from_ms, to_ms, wall_ms, offline = event
        if run is None or name != run.name or not run.day_from_ms <= at_ms < run.day_to_ms:
            run = _begin_run(fold, prepared, name, at_ms)
        short_id = event_id[:8]
        if short_id in run.state.ids:
            prepared.duplicate += 1
            continue
        if not run.from_ms <= at_ms <= run.to_ms or to_ms - from_ms > FASTEST * wall_ms + FASTEST_SLACK_MS:
            cause = cause_of(run.episode, at_ms, to_ms - from_ms, wall_ms, received_ms)
            prepared.aside.append((event, event_id, str(cause)))
            continue
        run.state.add(short_id, kind, at_ms, from_ms, to_ms, wall_ms, offline)
        if not run.counted:
            fold.playbacks[run.key] = run.state
            fold._touched.add(run.key)
        run.counted += 1
        if seq <= top_seq:
            prepared.suspects.append((seq, event_id))
    _end_runs(fold, prepared)
    fold._top_seq[device] = max(top_seq, batch.last_seq)


def _begin_run(fold: Fold, prepared: PreparedBatch, name: str, at_ms: int) -> "_Run":
    day = at_ms // DAY_MS
    episode = fold.episodes.get(name)
    key = (day, prepared.batch.device, episode.id if episode else UNKNOWN)
    from_ms, to_ms = countable_ms(episode, prepared.batch.received_ms)
    run = _Run(
        name, day * DAY_MS, (day + 1) * DAY_MS, from_ms, to_ms, key, episode, fold.playbacks.get(key) or Playback()
    )
    prepared.runs.append(run)
    return run


def _end_runs(fold: Fold, prepared: PreparedBatch) -> None:
    for run in prepared.runs:
        if run.counted:
            prepared.counted += run.counted
            arrival = fold.arrivals[run.key[2], prepared.received_day, run.key[0]]
            arrival[0] += run.counted
            arrival[4] = max(arrival[4], prepared.batch.received_ms)
    prepared.runs.clear()


def _settle(fold: Fold, received_day: int) -> None:
    """Write what the touched playbacks contribute now, less what they contributed before, into the rollups."""
    durations = {episode.id: episode.duration_seconds for episode in fold.episodes.values()}
    for key in fold._touched:
        state = fold.playbacks[key]
        day, _, episode_id = key
        old, new = state.settled, playback.contribution(state, durations[episode_id])
        if new == old:
            continue
        state.settled = new
        row = fold.episode_days[episode_id, day]
        for place in range(5):
            row[place] += new[place] - old[place]
        arrival = fold.arrivals[episode_id, received_day, day]
        arrival[1] += new.starts - old.starts
        arrival[2] += new.listens - old.listens
        arrival[3] += new.heard_seconds - old.heard_seconds
    fold.changed |= fold._touched
    fold._touched = set()


def ids_to_look_up(batches: Iterable[PreparedBatch]) -> list[tuple[bytes]]:
    """Ids whose being set aside before matters: those set aside now, and suspects of a fork."""
    ids = {event_id for prepared in batches for _, event_id, _ in prepared.aside}
    ids |= {event_id for prepared in batches for _, event_id in prepared.suspects}
    return [(event_id,) for event_id in sorted(ids)]


def conclude(fold: Fold, batches: list[PreparedBatch]) -> None:
    """Settle set-aside events, chains, receipts and the conservation table, batch by batch in log order.

    `fold.known_aside` must hold the looked-up ids by now.
    """
    for prepared in batches:
        suspects = {seq for seq, event_id in prepared.suspects if event_id not in fold.known_aside}
        aside, new_aside = _set_aside(fold, prepared)
        log = fold.device_logs[prepared.batch.device]
        chain = _advance(log, prepared, suspects | new_aside)
        log.last_received_ms = max(log.last_received_ms, prepared.batch.received_ms)
        _account(fold, prepared, aside, chain)


def _advance(log: DeviceLog, prepared: PreparedBatch, new_seqs: set[int]) -> str:
    batch = prepared.batch
    head = prepared.ids[-1].hex() if prepared.ids else batch.after
    if device_log.follow(log, batch.first_seq, batch.last_seq, batch.after, batch.head, head):
        return "intact"
    id_at = {event[0]: event_id.hex() for event, event_id in zip(batch.events, prepared.ids, strict=True)}
    facts = BatchFacts(batch.first_seq, batch.last_seq, batch.after, batch.head, id_at, frozenset(new_seqs))
    return device_log.advance(log, facts)


def _set_aside(fold: Fold, prepared: PreparedBatch) -> tuple[Counter[str], set[int]]:
    """Causes of the batch's newly set-aside events, and the seqs of them; a repetition is a duplicate."""
    causes: Counter[str] = Counter()
    seqs: set[int] = set()
    for event, event_id, cause in prepared.aside:
        if event_id in fold.known_aside:
            prepared.duplicate += 1
            continue
        fold.known_aside.add(event_id)
        causes[cause] += 1
        seqs.add(event[0])
        payload = json.dumps(dict(zip(EVENT_FIELDS, event, strict=True)))
        fold.aside_rows[event_id] = (event_id, cause, prepared.batch.device, prepared.batch.received_ms, payload)
    return causes, seqs


EVENT_FIELDS = ("seq", "kind", "episode", "session", "at_ms", "from_ms", "to_ms", "wall_ms", "offline")


def _account(fold: Fold, prepared: PreparedBatch, aside: Counter[str], chain: str) -> None:
    day = prepared.received_day
    for outcome, events in (("counted", prepared.counted), ("duplicate", prepared.duplicate), *aside.items()):
        if events:
            fold.outcomes[day, "event", outcome] += events
    key = (day, prepared.batch.device, prepared.batch.receipt)
    receipt = fold.receipts.setdefault(key, [0, 0, Counter(), "intact"])
    receipt[0] += prepared.counted
    receipt[1] += prepared.duplicate
    receipt[2].update(aside)
    receipt[3] = worst((receipt[3], chain))
