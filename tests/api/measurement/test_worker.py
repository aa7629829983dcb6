"""The worker's step against a real store: what is written, and what is not when it must not be."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from api import clock
from api.consumers import MEASUREMENT
from api.events import LogUnavailableError, Record, StoredRecord
from api.events.chain import GENESIS
from api.events.opening import open_log
from api.events.records import Hit, SyncBatch, pack
from api.measurement.housekeeping import housekeeper
from api.measurement.prepare import prepare
from api.measurement.redo import recount_outdated
from api.measurement.store_step import LostPartitionError, commit_step
from api.measurement.worker import LogBehindStoreError, Worker
from api.settings import Settings
from models.columns import DAY_MS
from models.queries import offsets
from models.tables import Episode
from tests.device import Phone, now_ms
from tests.factories import make_episode

DEVICE = "0b6f6a0e-7c1d-4b57-9a53-6f0f5a6d2e11"


class Stepper:
    """Feeds records to the worker's step, one micro-batch a call."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.offset = 0
        with engine.begin() as connection:
            offsets.append_consumer(connection, MEASUREMENT, 0)

    def fold(self, *payloads: bytes) -> None:
        """One micro-batch."""
        records = [StoredRecord(self.offset + n, b"key", payload) for n, payload in enumerate(payloads)]
        commit_step(self.engine, MEASUREMENT, 0, self.offset, prepare(records))
        self.offset += len(payloads)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What a statement finds."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]


@pytest.fixture
def stepper(engine: Engine) -> Stepper:
    """A worker's step at the start of the log."""
    return Stepper(engine)


@pytest.fixture
def episode(engine: Engine) -> Episode:
    """Ten minutes, published long ago."""
    with Session(engine) as session:
        return make_episode(session)


def batch(phone: Phone, first: int, last: int, received_ms: int) -> bytes:
    """The record of a batch received at some instant."""
    body = phone.batch(first, last)
    events = [tuple(event.values()) for event in body["events"]]
    receipt = bytes([first, last]) + bytes(30)
    return pack(SyncBatch(phone.bytes, received_ms, receipt, body["after"], body["head"], first, last, events))


TOTALS = "SELECT sum(starts), sum(listens), sum(completions), sum(heard_seconds) FROM episode_day"


def test_a_replaced_recording_is_counted_anew_from_the_same_playbacks(stepper: Stepper, episode: Episode) -> None:
    phone, now = Phone(DEVICE), now_ms()
    phone.write(episode.uuid, "complete", 0, 590_000, now - 1000)
    stepper.fold(batch(phone, 1, 1, now))
    assert stepper.rows(TOTALS) == [(1, 1, 1, 590)]
    with Session(stepper.engine) as session:
        kept = session.get_one(Episode, episode.id)
        kept.duration_ms = 1_000_000
        session.add(kept)
        session.commit()
    assert recount_outdated(stepper.engine) == 1
    assert stepper.rows(TOTALS) == [(1, 1, 0, 590)]
    phone.write(episode.uuid, "complete", 590_000, 1_100_000, now - 500)
    stepper.fold(batch(phone, 2, 2, now))
    assert stepper.rows(TOTALS) == [(1, 1, 1, 1000)]
    assert recount_outdated(stepper.engine) == 0


def test_a_replaced_recording_is_noticed_by_the_running_worker(
    stepper: Stepper, episode: Episode, settings: Settings
) -> None:
    phone, now = Phone(DEVICE), now_ms()
    phone.write(episode.uuid, "pause", 0, 590_000, now - 1000)
    stepper.fold(batch(phone, 1, 1, now))
    with stepper.engine.begin() as connection:
        connection.execute(text("UPDATE episode SET duration_ms = 300000"))
        connection.execute(text("UPDATE consumer_offset SET next_offset = 0"))
    log = open_log(settings.resolved_events_url())
    Worker(stepper.engine, log, settings).step()
    log.close()
    assert stepper.rows(TOTALS) == [(1, 1, 1, 300)]


def test_another_worker_that_was_first_leaves_nothing_of_ours(stepper: Stepper, episode: Episode) -> None:
    phone, now = Phone(DEVICE), now_ms()
    phone.write(episode.uuid, "pause", 0, 60_000, now - 1000)
    record = batch(phone, 1, 1, now)
    stepper.fold(record)
    stepper.offset = 0
    with pytest.raises(LostPartitionError):
        stepper.fold(record)
    assert stepper.rows("SELECT outcome, events FROM pipeline_day") == [("counted", 1)]


def test_a_record_that_is_none_of_ours_is_set_aside_and_passed(stepper: Stepper, episode: Episode) -> None:
    phone, now = Phone(DEVICE), now_ms()
    phone.write(episode.uuid, "pause", 0, 60_000, now - 1000)
    stepper.fold(
        b"\xc1 not msgpack", pack(Hit(1, "x", b"", "GET", 200, "", 0, "", "", ""))[:-1], batch(phone, 1, 1, now)
    )
    assert stepper.rows(TOTALS)[0][1] == 1
    assert stepper.rows("SELECT cause FROM set_aside") == [("undecodable",), ("undecodable",)]
    outcomes = {
        (kind, outcome): events
        for kind, outcome, events in stepper.rows("SELECT kind, outcome, events FROM pipeline_day")
    }
    assert outcomes == {("event", "counted"): 1, ("record", "undecodable"): 2}


def test_what_is_set_aside_is_kept_whole_with_its_cause(stepper: Stepper, episode: Episode) -> None:
    phone, now = Phone(DEVICE), now_ms()
    phone.write(episode.uuid, "pause", 0, 60_000, now + 3_600_000, session="tomorrow")
    phone.write("not-an-episode", "pause", 0, 60_000, now - 1000)
    phone.write(str(episode.uuid).upper(), "pause", 0, 60_000, now - 1000)
    stepper.fold(batch(phone, 1, 3, now))
    found = {
        cause: json.loads(payload)
        for cause, payload in stepper.rows("SELECT cause, payload FROM set_aside WHERE cause = 'clock_ahead'")
    }
    assert found == {"clock_ahead": phone.log[0]}
    assert stepper.rows("SELECT count(*) FROM set_aside WHERE cause = 'unknown_episode'") == [(2,)]
    assert stepper.rows("SELECT counted, duplicate, set_aside FROM receipt")[0][:2] == (0, 0)
    assert json.loads(stepper.rows("SELECT set_aside FROM receipt")[0][0]) == {"clock_ahead": 1, "unknown_episode": 2}


@pytest.mark.parametrize("together", [True, False], ids=["in one micro-batch", "in two"])
def test_what_each_received_day_brought_is_told_apart(stepper: Stepper, episode: Episode, together: bool) -> None:
    phone = Phone(DEVICE)
    midnight = (now_ms() // DAY_MS) * DAY_MS
    heard_at = midnight - 2 * DAY_MS + 1000
    phone.write(episode.uuid, "pause", 0, 20_000, heard_at)
    phone.write(episode.uuid, "pause", 20_000, 50_000, heard_at + 1000)
    records = [batch(phone, 1, 1, midnight - 1), batch(phone, 2, 2, midnight)]
    if together:
        stepper.fold(*records)
    else:
        for record in records:
            stepper.fold(record)
    day = midnight // DAY_MS
    arrived = stepper.rows(
        "SELECT received_day, day, events, starts, listens, heard_seconds FROM arrival_day ORDER BY 1"
    )
    assert arrived == [(day - 1, day - 2, 1, 1, 0, 20), (day, day - 2, 1, 0, 1, 30)]


def test_hits_are_tallied_and_not_called_downloads(stepper: Stepper, episode: Episode) -> None:
    at_ms = now_ms()
    hit = Hit(at_ms, str(episode.uuid), b"c", "GET", 200, "", 1000, "agent", "", "0" * 64)
    lost = Hit(at_ms, "0b6f6a0e-7c1d-4b57-9a53-000000000000", b"c", "GET", 200, "", 1, "agent", "", "0" * 64)
    stepper.fold(pack(hit), pack(hit), pack(lost))
    assert stepper.rows("SELECT hits, sent_bytes FROM hit_outcome") == [(2, 2000)]
    found = set(stepper.rows("SELECT kind, outcome, events FROM pipeline_day"))
    assert found == {("hit", "counted", 2), ("hit", "unknown_episode", 1)}


def test_a_draft_counts_nothing_and_a_deleted_episode_still_does(stepper: Stepper, engine: Engine) -> None:
    with Session(engine) as session:
        draft, deleted = make_episode(session, published_at=None), make_episode(session)
        deleted.deleted_at = deleted.created_at
        session.add(deleted)
        session.commit()
        session.refresh(draft)
        session.refresh(deleted)
    phone, now = Phone(DEVICE), now_ms()
    phone.write(draft.uuid, "pause", 0, 60_000, now - 1000)
    phone.write(deleted.uuid, "pause", 0, 60_000, now - 1000)
    stepper.fold(batch(phone, 1, 2, now))
    assert stepper.rows("SELECT cause FROM set_aside") == [("before_publication",)]
    assert stepper.rows("SELECT episode_id, listens FROM episode_day") == [(deleted.id, 1)]


def test_the_log_is_forgotten_only_behind_the_worker_and_past_its_retention(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(settings.resolved_events_url())
    worker = Worker(engine, log, settings)
    hit = pack(Hit(now_ms(), "x", b"", "GET", 200, "", 0, "", "", ""))
    asyncio.run(log.append(Record(b"k", hit)))
    worker.drain()
    asyncio.run(log.append(Record(b"k", hit)))
    with housekeeper(settings) as keeper:
        keeper.tidy()
    assert log.start(0) == 0
    later = now_ms() + (settings.retention_days + 1) * DAY_MS
    monkeypatch.setattr(clock, "now_ms", lambda: later)
    with housekeeper(settings) as keeper:
        keeper.tidy()
    assert (log.start(0), log.end(0)) == (1, 2)
    log.close()


def test_old_receipts_are_forgotten_and_young_ones_kept(stepper: Stepper, episode: Episode, settings: Settings) -> None:
    phone, now = Phone(DEVICE), now_ms()
    for _ in range(2):
        phone.write(episode.uuid, "play", 0, 0, now - 1000)
    stepper.fold(batch(phone, 1, 1, now - 40 * DAY_MS), batch(phone, 2, 2, now))
    with housekeeper(settings) as keeper:
        keeper.tidy()
    assert stepper.rows("SELECT received_day FROM receipt") == [(now // DAY_MS,)]


def test_the_chain_of_a_device_is_kept_in_the_store(stepper: Stepper, episode: Episode) -> None:
    phone, now = Phone(DEVICE), now_ms()
    for _ in range(4):
        phone.write(episode.uuid, "play", 0, 0, now - 1000)
    stepper.fold(batch(phone, 1, 1, now))
    stepper.fold(batch(phone, 3, 4, now))
    [(last_seq, missing)] = stepper.rows("SELECT last_seq, missing FROM device_log")
    assert last_seq == 4
    assert json.loads(missing) == [[2, 2, phone.ids[0], phone.ids[1]]]
    assert phone.batch(1, 1)["after"] == GENESIS
    chains = dict(stepper.rows("SELECT substr(CAST(chain AS TEXT), 1, 10), count(*) FROM receipt GROUP BY chain"))
    assert chains == {"intact": 1, "gap": 1}


def test_a_log_older_than_the_store_is_refused(stepper: Stepper, episode: Episode, settings: Settings) -> None:
    phone, now = Phone(DEVICE), now_ms()
    phone.write(episode.uuid, "play", 0, 0, now - 1000)
    stepper.fold(batch(phone, 1, 1, now))
    log = open_log(settings.resolved_events_url())
    with pytest.raises(LogBehindStoreError, match="ends at 0"):
        Worker(stepper.engine, log, settings).drain()
    log.close()


def test_a_store_older_than_the_log_s_first_record_is_refused(engine: Engine, settings: Settings) -> None:
    log = open_log(settings.resolved_events_url())
    hit = pack(Hit(now_ms(), "x", b"", "GET", 200, "", 0, "", "", ""))
    for _ in range(3):
        asyncio.run(log.append(Record(b"k", hit)))
    log.trim(0, 2, now_ms() + 1000)
    with pytest.raises(LogBehindStoreError, match="begins at 2"):
        Worker(engine, log, settings).drain()
    log.close()


@pytest.mark.parametrize("together", [True, False], ids=["in one micro-batch", "in two"])
def test_a_receipt_adds_up_however_the_log_is_cut(stepper: Stepper, episode: Episode, together: bool) -> None:
    phone, now = Phone(DEVICE), now_ms() // DAY_MS * DAY_MS  # receipts are kept by day, so not around midnight
    phone.write(episode.uuid, "pause", 0, 60_000, now + 3_600_000)
    early, late = batch(phone, 1, 1, now), batch(phone, 1, 1, now + 3_600_000)
    if together:
        stepper.fold(early, late)
    else:
        stepper.fold(early)
        stepper.fold(late)
    rows = stepper.rows("SELECT sum(counted), sum(duplicate), max(set_aside) FROM receipt")
    assert rows == [(0, 1, '{"clock_ahead": 1}')]  # set aside once, it stays so, whenever it comes again


def test_a_value_that_no_column_holds_is_set_aside_and_the_rest_is_counted(
    engine: Engine, episode: Episode, settings: Settings
) -> None:
    phone, now = Phone(DEVICE), now_ms()
    for n in range(5):
        phone.write(
            episode.uuid, "pause", n * 10_000, n * 10_000 + 10_000, now - 1000, wall_ms=2**63 if n == 2 else None
        )
    log = open_log(settings.resolved_events_url())
    for seq in range(1, 6):
        asyncio.run(log.append(Record(phone.bytes, batch(phone, seq, seq, now))))
    worker = Worker(engine, log, settings)
    worker.drain()
    log.close()
    stepper = Stepper(engine)
    assert stepper.rows(TOTALS) == [(1, 1, 0, 40)]
    assert stepper.rows("SELECT cause FROM set_aside") == [("undecodable",)]


def test_the_worker_outlives_a_log_that_cannot_be_read(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log(settings.resolved_events_url())
    worker = Worker(engine, log, settings)
    calls: list[int] = []

    def read(*_arguments: int) -> list[StoredRecord]:
        calls.append(1)
        if len(calls) > 1:
            worker.stop()
        raise LogUnavailableError("disk I/O error")

    monkeypatch.setattr(log, "read", read)
    monkeypatch.setattr("api.measurement.worker.RETRY_SECONDS", 0.01)
    monkeypatch.setattr(worker, "_check_log", lambda *_: None)
    worker.run()
    assert len(calls) == 2
    log.close()
