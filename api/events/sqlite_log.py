"""The embedded event log: SQLite in WAL mode, with natural group commit.

All appends that wait while one commit runs go into the next, so one fsync serves many requests and nothing waits for a
timer. Several processes may append at once: SQLite's write lock orders them, and offsets are handed out under it.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

import structlog

from api import clock, failpoints
from api.events.log import LogFullError, LogUnavailableError, Record, StoredRecord, partition_of
from api.events.salvage import is_damage, read_records
from api.events.sqlite_file import OFFSET_MASK, PARTITION_SHIFT, checksum, prepare_file
from models.columns import DAY_MS

ROWS_IN_A_STATEMENT = 32
"""Each row that `executemany` inserts lets go of the GIL and waits to get it back from the event loop."""
MAX_GROUP = 2048
"""Records in one commit: bounds how long the first of them waits."""
CHECKPOINT_PAGES = 4000
"""The WAL's length, in pages of 4 KiB, at which it is copied into the database."""
TRUNCATE_PAGES = 64_000
"""A WAL this long is cut back even though readers have to wait for it."""
BUSY_TIMEOUT_SECONDS = 10.0
TRIM_ROWS = 1000
"""Records forgotten in one transaction: appends wait for it."""

_Waiting = tuple[Record, "asyncio.Future[None] | None", "asyncio.AbstractEventLoop | None"]

_logger = structlog.get_logger(__name__)


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        # A sync that failed while switching is not told as an error; the file stays in its old mode, and the handle is
        # one whose sync failed.
        connection.close()
        raise sqlite3.OperationalError(f"the event log {path} cannot be put into WAL mode; it stays in {mode}")
    connection.execute("PRAGMA synchronous=FULL")
    # What is forgotten or rewritten is zeroed, not merely unlinked.
    connection.execute("PRAGMA secure_delete=ON")
    # Checkpoints run on a thread of their own: inline they stall every waiting request for about 100 ms.
    connection.execute("PRAGMA wal_autocheckpoint=0")
    return connection


class SqliteLog:
    """An event log in one SQLite file. Its writer and checkpoint threads start with the first append."""

    def __init__(self, path: str, partitions: int = 1, max_waiting: int = 4096) -> None:
        self._path = path
        self._max_waiting = max_waiting
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._reader_lock = threading.Lock()
        try:
            self._reader = _connect(path)
            self.partitions = prepare_file(self._reader, partitions)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            raise LogUnavailableError(
                f"The event log {path} is damaged so that it cannot even be opened ({error}). Keep the file, and go on "
                "as docs/operations.md says under 'A damaged log'."
            ) from error
        self._reader.create_function("checksum", 4, checksum, deterministic=True)
        self._reader.text_factory = bytes  # a flipped bit can make a blob a text, and one that is not UTF-8
        self._waiting: list[_Waiting] = []
        self._wake = threading.Condition()
        self._is_closing = False
        self._writer_thread: threading.Thread | None = None
        self._checkpoint_wake = threading.Event()
        self._checkpoint_thread: threading.Thread | None = None

    # -- appending ---------------------------------------------------------------------------------------------------

    async def append(self, record: Record) -> None:
        """Return when the record is on disk."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        if not self._enqueue((record, future, loop)):
            raise LogFullError("too many appends are waiting")
        await future

    def append_nowait(self, record: Record) -> bool:
        """Append without waiting; False when the record was dropped because too many wait."""
        return self._enqueue((record, None, None))

    def _enqueue(self, waiting: _Waiting) -> bool:
        with self._wake:
            if self._is_closing or len(self._waiting) >= self._max_waiting:
                return False
            self._waiting.append(waiting)
            if self._writer_thread is None:
                self._start_threads()
            self._wake.notify()
        return True

    def _start_threads(self) -> None:
        self._writer_thread = threading.Thread(target=self._write_forever, name="event-log-writer", daemon=True)
        self._writer_thread.start()
        self._checkpoint_thread = threading.Thread(target=self._checkpoint_forever, name="event-log-wal", daemon=True)
        self._checkpoint_thread.start()

    def _write_forever(self) -> None:
        connection: sqlite3.Connection | None = None
        while True:
            with self._wake:
                while not self._waiting and not self._is_closing:
                    self._wake.wait()
                group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
            if not group:
                break
            try:
                connection = connection or _connect(self._path)
                self._commit(connection, [waiting[0] for waiting in group])
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
                # A failed fsync may have dropped dirty pages: trying again on the same handle could report success for
                # data that is gone. The log is opened anew and the senders are asked to send again.
                _logger.error("event log append failed", error=str(error), records=len(group))
                if connection is not None:
                    with suppress(sqlite3.Error):
                        connection.close()
                    connection = None
                _settle(group, LogUnavailableError(str(error)))
            else:
                failpoints.reach("log.after_commit")
                _settle(group, None)
        if connection is not None:
            connection.close()

    def _commit(self, connection: sqlite3.Connection, records: list[Record]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            next_offset = dict(connection.execute("SELECT partition, next_offset FROM partition").fetchall())
            appended_ms = clock.now_ms()
            rows = []
            for record in records:
                partition = partition_of(record.key, self.partitions)
                record_id = partition << PARTITION_SHIFT | next_offset[partition]
                crc = checksum(record_id, appended_ms, record.key, record.payload)
                rows.append((record_id, appended_ms, record.key, record.payload, crc))
                next_offset[partition] += 1
            _insert(connection, rows)
            connection.executemany(
                "UPDATE partition SET next_offset = ? WHERE partition = ?", [(o, p) for p, o in next_offset.items()]
            )
            failpoints.reach("log.before_commit")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._checkpoint_wake.set()

    def _checkpoint_forever(self) -> None:
        while not self._is_closing:
            self._checkpoint_wake.wait()
            self._checkpoint_wake.clear()
            try:
                self._checkpoint()
            except (sqlite3.Error, OSError) as error:
                # The WAL stays whole and only grows; the next commit asks again.
                _logger.warning("event log checkpoint failed", error=str(error))
            time.sleep(0.05)

    def _checkpoint(self) -> None:
        """Copy the WAL into the database when it has grown; cut it back when it has grown far."""
        wal = Path(self._path + "-wal")
        pages = wal.stat().st_size // 4096 if wal.exists() else 0
        if pages < CHECKPOINT_PAGES:
            return
        connection = _connect(self._path)
        try:
            mode = "TRUNCATE" if pages >= TRUNCATE_PAGES else "PASSIVE"
            connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        finally:
            connection.close()

    # -- reading -----------------------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """The connection that reads and trims, for one thread at a time."""
        with self._reader_lock:
            try:
                yield
            except sqlite3.Error as error:
                raise LogUnavailableError(str(error)) from error
            finally:
                with suppress(sqlite3.Error):
                    if self._reader.in_transaction:
                        self._reader.execute("ROLLBACK")

    def read(self, partition: int, offset: int, limit: int) -> Sequence[StoredRecord]:
        """Up to `limit` records with offsets >= `offset`, in order; those that are damaged say so."""
        with self._reading():
            return read_records(self._reader, partition, offset, limit)

    def end(self, partition: int) -> int:
        """The offset that the next record will get."""
        with self._reading():
            row = self._reader.execute("SELECT next_offset FROM partition WHERE partition = ?", (partition,)).fetchone()
        return int(row[0])

    def start(self, partition: int) -> int:
        """The lowest offset still kept."""
        statement = "SELECT first_offset FROM partition WHERE partition = ?"
        with self._reading():
            return int(self._reader.execute(statement, (partition,)).fetchone()[0])

    def trim(self, partition: int, offset: int, received_before_ms: int) -> int:
        """Forget records below `offset` appended before that instant, in small transactions: up to the first that is
        younger, so that those kept have no hole between them."""
        forgotten = 0
        while True:
            with self._reading():
                count = self._forget_some(partition, offset, received_before_ms)
            forgotten += count
            if count < TRIM_ROWS:
                return forgotten

    def _forget_some(self, partition: int, offset: int, received_before_ms: int) -> int:
        if not self._list_old(partition, offset, received_before_ms):
            return 0  # usually: without the write lock, which whoever appends would wait for
        self._reader.execute("BEGIN IMMEDIATE")
        old = self._list_old(partition, offset, received_before_ms)
        if old:
            cut = old[-1] + 1
            first = partition << PARTITION_SHIFT
            self._reader.execute("DELETE FROM record WHERE id >= ? AND id < ?", (first, cut))
            self._reader.execute(
                "UPDATE partition SET first_offset = ? WHERE partition = ?", (cut & OFFSET_MASK, partition)
            )
        self._reader.execute("COMMIT")
        return len(old)

    def _list_old(self, partition: int, offset: int, received_before_ms: int) -> list[int]:
        """The ids, ascending, of the first records that may be forgotten."""
        first = partition << PARTITION_SHIFT
        oldest = "SELECT id, appended_ms FROM record WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
        rows = self._reader.execute(oldest, (first, first + offset, TRIM_ROWS)).fetchall()
        ahead_ms = clock.now_ms() + DAY_MS

        def is_old(row: tuple[int, Any]) -> bool:
            """So is what is damaged, or of a clock that was far ahead: it would keep all behind it."""
            return not isinstance(row[1], int) or row[1] < received_before_ms or row[1] > ahead_ms

        return [row[0] for row in takewhile(is_old, rows)]

    def rewrite(self, partition: int, records: Mapping[int, Record]) -> None:
        """Put other records in the place of those at these offsets, in small transactions; the old bytes are zeroed."""
        first = partition << PARTITION_SHIFT
        rows = [(record.key, record.payload, first + offset) for offset, record in sorted(records.items())]
        for start in range(0, len(rows), TRIM_ROWS):
            with self._reading():
                self._reader.execute("BEGIN IMMEDIATE")
                self._reader.executemany(
                    "UPDATE record SET key = ?1, payload = ?2, crc = checksum(id, appended_ms, ?1, ?2) WHERE id = ?3",
                    rows[start : start + TRIM_ROWS],
                )
                self._reader.execute("COMMIT")
        if rows:
            with self._reading():  # the WAL would keep the old bytes until it is written over
                self._reader.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        """Write what is waiting, then let go."""
        with self._wake:
            self._is_closing = True
            self._wake.notify_all()
        self._checkpoint_wake.set()
        for thread in (self._writer_thread, self._checkpoint_thread):
            if thread is not None:
                thread.join(timeout=BUSY_TIMEOUT_SECONDS)
        with self._reader_lock:
            self._reader.close()


def _insert(connection: sqlite3.Connection, rows: list[tuple[int, int, bytes, bytes, int]]) -> None:
    for start in range(0, len(rows), ROWS_IN_A_STATEMENT):
        chunk = rows[start : start + ROWS_IN_A_STATEMENT]
        marks = ", ".join(["(?, ?, ?, ?, ?)"] * len(chunk))
        connection.execute(f"INSERT INTO record VALUES {marks}", [value for row in chunk for value in row])


def _settle(group: list[_Waiting], error: LogUnavailableError | None) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for _, future, loop in group:
        if future is not None and loop is not None:
            by_loop.setdefault(loop, []).append(future)
    for loop, futures in by_loop.items():
        try:
            # One wake-up per loop and commit, however many requests it answers.
            loop.call_soon_threadsafe(_resolve, futures, error)
        except RuntimeError:
            continue


def _resolve(futures: list[asyncio.Future[None]], error: LogUnavailableError | None) -> None:
    for future in futures:
        if future.done():  # the request was cut off meanwhile
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
