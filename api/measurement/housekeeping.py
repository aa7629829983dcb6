"""What has to be done now and then beside folding: archive, forget, erase. On a thread and handles of its own."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from sqlalchemy import Engine
from sqlmodel import Session

from api import clock, exhausting
from api.consumers import MEASUREMENT
from api.events import EventLog
from api.events.archive import Archive, ArchiveBusyError
from api.events.opening import open_log
from api.holds.lookout import Lookout
from api.measurement.archiving import archive_days
from api.measurement.erasing import erase_pending
from api.settings import Settings
from models.columns import DAY_MS
from models.engine import make_engine, read_only
from models.queries import erasures, folding, idempotency, offsets, webhooks
from models.queries.receipts import RECEIPT_DAYS

PERIOD_SECONDS = 300.0
ERASURE_PERIOD_SECONDS = 2.0
"""Between two looks for devices that wish to be forgotten."""

_logger = structlog.get_logger(__name__)


class Housekeeper:
    """Keeps log and archive in order behind the worker. Every step may be interrupted and is taken up again."""

    def __init__(self, engine: Engine, log: EventLog, archive: Archive, retention_days: int) -> None:
        self._engine = engine
        self._log = log
        self._archive = archive
        self._retention_days = retention_days
        self._lookout = Lookout()

    def run(self, stopping: threading.Event) -> None:
        """Keep house until stopped; what is not possible now is tried again later."""
        waited = PERIOD_SECONDS
        while not stopping.is_set():
            self._attempt(self.erase)
            if waited >= PERIOD_SECONDS:
                waited = 0.0
                self._attempt(self.tidy)
                self._attempt(self.look_for_fraud)
                self._attempt(self.note_exhausted)
                self._attempt(self.forget_keys)
                self._attempt(self.forget_deliveries)
            stopping.wait(ERASURE_PERIOD_SECONDS)
            waited += ERASURE_PERIOD_SECONDS

    def _attempt(self, job: Callable[[], object]) -> None:
        try:
            job()
        except ArchiveBusyError:
            pass
        except Exception as error:  # noqa: BLE001 - a thread that ends would let the log grow for ever, unseen
            _logger.warning("housekeeping failed, trying again later", job=job.__name__, cause=str(error))

    def erase(self) -> int:
        """Erase the devices that wish it; how many there were."""
        with read_only(self._engine).connect() as connection:
            if not erasures.list_erasures(connection):
                return 0
        self.look_for_fraud()  # or a cheat would erase the traces before anybody looks
        with self._archive.lock(wait=False):
            return erase_pending(self._engine, self._log, self._archive)

    def note_exhausted(self) -> None:
        """Tell of campaigns whose budget or cap is used up."""
        exhausting.look(self._engine, clock.now())

    def forget_keys(self) -> None:
        """Forget the answers to calls that nobody will send again."""
        with self._engine.begin() as connection:
            idempotency.delete_old_keys(connection, clock.now() - timedelta(days=idempotency.KEEP_DAYS))

    def forget_deliveries(self) -> None:
        """Forget what became of webhooks' messages once nobody will ask any more."""
        with Session(self._engine) as session:
            webhooks.delete_old_deliveries(session, clock.now() - timedelta(days=webhooks.KEEP_DAYS))
            session.commit()

    def tidy(self) -> None:
        """Archive the days that are over; forget old receipts, and records that are counted, archived and old."""
        now_ms = clock.now_ms()
        with self._archive.lock(wait=False):
            with read_only(self._engine).connect() as connection:
                # Those before the erasing only: a wish that comes meanwhile is not yet done, and its device's records
                # must stay what they are until it is.
                erased = erasures.list_hashes(connection)
            erase_pending(self._engine, self._log, self._archive)
            for partition, counted in self._reached(now_ms).items():
                self._archive_days(partition, counted, now_ms, erased)
                archived = self._archive.end(partition) or 0
                self._log.trim(partition, min(counted, archived), now_ms - self._retention_days * DAY_MS)

    def look_for_fraud(self) -> None:
        """Look at the days that changed since the last look; forget where devices that are not new registered from."""
        self._lookout.look(self._engine)

    def _archive_days(self, partition: int, counted: int, now_ms: int, erased: Collection[bytes]) -> None:
        archived = archive_days(
            self._log,
            self._archive,
            partition,
            counted,
            now_ms=now_ms,
            is_erased=lambda device: bool(erased) and erasures.hash_device(device) in erased,
        )
        if archived:
            _logger.info("archived", partition=partition, records=archived)

    def _reached(self, now_ms: int) -> dict[int, int]:
        """Partition -> the offset up to which everything is counted, and that on disk."""
        # The worker's own commits may not be on disk yet; this one is when it returns, and all before it. Only then may
        # the log forget what a power cut could otherwise take back from the store.
        with self._engine.begin() as connection:
            folding.delete_old_receipts(connection, now_ms // DAY_MS - RECEIPT_DAYS - 1)
            return offsets.touch_offsets(connection, MEASUREMENT, now_ms)


def start(settings: Settings, stopping: threading.Event) -> threading.Thread:
    """Start a housekeeper on a thread of its own; it ends soon after `stopping` is set."""

    def keep_house() -> None:
        with housekeeper(settings) as keeper:
            keeper.run(stopping)

    thread = threading.Thread(target=keep_house, name="housekeeper", daemon=True)
    thread.start()
    return thread


@contextmanager
def housekeeper(settings: Settings) -> Iterator[Housekeeper]:
    """A housekeeper with its own handles: what it commits is on disk when it returns."""
    engine = make_engine(settings.resolved_store_url(), durability="FULL")
    log = open_log(settings.resolved_events_url(), partitions=settings.partitions)
    try:
        yield Housekeeper(engine, log, Archive(settings.resolved_archive_dir()), settings.retention_days)
    finally:
        log.close()
        engine.dispose()
