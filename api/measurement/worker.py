"""The worker: reads the log, folds, commits, again and again. Retries what may pass, sets aside what cannot."""

import gc
import signal
import threading
import time
from pathlib import Path
from types import FrameType

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from api import output, webhook_sender
from api.consumers import MEASUREMENT
from api.events import EventLog, LogUnavailableError
from api.events.archive import Archive
from api.events.opening import open_log
from api.measurement import housekeeping
from api.measurement.committing import commit_records, micro_batch
from api.measurement.download_step import Rules
from api.measurement.impressions_redo import recount_impressions
from api.measurement.load import OutdatedDurationError
from api.measurement.redo import recount_outdated
from api.measurement.store_step import LostPartitionError
from api.settings import Settings
from models.engine import make_engine, read_only
from models.migrate import is_current
from models.queries import download_folding, folding, offsets

IDLE_SECONDS = 0.1
"""Between two looks at an empty log."""
JOIN_SECONDS = 10.0
"""For the housekeeper to finish what it is at; whatever it leaves undone is taken up again."""
RETRY_SECONDS = 1.0
"""After a store that is down or busy, or another worker that was faster."""
RECOUNT_LOOK_SECONDS = 2.0
"""Between two looks for replaced recordings when no event comes."""

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
        self._archive = Archive(settings.resolved_archive_dir())
        self._stopping = stopping or threading.Event()
        self._looked_at = 0.0
        self._is_introduced = False

    def stop(self) -> None:
        """Finish the running step, then return from `run`."""
        self._stopping.set()

    def run(self) -> None:
        """Fold until stopped. A store that is down is waited for; the log keeps what comes in meanwhile."""
        while not self._stopping.is_set():
            self._show_life()
            try:
                self._introduce_once()
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

    def reached(self) -> list[int]:
        """Up to which offset each partition is counted."""
        self._introduce_once()
        with self._read_engine.connect() as connection:
            return [
                offsets.get_next_offset(connection, MEASUREMENT, partition) for partition in range(self._log.partitions)
            ]

    def step(self) -> bool:
        """One micro-batch of each partition; False when there was nothing to do."""
        folded = [self.fold_some(partition) for partition in range(self._log.partitions)]
        now = time.monotonic()
        if now - self._looked_at > RECOUNT_LOOK_SECONDS:
            self._looked_at = now
            self._recount()
        return any(count is not None for count in folded)

    def fold_some(self, partition: int) -> int | None:
        """Fold the next micro-batch of a partition: its events, or None at the end of the log."""
        with self._read_engine.connect() as connection:
            offset = offsets.get_next_offset(connection, MEASUREMENT, partition)
        records = micro_batch(self._log.read(partition, offset, self._settings.micro_batch))
        if not records:
            return None
        try:
            return commit_records(self._engine, partition, offset, records)
        except LostPartitionError:
            # Another worker took these records first; its commit stands and ours must not.
            _logger.warning("another worker is folding this partition", partition=partition)
            self._stopping.wait(RETRY_SECONDS)
            return 0
        except OutdatedDurationError:
            self._recount()
            return 0

    def _introduce_once(self) -> None:
        if not self._is_introduced:
            self._introduce()
            self._is_introduced = True

    def _introduce(self) -> None:
        self._settle_rules()
        with self._engine.begin() as connection:
            for partition in range(self._log.partitions):
                offsets.append_consumer(connection, MEASUREMENT, partition)
                self._check_log(partition, offsets.get_next_offset(connection, MEASUREMENT, partition))
                self._check_archive(partition)

    def _settle_rules(self) -> None:
        """Count by the settings' rules from the first hit on; later other settings need a recount."""
        wanted = Rules(self._settings.download_window, self._settings.excess_cap)
        with self._engine.begin() as connection:
            folding.lock_folding(connection, exclusive=True)
            known = download_folding.list_counting_rules(connection)
            if not known or (known != wanted.to_texts() and not download_folding.has_hits(connection)):
                download_folding.put_counting_rules(connection, wanted.to_texts())
            elif known != wanted.to_texts():
                _logger.warning(
                    "downloads go on being counted by the rules they were counted with; `earshot recount --apply` "
                    "counts all of them by the settings",
                    counted_with=known,
                    settings=wanted.to_texts(),
                )

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

    def _check_archive(self, partition: int) -> None:
        """Refuse an archive of another log: what is archived next would get offsets that it has already."""
        last = self._archive.last_record(partition)
        if last is None:
            return
        same = self._log.read(partition, last.offset, 1) if last.offset < self._log.end(partition) else ()
        is_newer = last.offset >= self._log.end(partition)
        is_other = bool(same) and same[0].offset == last.offset and not same[0].is_damaged
        if is_newer or (is_other and same[0].appended_ms != last.appended_ms):
            raise LogBehindStoreError(
                f"The archive in {self._archive.folder} has partition {partition} up to offset {last.offset}, but of "
                "another log, or of a newer copy of this one. Put the log that belongs to it in place, or move the "
                "archive away to start a new one; a recount then reaches back no further."
            )

    def _recount(self) -> None:
        if redone := recount_outdated(self._engine):
            _logger.info("rollups redone for replaced recordings", episodes=redone)
        if redone := recount_impressions(self._engine):
            _logger.info("impressions counted anew for changed placements", placements=redone)

    def _show_life(self) -> None:
        """Touch a file that tells whoever started the worker that it turns."""
        (self._settings.home / "worker.alive").touch()


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
    output.set_up()
    settings = Settings()
    stopping = threading.Event()
    if not once:
        # First of all: opening store and log takes a moment, and being told to stop during it is no failure either.
        _set_on_signals(stopping)
    ease_gc()
    engine = make_engine(settings.resolved_store_url(), durability="NORMAL")
    if not is_current(engine):
        raise SystemExit("The store's schema is not the newest. Run `earshot migrate` first.")
    try:
        log = open_log(settings.resolved_events_url(), partitions=settings.partitions)
    except LogUnavailableError as error:
        raise SystemExit(str(error)) from error
    worker = Worker(engine, log, settings, stopping)
    try:
        if once:
            print(f"{worker.drain()} events folded.")  # noqa: T201 - the command's answer
            return
        Path(settings.home).mkdir(parents=True, exist_ok=True)
        companions = [housekeeping.start(settings, stopping), webhook_sender.start(settings, stopping)]
        worker.run()
        for companion in companions:
            companion.join(timeout=JOIN_SECONDS)
    except LogBehindStoreError as error:
        raise SystemExit(str(error)) from error
    finally:
        log.close()
        engine.dispose()
