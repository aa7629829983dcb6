"""What must hold after every fault."""

from collections import Counter, defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Engine, text

from api.consumers import MEASUREMENT
from api.events import StoredRecord
from api.events.archive import Archive
from api.events.opening import open_log
from api.events.records import AnyRecord, Hit, SyncBatch, unpack
from api.measurement import playback
from api.measurement.entries import ENTRY
from api.measurement.recount import Recount
from models.columns import DAY_MS
from models.engine import read_only
from models.queries import folding
from tests.faults.traffic import Traffic

Rollups = dict[tuple[int, int], list[int]]
"""(episode id, day) -> starts, listens, offline listens, completions, heard seconds."""


def check_all(
    engine: Engine,
    traffic: Traffic,
    home: Path,
    *,
    excused: Collection[str] = (),
    unreadable: int = 0,
    coarser: Collection[str] = (),
) -> None:
    """Every promise of docs/operations.md at once, when the worker has come to the log's end.

    `excused` are ids of acknowledged events that the disk destroyed, `unreadable` is how many records they were in:
    those the pipeline page must show. `coarser` are tables of which an older Earshot kept less than a recount finds.
    """
    records = read_counted(engine, home)
    check_acknowledged_is_kept(engine, traffic, excused)
    check_each_once_and_nothing_invented(engine, traffic)
    check_rollups(engine, traffic)
    check_conservation(engine, records, unreadable)
    check_downloads(engine)
    check_answers(traffic)
    check_recount(engine, home, coarser)


def read_log(home: Path) -> list[StoredRecord]:
    """All records of the embedded log."""
    log = open_log(f"sqlite:///{home / 'events.db'}")
    try:
        return [record for partition in range(log.partitions) for record in log.read(partition, 0, 1_000_000)]
    finally:
        log.close()


def read_counted(engine: Engine, home: Path) -> list[StoredRecord]:
    """The records that the worker has counted: all but hits of the last moment, which are appended after the answer."""
    partitions = rows(engine, f"SELECT partition, next_offset FROM consumer_offset WHERE consumer = '{MEASUREMENT}'")
    reached = dict(partitions)
    log = open_log(f"sqlite:///{home / 'events.db'}")
    try:
        records = [(part, record) for part in range(log.partitions) for record in log.read(part, 0, 1_000_000)]
    finally:
        log.close()
    late = [try_unpack(record) for part, record in records if record.offset >= reached[part]]
    assert [record for record in late if not isinstance(record, Hit)] == []
    return [record for part, record in records if record.offset < reached[part]]


def check_acknowledged_is_kept(engine: Engine, traffic: Traffic, excused: Collection[str]) -> None:
    """Acknowledged is a subset of counted or set aside."""
    kept = {short for _, ids in counted_ids(engine) for short in ids}
    aside = {bytes(event_id).hex() for (event_id,) in rows(engine, "SELECT event_id FROM set_aside")}
    lost = {i for i in traffic.acknowledged - set(excused) if bytes.fromhex(i)[:8] not in kept and i not in aside}
    assert lost == set(), f"{len(lost)} of {len(traffic.acknowledged)} acknowledged events are lost"


def check_each_once_and_nothing_invented(engine: Engine, traffic: Traffic) -> None:
    """An id is in one playback, once, or set aside, and some phone wrote it, of that device, episode and day."""
    uuids = {number: str(UUID(str(uuid))) for number, uuid in rows(engine, "SELECT id, uuid FROM episode")}
    written = {
        (event["at_ms"] // DAY_MS, phone.bytes, event["episode"], bytes.fromhex(event_id)[:8])
        for phone in traffic.phones
        for event, event_id in zip(phone.log, phone.ids, strict=True)
    }
    found = Counter(
        (day, device, uuids[episode], short) for (day, device, episode), ids in counted_ids(engine) for short in ids
    )
    assert {key: times for key, times in found.items() if times > 1} == {}
    assert found.keys() - written == set()
    everything = {event_id for phone in traffic.phones for event_id in phone.ids}
    aside = rows(engine, "SELECT event_id FROM set_aside WHERE cause <> 'undecodable'")
    assert {bytes(event_id).hex() for (event_id,) in aside} - everything == set()
    shorts = {short for _, _, _, short in found}
    assert [event_id for (event_id,) in aside if bytes(event_id)[:8] in shorts] == []


def check_rollups(engine: Engine, traffic: Traffic) -> None:
    """The rollups are what the playbacks make, and those are what the phones logged."""
    stored: Rollups = {
        row[:2]: list(row[2:])
        for row in rows(
            engine,
            "SELECT episode_id, day, starts, listens, offline_listens, completions, heard_seconds FROM episode_day",
        )
        if any(row[2:])
    }
    assert stored == sum_of_contributions(engine)
    assert stored == sum_of_logs(engine, traffic)
    arrived = rows(
        engine, "SELECT episode_id, day, sum(starts), sum(listens), sum(heard_seconds) FROM arrival_day GROUP BY 1, 2"
    )
    assert {row[:2]: list(map(int, row[2:])) for row in arrived if any(row[2:])} == {
        key: [starts, listens, heard] for key, (starts, listens, _, _, heard) in stored.items()
    }


def sum_of_contributions(engine: Engine) -> Rollups:
    """The rollups, computed anew from the playback rows."""
    totals: Rollups = defaultdict(lambda: [0] * 5)
    seconds = dict(rows(engine, "SELECT episode_id, duration_seconds FROM episode_counted"))
    for row in rows(engine, f"SELECT {', '.join(folding.PLAYBACK.columns)} FROM playback"):
        day, _, episode_id = row[:3]
        counts = playback.contribution(playback.from_row(row), seconds[episode_id])
        totals[episode_id, day] = [a + b for a, b in zip(totals[episode_id, day], counts, strict=True)]
    return {key: total for key, total in totals.items() if any(total)}


def sum_of_logs(engine: Engine, traffic: Traffic) -> Rollups:
    """The rollups, computed from the phones' own logs with sets of seconds, of the events that were counted."""
    durations = {
        number: ms // 1000 for number, ms in rows(engine, "SELECT id, duration_ms FROM episode WHERE duration_ms > 0")
    }
    logs = {
        (phone.bytes, bytes.fromhex(event_id)[:8]): event
        for phone in traffic.phones
        for event, event_id in zip(phone.log, phone.ids, strict=True)
    }
    totals: Rollups = defaultdict(lambda: [0] * 5)
    for (day, device, episode_id), ids in counted_ids(engine):
        events = [logs[device, short] for short in ids]
        spans = [range(event["from_ms"] // 1000, event["to_ms"] // 1000) for event in events]
        heard = len({second for span in spans for second in span if second < durations[episode_id]})
        is_listen = heard >= min(30, durations[episode_id])
        is_offline = any(span and event["offline"] for span, event in zip(spans, events, strict=True))
        total = totals[episode_id, day]
        total[0] += any(event["kind"] != "download" for event in events)
        total[1] += is_listen
        total[2] += is_listen and is_offline
        total[3] += heard * 10 >= durations[episode_id] * 9
        total[4] += heard
    return {key: total for key, total in totals.items() if any(total)}


def check_conservation(engine: Engine, records: list[StoredRecord], unreadable: int) -> None:
    """Received = counted + duplicate + set aside; and the store has just as many ids as it says it counted."""
    received: Counter[str] = Counter()
    for record in records:
        unpacked = try_unpack(record)
        if isinstance(unpacked, SyncBatch):
            received["event"] += len(unpacked.events)
        else:
            received["hit" if unpacked else "record"] += 1
    assert received["record"] == unreadable
    outcomes = rows(engine, "SELECT kind, outcome, sum(events) FROM pipeline_day GROUP BY kind, outcome")
    told: Counter[str] = Counter()
    for kind, _, events in outcomes:
        told[kind] += int(events)
    assert told == +received
    of_events = {outcome: int(events) for kind, outcome, events in outcomes if kind == "event"}
    assert of_events.pop("counted", 0) == sum(len(ids) for _, ids in counted_ids(engine))
    of_events.pop("duplicate", None)
    causes = rows(engine, "SELECT cause, count(*) FROM set_aside WHERE cause <> 'undecodable' GROUP BY cause")
    assert of_events == dict(causes)
    [(lost,)] = rows(engine, "SELECT count(*) FROM set_aside WHERE cause = 'undecodable'")
    assert lost == unreadable


def check_downloads(engine: Engine) -> None:
    """Every hit has one outcome, and downloads come to one sum by whatever they are told apart."""
    [(hits, downloads)] = rows(
        engine,
        f"SELECT coalesce(sum(length(hits)), 0) / {ENTRY.itemsize}, coalesce(sum(downloads), 0) FROM consumer_day",
    )
    [(told, counted)] = rows(
        engine,
        "SELECT coalesce(sum(hits), 0), coalesce(sum(CASE WHEN outcome = 'download' THEN hits ELSE 0 END), 0) "
        "FROM hit_outcome",
    )
    assert told == hits
    assert counted == downloads
    by_hour = rows(engine, "SELECT coalesce(sum(downloads), 0) FROM download_hour")
    by_kind = rows(engine, "SELECT sum(downloads) FROM download_split GROUP BY kind")
    of_shows = rows(engine, "SELECT sum(downloads) FROM show_download_split GROUP BY kind")
    assert {int(total) for (total,) in [*by_hour, *by_kind, *of_shows]} == {int(downloads)}
    assert rows(engine, "SELECT coalesce(sum(hits), 0) FROM show_hit_outcome") == [(told,)]


def check_recount(engine: Engine, home: Path, coarser: Collection[str]) -> None:
    """What `earshot recount` rebuilds from the log is what is stored, row by row."""
    log = open_log(f"sqlite:///{home / 'events.db'}")
    try:
        report = Recount(engine, log, Archive(home / "archive")).run()
    finally:
        log.close()
    wrong = {table.table: table.examples for table in report.tables if table.wrong}
    assert {table: examples for table, examples in wrong.items() if table not in coarser} == {}


def try_unpack(record: StoredRecord) -> AnyRecord | None:
    """None for what cannot be counted."""
    try:
        return None if record.is_damaged else unpack(record.payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def check_answers(traffic: Traffic) -> None:
    """Feeds and downloads kept answering."""
    assert {path.split("/")[1] for path, _ in traffic.answers} == {"feeds", "media"}
    assert [answer for answer in traffic.answers if answer[1] != "200"] == []


def rows(engine: Engine, statement: str) -> list[tuple[Any, ...]]:
    """What a statement finds."""
    with read_only(engine).connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def counted_ids(engine: Engine) -> list[tuple[tuple[int, bytes, int], list[bytes]]]:
    """Key (day, device, episode id) of every playback, and the ids in it, 8 bytes each."""
    return [
        ((day, bytes(device), episode), [bytes(ids)[place : place + 8] for place in range(0, len(ids), 8)])
        for day, device, episode, ids in rows(engine, "SELECT day, device, episode_id, event_ids FROM playback")
    ]
