"""The embedded event log: durable, ordered, shared by processes, honest when it fails."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from api import clock
from api.events import LogFullError, LogUnavailableError, Record
from api.events.log import partition_of
from api.events.opening import open_log
from api.events.sqlite_log import SqliteLog


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    """An empty log with three partitions."""
    log = SqliteLog(str(tmp_path / "events.db"), partitions=3)
    yield log
    log.close()


def append(log: SqliteLog, *records: Record) -> None:
    """Append all at once, and wait for all."""

    async def run() -> None:
        await asyncio.gather(*(log.append(record) for record in records))

    asyncio.run(run())


def contents(log: SqliteLog) -> dict[int, list[tuple[int, bytes, bytes]]]:
    """All records by partition."""
    return {p: [(r.offset, r.key, r.payload) for r in log.read(p, 0, 10_000)] for p in range(log.partitions)}


def test_records_of_a_key_keep_their_order_and_offsets_count_up(log: SqliteLog) -> None:
    keys = [b"a", b"b", b"c", b"d"]
    append(log, *(Record(key, b"%d" % n) for n in range(20) for key in keys))
    found = contents(log)
    for partition, records in found.items():
        assert [offset for offset, _, _ in records] == list(range(len(records)))
        assert log.end(partition) == len(records)
    for key in keys:
        payloads = [payload for _, k, payload in found[partition_of(key, 3)] if k == key]
        assert payloads == [b"%d" % n for n in range(20)]


def test_what_waits_while_a_commit_runs_shares_the_next_one(log: SqliteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[int] = []
    commit = log._commit
    monkeypatch.setattr(
        log, "_commit", lambda connection, records: (groups.append(len(records)), commit(connection, records))
    )
    append(log, *(Record(b"k", b"%d" % n) for n in range(500)))
    assert sum(groups) == 500
    assert len(groups) < 50


def test_reading_starts_where_it_is_told_and_stops_at_the_limit(log: SqliteLog) -> None:
    append(log, *(Record(b"k", b"%d" % n) for n in range(10)))
    partition = partition_of(b"k", 3)
    assert [record.offset for record in log.read(partition, 4, 3)] == [4, 5, 6]
    assert log.read(partition, 10, 3) == []


def test_an_offset_is_never_used_twice_even_when_all_was_forgotten(log: SqliteLog) -> None:
    append(log, *(Record(b"k", b"%d" % n) for n in range(5)))
    partition = partition_of(b"k", 3)
    assert log.trim(partition, 3, clock.now_ms() + 1000) == 3
    assert log.start(partition) == 3
    assert log.trim(partition, 5, 0) == 0
    assert log.trim(partition, 5, clock.now_ms() + 1000) == 2
    assert log.start(partition) == log.end(partition) == 5
    append(log, Record(b"k", b"next"))
    assert [record.offset for record in log.read(partition, 0, 10)] == [5]


def test_a_log_opened_again_has_all_of_it_and_its_own_partitions(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'events.db'}"
    first = open_log(url, partitions=2)
    append(first, Record(b"k", b"one"))  # type: ignore[arg-type]
    first.close()
    again = open_log(url, partitions=7)
    assert again.partitions == 2
    assert [record.payload for record in again.read(partition_of(b"k", 2), 0, 10)] == [b"one"]
    again.close()


def test_an_unknown_kind_of_log_is_refused_with_what_to_use() -> None:
    with pytest.raises(ValueError, match="sqlite:///"):
        open_log("redis://127.0.0.1/0")


WRITE_MANY = """
import sys
from tests.api.events.test_sqlite_log import Record, SqliteLog, append

path, name = sys.argv[1], sys.argv[2].encode()
log = SqliteLog(path)
append(log, *(Record(name, b"%d" % n) for n in range(300)))
log.close()
"""


def test_processes_append_side_by_side(tmp_path: Path) -> None:
    path = str(tmp_path / "events.db")
    SqliteLog(path).close()
    writers = [subprocess.Popen([sys.executable, "-c", WRITE_MANY, path, str(n)]) for n in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    log = SqliteLog(path)
    records = log.read(0, 0, 10_000)
    assert [record.offset for record in records] == list(range(900))
    for name in (b"0", b"1", b"2"):
        assert [record.payload for record in records if record.key == name] == [b"%d" % n for n in range(300)]
    log.close()


class FailingCommit:
    """A connection whose COMMIT fails once, as a full or broken disk makes it."""

    def __init__(self, connection: sqlite3.Connection, failures: list[str]) -> None:
        self._connection, self._failures = connection, failures
        self.commits_after_failure: list[str] | None = None
        """None until the commit failed."""

    def execute(self, statement: str, *arguments: Any) -> Any:
        """Fail the next COMMIT."""
        if statement == "COMMIT" and self.commits_after_failure is not None:
            self.commits_after_failure.append(statement)
        if statement == "COMMIT" and self._failures:
            self.commits_after_failure = []
            raise sqlite3.OperationalError(self._failures.pop())
        return self._connection.execute(statement, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_a_failed_commit_acknowledges_nobody_and_the_log_is_opened_anew(
    log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = ["disk I/O error"]
    opened: list[FailingCommit] = []
    from api.events import sqlite_log

    connect = sqlite_log._connect

    def failing(path: str) -> Any:
        opened.append(FailingCommit(connect(path), failures))
        return opened[-1]

    monkeypatch.setattr(sqlite_log, "_connect", failing)
    with pytest.raises(LogUnavailableError):
        append(log, Record(b"k", b"lost"))
    append(log, Record(b"k", b"kept"))
    assert [record.payload for record in log.read(partition_of(b"k", 3), 0, 10)] == [b"kept"]
    # What the failed handle still holds may be gone from memory: its next commit would report a success that is none.
    assert opened[0].commits_after_failure == []
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


def test_too_many_waiting_are_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = SqliteLog(str(tmp_path / "events.db"), max_waiting=2)
    monkeypatch.setattr(log, "_start_threads", lambda: setattr(log, "_writer_thread", object()))

    async def run() -> None:
        waiting = [asyncio.ensure_future(log.append(Record(b"k", b"x"))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(LogFullError):
            await log.append(Record(b"k", b"x"))
        assert not log.append_nowait(Record(b"k", b"x"))
        for task in waiting:
            task.cancel()

    asyncio.run(run())
    log._writer_thread = None
    log.close()


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    log = SqliteLog(str(tmp_path / "events.db"))
    for n in range(100):
        assert log.append_nowait(Record(b"k", b"%d" % n))
    log.close()
    again = SqliteLog(str(tmp_path / "events.db"))
    assert again.end(0) == 100
    again.close()


def test_an_error_of_any_kind_reaches_those_who_wait(log: SqliteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [MemoryError()]
    commit = log._commit

    def failing(connection: sqlite3.Connection, records: list[Record]) -> None:
        if failures:
            raise failures.pop()
        commit(connection, records)

    monkeypatch.setattr(log, "_commit", failing)
    with pytest.raises(LogUnavailableError):
        append(log, Record(b"k", b"lost"))
    append(log, Record(b"k", b"kept"))
    assert log.end(partition_of(b"k", 3)) == 1


def test_forgetting_stops_at_the_first_young_record(log: SqliteLog) -> None:
    append(log, *(Record(b"k", b"%d" % n) for n in range(2500)))
    partition = partition_of(b"k", 3)
    log._reader.execute("UPDATE record SET appended_ms = 5 WHERE (id & ?) < 1500", (2**48 - 1,))
    assert log.trim(partition, 2500, 6) == 1500
    assert log.start(partition) == 1500


def test_a_log_that_cannot_be_read_says_so(log: SqliteLog) -> None:
    log._reader.close()
    with pytest.raises(LogUnavailableError):
        log.read(0, 0, 1)
    log._reader = sqlite3.connect(":memory:")


def damaged(log: SqliteLog, partition: int) -> dict[int, bool]:
    """Which offsets are there, and which of them are damaged."""
    return {record.offset: record.is_damaged for record in log.read(partition, 0, 10_000)}


CHANGES = {
    "payload": "UPDATE record SET payload = zeroblob(length(payload)) WHERE id & 15 = 3",
    "key": "UPDATE record SET key = x'00' WHERE id & 15 = 3",
    "time": "UPDATE record SET appended_ms = appended_ms + 1 WHERE id & 15 = 3",
    "type": "UPDATE record SET payload = CAST(x'fffe' AS TEXT) WHERE id & 15 = 3",
    "a number for bytes": "UPDATE record SET payload = 7 WHERE id & 15 = 3",
    "gone": "DELETE FROM record WHERE id & 15 = 3",
    "elsewhere": "UPDATE record SET id = id + 1000 WHERE id & 15 = 3",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_record_that_is_not_what_was_appended_is_handed_out_as_damaged_in_its_place(
    log: SqliteLog, change: str
) -> None:
    append(log, *(Record(b"k", b"%d" % n) for n in range(10)))
    partition = partition_of(b"k", 3)
    appended_ms = log.read(partition, 2, 1)[0].appended_ms
    log._reader.execute(change)
    assert damaged(log, partition) == {offset: offset == 3 for offset in range(10)}
    found = log.read(partition, 3, 1)[0]
    assert (found.key, found.payload[:1], found.appended_ms) == (b"", b"\xc1", appended_ms)
    assert [record.offset for record in log.read(partition, 2, 3)] == [2, 3, 4]


def test_the_last_records_are_missed_too(log: SqliteLog) -> None:
    append(log, *(Record(b"k", b"%d" % n) for n in range(5)))
    partition = partition_of(b"k", 3)
    log._reader.execute("DELETE FROM record WHERE id & 7 > 2")
    assert damaged(log, partition) == {0: False, 1: False, 2: False, 3: True, 4: True}
    log._reader.execute("DELETE FROM record")
    assert damaged(log, partition) == dict.fromkeys(range(5), True)


def test_what_was_forgotten_or_rewritten_is_not_damaged(log: SqliteLog) -> None:
    append(log, *(Record(b"k", b"%d" % n) for n in range(10)))
    partition = partition_of(b"k", 3)
    log.trim(partition, 4, clock.now_ms() + 1000)
    log.rewrite(partition, {6: Record(b"k", b"another")})
    assert damaged(log, partition) == dict.fromkeys(range(4, 10), False)
    assert log.read(partition, 6, 1)[0].payload == b"another"


def test_a_young_record_before_old_ones_keeps_them(log: SqliteLog) -> None:
    """The clock went back between them. Forgetting around it would leave a hole, which means damage."""
    append(log, *(Record(b"k", b"%d" % n) for n in range(6)))
    partition = partition_of(b"k", 3)
    log._reader.execute("UPDATE record SET appended_ms = 5, crc = NULL WHERE (id & 15) <> 2")
    assert log.trim(partition, 6, 6) == 2
    assert damaged(log, partition) == dict.fromkeys(range(2, 6), False)


def test_a_file_of_the_first_release_is_opened_and_brought_up_to_date(tmp_path: Path) -> None:
    path = str(tmp_path / "events.db")
    old = SqliteLog(path, partitions=2)
    append(old, *(Record(key, b"%d" % n) for n in range(4) for key in (b"a", b"b", b"c")))
    partition = partition_of(b"a", 2)
    old.trim(partition, 1, clock.now_ms() + 1000)
    kept = contents(old)
    old.close()
    with sqlite3.connect(path) as file:
        file.execute("ALTER TABLE record DROP COLUMN crc")
        file.execute("ALTER TABLE partition DROP COLUMN first_offset")
    file.close()
    log = SqliteLog(path)
    assert contents(log) == kept
    assert log.start(partition) == 1
    append(log, Record(b"a", b"new"))
    assert not any(damaged(log, partition).values())
    log.close()


class Stubborn(sqlite3.Connection):
    """Stays in the mode it is in, without an error: what SQLite does when a sync fails while it switches."""

    def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
        """Ask for the mode instead of setting it."""
        return super().execute(statement.removesuffix("=WAL"), *arguments)


def test_a_handle_that_could_not_be_put_into_wal_mode_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Stubborn))
    with pytest.raises(sqlite3.OperationalError, match="stays in delete"):
        SqliteLog(str(tmp_path / "events.db"))


def test_opening_a_log_and_finding_nothing_to_forget_need_no_write_lock(log: SqliteLog, tmp_path: Path) -> None:
    """A housekeeper that is halted at either must not keep anybody from appending, nor wait for those that do."""
    append(log, *(Record(b"k", b"%d" % n) for n in range(6)))
    writer = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    opened = SqliteLog(str(tmp_path / "events.db"))
    try:
        assert opened.trim(partition_of(b"k", 3), 6, 5) == 0
    finally:
        opened.close()
        writer.close()
