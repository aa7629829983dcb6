"""The worker: reads the log, folds, commits, again and again. Retries what may pass, sets aside what cannot."""

import gc
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, InterfaceError, OperationalError

from api import clock
from api.consumers import MEASUREMENT
from api.events import EventLog, LogUnavailableError, StoredRecord
from api.events.opening import open_log
from api.events.records import is_control
from api.measurement.load import OutdatedDurationError
from api.measurement.prepare import prepare, undecodable
from api.measurement.redo import recount_outdated
from api.measurement.store_step import LostPartitionError, commit_step
from api.settings import Settings
from models.columns import DAY_MS
from models.engine import make_engine, read_only
from models.migrate import is_current
from models.queries import folding, offsets
from models.queries.receipts import RECEIPT_DAYS

MAX_BYTES = 4 << 20
"""Packed bytes of one micro-batch, about 40,000 events: long enough to share its statements, short enough to commit
several times a second. With small batches `Settings.micro_batch` is the bound."""
IDLE_SECONDS = 0.1
"""Between two looks at an empty log."""
RETRY_SECONDS = 1.0
"""After a store that is down or busy, or another worker that was faster."""
HOUSEKEEPING_SECONDS = 300.0
RECOUNT_LOOK_SECONDS = 2.0
"""Between two looks for replaced recordings when no event comes."""

UNSTORABLE = (DataError, OverflowError, UnicodeError)
"""What a value raises that does not fit its column, on either engine; trying again would not help."""

_logger = structlog.get_logger(__name__)


class LogBehindStoreError(Exception):
    """Store and log do not belong together."""


class Worker:
    """Folds every partition of a log into a store."""

    def __init__(
        self, engine: Engine, log: EventLog, settings: Settings, stopping: threading.Event | None = None
    ) -> None:
        self._engine = engine
        self._read_engine = read_only(engine)
        self._log = log
        self._settings = settings
        self._stopping = stopping or threading.Event()
        self._housekept_at = self._looked_at = 0.0

    def stop(self) -> None:
        """Finish the running step, then return from `run`."""
        self._stopping.set()

    def run(self) -> None:
        """Fold until stopped. A store that is down is waited for; the log keeps what comes in meanwhile."""
        is_known = False
        while not self._stopping.is_set():
            self._show_life()
            try:
                if not is_known:
                    self._introduce()
                    is_known = True
                is_busy = self.step()
            except (OperationalError, InterfaceError, LogUnavailableError) as error:
                _logger.warning("store or log not available, trying again", cause=str(error))
                self._stopping.wait(RETRY_SECONDS)
                continue
            if not is_busy:
                self._stopping.wait(IDLE_SECONDS)

    def drain(self) -> int:
        """Fold until every partition is at its end; how many events there were."""
        self._introduce()
        events = 0
        for partition in range(self._log.partitions):
            while (folded := self.fold_some(partition)) is not None:
                events += folded
        self._recount()
        return events

    def step(self) -> bool:
        """One micro-batch of each partition; False when there was nothing to do."""
        folded = [self.fold_some(partition) for partition in range(self._log.partitions)]
        now = time.monotonic()
        if now - self._looked_at > RECOUNT_LOOK_SECONDS:
            self._looked_at = now
            self._recount()
        if now - self._housekept_at > HOUSEKEEPING_SECONDS:
            self._housekept_at = now
            self._clean_up()
        return any(count is not None for count in folded)

    def fold_some(self, partition: int) -> int | None:
        """Fold the next micro-batch of a partition: its events, or None at the end of the log."""
        with self._read_engine.connect() as connection:
            offset = offsets.get_next_offset(connection, MEASUREMENT, partition)
        records = _micro_batch(self._log.read(partition, offset, self._settings.micro_batch))
        if not records:
            return None
        try:
            return self._commit(partition, offset, records)
        except LostPartitionError:
            # Another worker took these records first; its commit stands and ours must not.
            _logger.warning("another worker is folding this partition", partition=partition)
            self._stopping.wait(RETRY_SECONDS)
            return 0
        except OutdatedDurationError:
            self._recount()
            return 0

    def _commit(self, partition: int, offset: int, records: Sequence[StoredRecord]) -> int:
        """Fold records in one transaction; how many events they had. One that no store can take is found by halving
        and set aside, so that it never stops those behind it."""
        prepared = prepare(records)
        try:
            commit_step(self._engine, MEASUREMENT, partition, offset, prepared)
        except UNSTORABLE as error:
            _logger.error("records cannot be stored", partition=partition, offset=offset, cause=str(error))
            half = len(records) // 2
            if half:
                events = self._commit(partition, offset, records[:half])
                return events + self._commit(partition, records[half].offset, records[half:])
            commit_step(self._engine, MEASUREMENT, partition, offset, undecodable(records[0]))
        return prepared.events

    def _introduce(self) -> None:
        with self._engine.begin() as connection:
            for partition in range(self._log.partitions):
                offsets.append_consumer(connection, MEASUREMENT, partition)
                self._check_log(partition, offsets.get_next_offset(connection, MEASUREMENT, partition))

    def _check_log(self, partition: int, offset: int) -> None:
        """Refuse a log older than the store: its next records would get offsets that count as folded already."""
        start, end = self._log.start(partition), self._log.end(partition)
        if offset < start:
            raise LogBehindStoreError(
                f"The store has counted the log up to offset {offset} of partition {partition}, but the log begins at "
                f"{start}: the events between are no longer in it. The store is an older copy, or another one. Put a "
                "newer copy of the store in place; folding now would skip events."
            )
        if offset > end:
            raise LogBehindStoreError(
                f"The store has counted the log up to offset {offset} of partition {partition}, but this log ends at "
                f"{end}. It is an older copy, or another log. Put the right one in place, or restore the store from "
                "the same moment; folding now would skip events."
            )

    def _recount(self) -> None:
        if redone := recount_outdated(self._engine):
            _logger.info("rollups redone for replaced recordings", episodes=redone)

    def _clean_up(self) -> None:
        """Forget old receipts, and records of the log that are folded and past their retention."""
        now_ms = clock.now_ms()
        durable = make_engine(self._engine.url, durability="FULL")
        try:
            # The worker's own commits may not be on disk yet; this one is when it returns, and all before it. Only then
            # may the log forget what a power cut could otherwise take back from the store.
            with durable.begin() as connection:
                folding.delete_old_receipts(connection, now_ms // DAY_MS - RECEIPT_DAYS - 1)
                reached = offsets.touch_offsets(connection, MEASUREMENT, now_ms)
        finally:
            durable.dispose()
        for partition, offset in reached.items():
            self._log.trim(partition, offset, now_ms - self._settings.retention_days * DAY_MS)

    def _show_life(self) -> None:
        """Touch a file that tells whoever started the worker that it turns."""
        (self._settings.home / "worker.alive").touch()


def _micro_batch(records: Sequence[StoredRecord]) -> list[StoredRecord]:
    size = 0
    kept: list[StoredRecord] = []
    for record in records:
        if is_control(record.payload):  # alone: what it says holds from here on, not for the records before it
            return kept or [record]
        kept.append(record)
        size += len(record.payload)
        if size >= MAX_BYTES:
            break
    return kept


def ease_gc() -> None:
    """Look for cycles rarely: a micro-batch makes some 100,000 tuples and no cycles, and looking costs a fourth of the
    worker's time."""
    gc.set_threshold(500_000, 20, 20)


def _set_on_signals(stopping: threading.Event) -> None:
    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


def main(*, once: bool) -> None:
    """Run the worker of this installation until SIGTERM or Ctrl-C, or with `once` until the log's end."""
    settings = Settings()
    stopping = threading.Event()
    if not once:
        # First of all: opening store and log takes a moment, and being told to stop during it is no failure either.
        _set_on_signals(stopping)
    ease_gc()
    engine = make_engine(settings.resolved_store_url(), durability="NORMAL")
    if not is_current(engine):
        raise SystemExit("The store's schema is not the newest. Run `earshot migrate` first.")
    log = open_log(settings.resolved_events_url(), partitions=settings.partitions)
    worker = Worker(engine, log, settings, stopping)
    try:
        if once:
            print(f"{worker.drain()} events folded.")  # noqa: T201 - the command's answer
            return
        Path(settings.home).mkdir(parents=True, exist_ok=True)
        worker.run()
    except LogBehindStoreError as error:
        raise SystemExit(str(error)) from error
    finally:
        log.close()
        engine.dispose()
