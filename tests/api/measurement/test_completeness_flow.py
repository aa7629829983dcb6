"""From phones that sync late, over the worker and its rollups, to what is said of a day; asked again when all is in."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
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
from models.periods import Period, ending
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


class Store:
    """A store to which the worker brings the records, in the order of their receipt."""

    def __init__(self, engine: Engine, show_id: int, records: list[tuple[int, bytes]]) -> None:
        self.engine, self.show_id, self.records, self.folded = engine, show_id, sorted(records), 0
        with engine.begin() as connection:
            offsets.append_consumer(connection, MEASUREMENT, 0)

    def fold_until(self, now: datetime) -> None:
        """Fold what had been received by then."""
        until = bisect_left(self.records, (int(now.timestamp() * 1000), b""))
        stored = [StoredRecord(place, b"key", self.records[place][1]) for place in range(self.folded, until)]
        if stored:
            commit_step(self.engine, MEASUREMENT, 0, self.folded, prepare(stored))
        self.folded = until

    def listens(self, period: Period) -> dict[date, int]:
        """What is counted of each day."""
        with Session(self.engine) as session:
            rows = stats.fill_days(stats.list_day_sums(session, self.show_id, period), period, period.last)
        return {row.day: row.listens for row in rows}

    def ask(self, now: datetime) -> list[tuple[date, Completeness]]:
        """What is said of the days of two weeks that are provisional."""
        listens = self.listens(ending(now.date(), 14))
        with Session(self.engine) as session:
            found = estimate(list_arrivals(session, self.show_id, now.date()), listens, now)
        return [(day, of_day) for day, of_day in found.items() if of_day is not None and of_day.is_provisional]


def test_what_the_worker_counted_late_is_what_was_expected(
    sqlite_engine: Engine, catalogue: tuple[int, list[Show]]
) -> None:
    show_id, shows = catalogue
    store = Store(sqlite_engine, show_id, list(syncs(shows)))
    end = datetime.combine(LAST, time(), UTC)
    said = []
    for days in range(20, 8, -1):
        noon = end - timedelta(days=days, hours=12)
        store.fold_until(noon)
        said += store.ask(noon)
    store.fold_until(end + timedelta(days=30))
    finals = store.listens(ending(LAST, 60))
    assert sum(finals.values()) > 1000
    assert len(said) > 100
    held = [day for day, of_day in said if of_day.low <= finals[day] <= of_day.high]
    assert len(held) >= 0.9 * len(said)
