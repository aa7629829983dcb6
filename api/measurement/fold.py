"""Folds a micro-batch of log records in memory: rows as they were in, rows as they are to be out.

Nothing here depends on where micro-batches are cut: a fold of two halves gives what a fold of the whole gives.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from api.events.records import EventTuple, SyncBatch
from api.measurement import playback
from api.measurement.causes import (
    ACTION,
    FASTEST,
    FASTEST_SLACK_MS,
    HOUR_MS,
    Cause,
    cause_of_event,
    countable_ms,
)
from api.measurement.device_log import DeviceLog
from api.measurement.impressions_delivered import Delivered
from api.measurement.playback import Playback
from models.columns import DAY_MS
from models.queries.folding import CatalogueEpisode

Key = tuple[int, bytes, int]
"""UTC day number, device, episode id: the key of a playback."""


HOURLY_LAG_HOURS = 72
"""Up to here lag is kept by the hour: most of what is late comes within three days."""

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


class Source(Enum):
    """Where events came from, and so what else there is to do with them."""

    DEVICE = "device"
    """A native client's batch: part of a hash chain, and there is a receipt for it."""
    GPODDER = "gpodder"
    """A podcast app's plays: no chain, no receipt, no wall time."""
    REPLAY = "replay"
    """An event that was set aside before: its receipt has been accounted for already."""


@dataclass(slots=True)
class PreparedBatch:
    """Events of one device with their ids, worked out before the transaction begins."""

    batch: SyncBatch
    ids: list[bytes]
    received_day: int
    source: Source = Source.DEVICE
    counted: int = 0
    duplicate: int = 0
    suspects: list[tuple[int, bytes]] = field(default_factory=list)
    """seq and id of events that count although their seq was told before: a fork."""
    aside: list[tuple[EventTuple, bytes, str]] = field(default_factory=list)
    """event, id and cause."""
    runs: list[_Run] = field(default_factory=list)


@dataclass(slots=True)
class Fold:
    """The state of one micro-batch: loaded first, then folded, then written by `store_step.py`."""

    episodes: dict[str, CatalogueEpisode]
    playbacks: dict[Key, Playback] = field(default_factory=dict)
    device_logs: dict[bytes, DeviceLog] = field(default_factory=dict)
    known_aside: dict[bytes, tuple[int, str]] = field(default_factory=dict)
    """Events set aside already, as far as they may be told again here: received day and cause."""
    held: Mapping[bytes, str] = field(default_factory=dict)
    """As in `Prepared`."""
    changed: set[Key] = field(default_factory=set)
    episode_days: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * 5))
    arrivals: dict[tuple[int, int, int], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * 5))
    show_arrivals: dict[tuple[int, int, int], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * 3))
    outcomes: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    aside_rows: dict[bytes, tuple[Any, ...]] = field(default_factory=dict)
    replayed: list[tuple[bytes]] = field(default_factory=list)
    """Ids of events that were set aside and count now."""
    receipts: dict[tuple[int, bytes, bytes], list[Any]] = field(default_factory=dict)
    listened: list[tuple[int, int, bytes]] = field(default_factory=list)
    """Show, day and device of each playback that became a listen."""
    delivered: Delivered = field(default_factory=Delivered)
    """Impressions that the hits of the same records delivered."""
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
    """Fold batches in log order. A batch of another hour of receipt first settles those before, so that what each hour
    brought is told apart wherever the micro-batch was cut."""
    received_hour = batches[0].batch.received_ms // HOUR_MS if batches else 0
    for prepared in batches:
        hour = prepared.batch.received_ms // HOUR_MS
        if hour != received_hour:
            _settle(fold, received_hour)
            received_hour = hour
        _fold_batch(fold, prepared)
    _settle(fold, received_hour)


def _fold_batch(fold: Fold, prepared: PreparedBatch) -> None:
    batch = prepared.batch
    device = batch.device
    is_replay = prepared.source is Source.REPLAY
    # What a device tells for the first time has a seq above all others, and cannot have been set aside.
    top_seq = _top_seq(fold, prepared)
    held = fold.held
    run: _Run | None = None
    for event, event_id in zip(batch.events, prepared.ids, strict=True):
        seq, kind, name, _, at_ms, from_ms, to_ms, wall_ms, offline = event
        if run is None or name != run.name or not run.day_from_ms <= at_ms < run.day_to_ms:
            run = _begin_run(fold, prepared, name, at_ms)
        short_id = event_id[:8]
        if short_id in run.state.ids:
            prepared.duplicate += 1
            continue
        if seq <= top_seq and (event_id in fold.known_aside) is not is_replay:
            # Set aside before, so its first receipt has decided; or a replay of what was replayed already.
            prepared.duplicate += not is_replay
            continue
        if held and event_id in held and (held[event_id] or not is_replay):
            _aside(fold, prepared, event, event_id, held[event_id] or Cause.UNKNOWN_EPISODE)
            continue
        if not run.from_ms <= at_ms <= run.to_ms or (
            to_ms - from_ms > FASTEST * wall_ms + FASTEST_SLACK_MS and kind != ACTION
        ):
            _aside(fold, prepared, event, event_id, str(cause_of_event(run.episode, event, batch.received_ms)))
            continue
        run.state.add(short_id, kind, at_ms, from_ms, to_ms, wall_ms, offline)
        if not run.counted:
            fold.playbacks[run.key] = run.state
            fold._touched.add(run.key)
        run.counted += 1
        if seq <= top_seq:
            prepared.suspects.append((seq, event_id))
    _end_runs(fold, prepared)
    if prepared.source is Source.DEVICE:
        fold._top_seq[device] = max(top_seq, batch.last_seq)


def _top_seq(fold: Fold, prepared: PreparedBatch) -> int:
    """Events up to this seq may have been told before: any event that is in no chain."""
    if prepared.source is not Source.DEVICE:
        return sys.maxsize
    device = prepared.batch.device
    known = fold._top_seq.get(device)
    return fold.device_logs[device].last_seq if known is None else known


def _aside(fold: Fold, prepared: PreparedBatch, event: EventTuple, event_id: bytes, cause: str) -> None:
    if prepared.source is Source.REPLAY:  # its cause is still there
        return
    prepared.aside.append((event, event_id, cause))
    fold.known_aside[event_id] = prepared.received_day, cause


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


def _settle(fold: Fold, received_hour: int) -> None:
    """Write what the touched playbacks contribute now, less what they contributed before, into the rollups."""
    episodes = {episode.id: episode for episode in fold.episodes.values()}
    for key in fold._touched:
        state = fold.playbacks[key]
        day, _, episode_id = key
        episode = episodes[episode_id]
        old, new = state.settled, playback.contribution(state, episode.duration_seconds)
        if new == old:
            continue
        state.settled = new
        row = fold.episode_days[episode_id, day]
        for place in range(5):
            row[place] += new[place] - old[place]
        if new.listens > old.listens:
            fold.listened.append((episode.show_id, day, key[1]))
        added = new.starts - old.starts, new.listens - old.listens, new.heard_seconds - old.heard_seconds
        arrival = fold.arrivals[episode_id, received_hour // 24, day]
        lag = fold.show_arrivals[episode.show_id, day, lag_hours(received_hour, day)]
        for place, count in enumerate(added):
            arrival[1 + place] += count
            lag[place] += count
    fold.changed |= fold._touched
    fold._touched = set()


def lag_hours(received_hour: int, day: int) -> int:
    """The key of `show_arrival`: hours since the day began, from three days on cut to whole days."""
    hours = max(0, received_hour - day * 24)
    return hours if hours < HOURLY_LAG_HOURS else hours // 24 * 24


def ids_to_look_up(fold: Fold, batches: Iterable[PreparedBatch]) -> list[tuple[bytes]]:
    """Ids whose being set aside before would matter: of events that may have been told before and are in no playback.

    `fold` must hold the playbacks and device logs by now.
    """
    ids: set[bytes] = set()
    for prepared in batches:
        device = prepared.batch.device
        is_chained = prepared.source is Source.DEVICE
        last_seq = fold.device_logs[device].last_seq if is_chained else sys.maxsize
        if is_chained and prepared.batch.first_seq > last_seq:
            continue
        for event, event_id in zip(prepared.batch.events, prepared.ids, strict=True):
            episode = fold.episodes.get(event[2])
            key = event[4] // DAY_MS, device, episode.id if episode else UNKNOWN
            state = fold.playbacks.get(key)
            if event[0] <= last_seq and (state is None or event_id[:8] not in state.ids):
                ids.add(event_id)
    return [(event_id,) for event_id in sorted(ids)]
