"""Whether folding costs the same however much has been counted before: one traffic, two stores, 100 times apart."""

import asyncio
import random
import shutil
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

import msgspec

from api.events import EventLog, Record
from api.events.chain import chain_ids
from api.events.opening import open_log
from api.events.records import SyncBatch, pack
from api.measurement.worker import ease_gc
from bench.fold_log import Folded
from bench.folding import fold
from bench.past import PAST_DAYS, Chain, fill
from bench.plan import USUAL_BATCH, Bench
from bench.processes import BenchError
from bench.subjects import EPISODE_MS, Earshot
from bench.traffic import history
from models.engine import make_engine

EVENTS_OF_A_DEVICE = 500
"""Counted of one device in the year; so the larger store also has more devices."""
EVENTS_IN_TRAFFIC = 200
"""Of one device in the measured traffic. Its devices are among those of both stores."""
TOLD_SHARE = 0.25
"""Of the traffic, folded before anything is measured: the playbacks that the rest goes on with."""
REPEAT_SHARE = 0.05
"""Of the traffic, sent a second time: duplicates."""
APPENDS_AT_ONCE = 1000


class Size(msgspec.Struct):
    """What a store weighs, its WAL written back."""

    known_events: int
    playbacks: int
    devices: int
    file_bytes: int
    playback_bytes: int | None
    """Pages of the table `playback`; None when this SQLite cannot tell."""


class HistoryRow(msgspec.Struct):
    """One store, and how fast the same traffic was folded into copies of it."""

    size: Size
    events: int
    """In the traffic, duplicates included."""
    events_per_second: float
    events_per_cpu_second: float
    runs: list[Folded]


@dataclass
class Store:
    """An installation whose store is put back before each run."""

    earshot: Earshot
    base: Path
    size: Size
    told: int
    """Events of the traffic that the store knows."""
    runs: list[Folded]


def measure_history(bench: Bench) -> list[HistoryRow]:
    """Fill both stores, then fold the same traffic into copies of them, in turn."""
    plan = bench.plan
    ease_gc()
    now_ms = time.time_ns() // 1_000_000
    active = [uuid4().bytes for _ in range(plan.history_events // EVENTS_IN_TRAFFIC)]
    stores = [_prepare(bench, known, active, now_ms) for known in plan.history_known]
    for repeat in range(plan.history_repeats):
        bench.tell(f"folding and history, round {repeat + 1} of {plan.history_repeats}")
        for store in stores if repeat % 2 else reversed(stores):
            _put_back(store)
            store.runs.append(fold(bench, store.earshot))
            _check(store, plan.history_events)
    return [_row(store) for store in stores]


def ratio(rows: list[HistoryRow]) -> tuple[float, float]:
    """Rate with much history to rate with little, by the clock and by CPU time: medians over pairs of runs."""
    small, large = rows
    pairs = list(zip(small.runs, large.runs, strict=True))
    # Both folded the same, so the rates are to each other as the times are.
    return (
        median(few.seconds / many.seconds for few, many in pairs),
        median(few.cpu_seconds / many.cpu_seconds for few, many in pairs),
    )


def _prepare(bench: Bench, known: int, active: list[bytes], now_ms: int) -> Store:
    """A store that knows `known` events, with a log of which the last part is not folded yet."""
    earshot = Earshot(bench.processes, f"history-{known}", published_days=PAST_DAYS + 30)
    chains = _fill(bench, earshot, known, active, now_ms)
    batches = _traffic(bench.plan.history_events, chains, earshot.episodes, now_ms)
    told_batches = batches[: round(len(batches) * TOLD_SHARE)]
    log = open_log(f"sqlite:///{earshot.home / 'events.db'}")
    _append(log, told_batches)
    told = fold(bench, earshot).events
    _append(log, [*batches[len(told_batches) :], *told_batches[: round(len(batches) * REPEAT_SHARE)]])
    log.close()
    base = earshot.home / "base.db"
    size = _measure(earshot.home / "store.db")
    (earshot.home / "store.db").rename(base)
    return Store(earshot, base, size, told, [])


def _fill(bench: Bench, earshot: Earshot, known: int, active: list[bytes], now_ms: int) -> list[tuple[bytes, Chain]]:
    """The year before, without what the traffic itself will add to it; where the active devices' logs stand then."""
    others = [uuid4().bytes for _ in range(known // EVENTS_OF_A_DEVICE - len(active))]
    events = known - round(bench.plan.history_events * TOLD_SHARE)
    engine = make_engine(earshot.store_url, durability="NORMAL")
    chains = fill(
        engine, [*active, *others], earshot.episodes, events=events, now_ms=now_ms, episode_ms=EPISODE_MS,
        tell=lambda done: bench.tell(f"a store that knows {known // 1000}k events, {done // 1000}k so far"),
    )  # fmt: skip
    engine.dispose()
    return [(device, chains[device]) for device in active]


def _traffic(
    events: int, chains: list[tuple[bytes, Chain]], episodes: tuple[str, ...], now_ms: int
) -> list[tuple[bytes, bytes]]:
    """Device and packed batch, every device's first, then every device's second, ...; the same listening for both
    stores, each device's log going on where its store knows it to stand."""
    rounds = max(1, round(events / (USUAL_BATCH * len(chains))))
    by_device = []
    for number, (device, chain) in enumerate(chains):
        log = history(random.Random(number), episodes, rounds * USUAL_BATCH, now_ms, EPISODE_MS)
        log = [(seq + chain.last_seq, *event) for seq, *event in log]
        ids = [chain.last_id, *(event_id.hex() for event_id in chain_ids(str(UUID(bytes=device)), chain.last_id, log))]
        by_device.append([_record(device, log, ids, first, now_ms) for first in range(0, len(log), USUAL_BATCH)])
    return [(device, by_device[place][round_]) for round_ in range(rounds) for place, (device, _) in enumerate(chains)]


def _record(device: bytes, log: list, ids: list[str], first: int, now_ms: int) -> bytes:
    events = log[first : first + USUAL_BATCH]
    after, head = ids[first], ids[first + USUAL_BATCH]
    receipt = bytes.fromhex(head)  # stands for the hash of a body: 32 bytes that no other batch has
    return pack(SyncBatch(device, now_ms, receipt, after, head, events[0][0], events[-1][0], events))


def _append(log: EventLog, batches: list[tuple[bytes, bytes]]) -> None:
    async def append_all() -> None:
        for start in range(0, len(batches), APPENDS_AT_ONCE):
            some = batches[start : start + APPENDS_AT_ONCE]
            await asyncio.gather(*(log.append(Record(device, payload)) for device, payload in some))

    asyncio.run(append_all())


def _measure(path: Path) -> Size:
    """Write the WAL back, then look."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        def count(statement: str) -> int:
            return int(connection.execute(statement).fetchone()[0])

        try:
            playback_bytes = count("SELECT pgsize FROM dbstat('main', 1) WHERE name = 'playback'")
        except sqlite3.OperationalError:
            playback_bytes = None
        return Size(
            known_events=count("SELECT sum(events) FROM pipeline_day WHERE outcome = 'counted'"),
            playbacks=count("SELECT count(*) FROM playback"),
            devices=count("SELECT count(*) FROM device_log"),
            file_bytes=path.stat().st_size,
            playback_bytes=playback_bytes,
        )
    finally:
        connection.close()


def _put_back(store: Store) -> None:
    for suffix in ("", "-wal", "-shm"):
        (store.earshot.home / f"store.db{suffix}").unlink(missing_ok=True)
    shutil.copyfile(store.base, store.earshot.home / "store.db")


def _check(store: Store, events: int) -> None:
    """What was folded must have been counted once, or been found to be a duplicate."""
    connection = sqlite3.connect(store.earshot.home / "store.db")
    outcomes = dict(connection.execute("SELECT outcome, sum(events) FROM pipeline_day GROUP BY outcome"))
    connection.close()
    counted = outcomes["counted"] - store.size.known_events
    repeated = round(events * REPEAT_SHARE)
    is_right = counted == events - store.told and outcomes == {"counted": outcomes["counted"], "duplicate": repeated}
    if not is_right or store.runs[-1].events != counted + repeated:
        raise BenchError(f"the counts are wrong: {store.runs[-1].events} events folded, and the store has {outcomes}")


def _row(store: Store) -> HistoryRow:
    return HistoryRow(
        size=store.size,
        events=store.runs[-1].events,
        events_per_second=median(run.events / run.seconds for run in store.runs),
        events_per_cpu_second=median(run.events / run.cpu_seconds for run in store.runs),
        runs=store.runs,
    )
