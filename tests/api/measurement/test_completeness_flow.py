"""From phones that sync late, over the worker and its rollups, to what is said of a day; asked again when all is in."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from api.consumers import MEASUREMENT
from api.events import StoredRecord
from api.events.records import SyncBatch, pack
from api.measurement.prepare import prepare
from api.measurement.store_step import commit_step
from models.completeness import Completeness, estimate
from models.periods import Period
from models.queries import offsets, stats
from models.queries.arrivals import list_arrivals
from seed.audience import Listener, live
from seed.catalogue import DAY_MS, Show, make_catalogue
from seed.client import Batch, Client
from tests.factories import make_episode, make_show

LAST = date(2026, 6, 30)
"""The demo listeners live until this day begins."""
LISTENERS = 300


@pytest.fixture
def catalogue(sqlite_engine: Engine) -> tuple[int, list[Show]]:
    """The demo's most popular show: its key in the store, and the show itself with the ids that it has there."""
    show = max(make_catalogue(1, LAST), key=lambda show: show.text.popularity)
    with Session(sqlite_engine) as session:
        row = make_show(session)
        stored = [
            make_episode(
                session,
                row,
                duration_ms=episode.duration_ms,
                published_at=datetime.fromtimestamp(episode.published_ms / 1000, UTC),
            )
            for episode in show.episodes
        ]
        episodes = tuple(replace(e, id=str(s.uuid)) for e, s in zip(show.episodes, stored, strict=True))
        return row.id, [Show(show.text, episodes)]


def syncs(shows: list[Show]) -> Iterator[tuple[int, bytes]]:
    """(received, record) of every batch: each phone sends what it has some time after the last of it happened."""
    for number in range(LISTENERS):
        listener = Listener(1, number)
        if listener.persona.clock_error_ms or listener.persona.stays != "window":
            continue
        client = Client(str(UUID(int=number + 1, version=4)), 30)
        waits = Random(number)
        for mark in live(listener, client, shows, LAST):
            wait_ms = int(waits.uniform(0, listener.persona.sync_days[0]) * DAY_MS)
            while batch := client.next_batch(mark):
                received_ms = batch.sealed[-1].event.at_ms + wait_ms
                yield received_ms, record_of(client, batch, received_ms)
                client.acknowledge(batch)


def record_of(client: Client, batch: Batch, received_ms: int) -> bytes:
    """The batch as the log has it."""
    events = [
        (s.seq, e.kind, e.episode, e.session, e.at_ms, e.from_ms, e.to_ms, e.wall_ms, e.offline)
        for s in batch.sealed
        for e in (s.event,)
    ]
    first, last = batch.sealed[0], batch.sealed[-1]
    receipt = bytes.fromhex(last.id)
    return pack(
        SyncBatch(
            UUID(client.device_id).bytes, received_ms, receipt, first.previous, last.id, first.seq, last.seq, events
        )
    )


def listens(session: Session, show_id: int, period: Period) -> dict[date, int]:
    """What is counted of each day."""
    rows = stats.fill_days(stats.list_day_sums(session, show_id, period), period, period.last)
    return {row.day: row.listens for row in rows}


def test_what_the_worker_counted_late_is_what_was_expected(
    sqlite_engine: Engine, catalogue: tuple[int, list[Show]]
) -> None:
    show_id, shows = catalogue
    records = sorted(syncs(shows))
    looks = [
        datetime.combine(LAST, datetime.min.time(), UTC) - timedelta(days=days, hours=12) for days in range(20, 8, -1)
    ]
    said: list[tuple[date, Completeness]] = []
    with sqlite_engine.begin() as connection:
        offsets.append_consumer(connection, MEASUREMENT, 0)
    done = 0
    for now in [*looks, None]:
        until = done
        while until < len(records) and (now is None or records[until][0] < now.timestamp() * 1000):
            until += 1
        payloads = [StoredRecord(place, b"key", records[place][1]) for place in range(done, until)]
        if payloads:
            commit_step(sqlite_engine, MEASUREMENT, 0, done, prepare(payloads))
        done = until
        with Session(sqlite_engine) as session:
            if now is None:
                finals = listens(session, show_id, Period(LAST - timedelta(days=60), LAST))
                break
            today = now.date()
            counts = listens(session, show_id, Period(today - timedelta(days=14), today))
            found = estimate(list_arrivals(session, show_id, today), counts, now)
        said += [(day, of_day) for day, of_day in found.items() if of_day is not None]
    provisional = [(day, of_day) for day, of_day in said if of_day.is_provisional]
    held = [of_day.low <= finals[day] <= of_day.high for day, of_day in provisional]
    print(len(said), len(held), sum(held) / len(held), sum(finals.values()))
    assert len(held) >= 60
    assert sum(held) / len(held) >= 0.9
