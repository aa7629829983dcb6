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
from pathlib import Path

import structlog

from api import clock, failpoints
from api.events.log import LogFullError, LogUnavailableError, Record, StoredRecord, partition_of

SCHEMA = """
CREATE TABLE IF NOT EXISTS partition (
    partition INTEGER PRIMARY KEY,
    next_offset INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS record (
    id INTEGER PRIMARY KEY,
    appended_ms INTEGER NOT NULL,
    key BLOB NOT NULL,
    payload BLOB NOT NULL
);
"""
PARTITION_SHIFT = 48
"""A record's id is its partition and, in the lower 48 bits, its offset: SQLite keeps rows with an integer key, unlike
those of a WITHOUT ROWID table, whole in their page up to 4 KB, and a batch has about 1.7 KB."""
OFFSET_MASK = (1 << PARTITION_SHIFT) - 1
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
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
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
        self._reader = _connect(path)
        self.partitions = self._create(partitions)
        self._waiting: list[_Waiting] = []
        self._wake = threading.Condition()
        self._is_closing = False
        self._writer_thread: threading.Thread | None = None
        self._checkpoint_wake = threading.Event()
        self._checkpoint_thread: threading.Thread | None = None

    def _create(self, partitions: int) -> int:
        self._reader.executescript(SCHEMA)
        self._reader.execute("BEGIN IMMEDIATE")
        (count,) = self._reader.execute("SELECT count(*) FROM partition").fetchone()
        if count == 0:
            self._reader.executemany("INSERT INTO partition VALUES (?, 0)", [(n,) for n in range(partitions)])
            count = partitions
        self._reader.execute("COMMIT")
        return int(count)

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
                rows.append((record_id, appended_ms, record.key, record.payload))
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

    def read(self, partition: int, offset: int, limit: int) -> Sequence[StoredRecord]:
        """Up to `limit` records with offsets >= `offset`, in order."""
        statement = "SELECT id & ?, key, payload, appended_ms FROM record WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
        first = partition << PARTITION_SHIFT
        bounds = (OFFSET_MASK, first + offset, first + OFFSET_MASK + 1, limit)
        with self._reading():
            rows = self._reader.execute(statement, bounds).fetchall()
        return [StoredRecord(*row) for row in rows]

    def end(self, partition: int) -> int:
        """The offset that the next record will get."""
        with self._reading():
            row = self._reader.execute("SELECT next_offset FROM partition WHERE partition = ?", (partition,)).fetchone()
        return int(row[0])

    def start(self, partition: int) -> int:
        """The lowest offset still kept."""
        kept = self.read(partition, 0, 1)
        return kept[0].offset if kept else self.end(partition)

    def trim(self, partition: int, offset: int, received_before_ms: int) -> int:
        """Forget records below `offset` appended before that instant, in small transactions."""
        # Only the oldest are looked at, so that nothing to forget costs nothing, however long the log.
        statement = """
            DELETE FROM record WHERE appended_ms < ? AND id IN (
                SELECT id FROM record WHERE id >= ? AND id < ? ORDER BY id LIMIT ?)
        """
        first = partition << PARTITION_SHIFT
        forgotten = 0
        while True:
            with self._reading():
                arguments = (received_before_ms, first, first + offset, TRIM_ROWS)
                count = self._reader.execute(statement, arguments).rowcount
            forgotten += count
            if count < TRIM_ROWS:
                return forgotten

    def rewrite(self, partition: int, records: Mapping[int, Record]) -> None:
        """Put other records in the place of those at these offsets, in small transactions; the old bytes are zeroed."""
        first = partition << PARTITION_SHIFT
        rows = [(record.key, record.payload, first + offset) for offset, record in sorted(records.items())]
        for start in range(0, len(rows), TRIM_ROWS):
            with self._reading():
                self._reader.execute("PRAGMA secure_delete=ON")
                self._reader.execute("BEGIN IMMEDIATE")
                self._reader.executemany(
                    "UPDATE record SET key = ?, payload = ? WHERE id = ?", rows[start : start + TRIM_ROWS]
                )
                self._reader.execute("COMMIT")

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


def _insert(connection: sqlite3.Connection, rows: list[tuple[int, int, bytes, bytes]]) -> None:
    for start in range(0, len(rows), ROWS_IN_A_STATEMENT):
        chunk = rows[start : start + ROWS_IN_A_STATEMENT]
        marks = ", ".join(["(?, ?, ?, ?)"] * len(chunk))
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
