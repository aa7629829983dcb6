"""Access logs into the event log and from there into the store: resumable, and the same lines twice change nothing."""

import asyncio
import fcntl
import os
import secrets
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from api import clock, failpoints
from api.delivery.importing.blocks import LineBlock, Unreadable
from api.delivery.importing.chunks import ChunkMaker, LogFile
from api.delivery.importing.episodes import EpisodeFinder
from api.delivery.importing.formats import Choice
from api.delivery.importing.reader import LogReader, open_log
from api.delivery.importing.unpacking import GZIP_MAGIC, ZSTD_MAGIC
from api.events import EventLog
from api.events.log import Record, partition_of
from api.events.records import pack
from api.hits.classify import Classifier
from api.import_report import OF_NO_EPISODE, Report, shown
from api.measurement.worker import RETRY_SECONDS, Worker
from api.settings import Settings
from models.engine import read_only
from models.queries import imports
from models.queries.imports import Progress

AHEAD_BLOCKS = 16
"""Blocks that may wait in the event log before an import waits for the worker."""
TOGETHER_BLOCKS = 4
"""Blocks that an import counts in one transaction, when no worker does it: the rows of a day lie by consumer, so each
transaction writes to nearly all pages of the day that it counts."""
WORKER_ALIVE_SECONDS = 5.0
"""A worker touches its file several times a second; when that is older, the import counts by itself."""
POLL_SECONDS = 0.05
HEAD_BYTES = 14
"""Of the hash of how a file begins, by which one that was imported before is recognised."""
LINE_END_STEP_BYTES = 64 << 10
"""How much is looked at, at once, for the last line's end."""

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Handles:
    """What an import works on."""

    settings: Settings
    engine: Engine
    log: EventLog
    classifier: Classifier
    secret: str


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who is told how an import goes."""

    on_block: Callable[[LogReader, LineBlock], None] = lambda _reader, _block: None
    on_unreadable: Callable[[LogFile, list[Unreadable]], None] = lambda _file, _lines: None
    on_wait: Callable[[], None] = lambda: None
    """Another import is running, and this one waits for it."""


class Importer:
    """Imports files, one after the other."""

    def __init__(self, handles: Handles, finder: EpisodeFinder, watcher: Watcher) -> None:
        self._handles, self._finder, self._watcher = handles, finder, watcher
        self._worker = Worker(handles.engine, handles.log, handles.settings)
        self._keys = [_key_for(partition, handles.log.partitions) for partition in range(handles.log.partitions)]
        self._appended: deque[list[int]] = deque()
        """Where the event log ended after each block that was appended and may not be counted."""
        self.report = Report()

    def run(self, path: str, choice: Choice) -> None:
        """Import one file. Interrupted, it goes on where it was when it is imported again.

        Raises LogFormatError and OSError before anything is imported.
        """
        with self._alone():
            self.count_all()  # what an interrupted import left in the event log
            prefix, reached = self._recognise(path, choice)
            if not self._import(path, prefix, choice, reached):
                self._import(path, self._another(prefix[:HEAD_BYTES]), choice, None)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two imports at once could take two files that begin alike for one."""
        folder = self._handles.settings.home / "imports"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._watcher.on_wait()
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _import(self, path: str, prefix: bytes, choice: Choice, reached: Progress | None) -> bool:
        """Read a file on from where it was `reached`; False, and nothing is done, when it has to be read anew."""
        handles = self._handles
        with open_log(path, choice) as reader, self._accounted(prefix) as before:
            file = LogFile(prefix, shown(Path(path).name), reader.format)
            maker = ChunkMaker(file, handles.log.partitions, self._finder, handles.classifier, handles.secret)
            if reached:
                # Lines of before are looked at again, since equal ones may follow.
                found, skipped = self._pass_over(maker, reader, reached)
                if found > sum(hits for outcome, hits in before.items() if outcome not in OF_NO_EPISODE):
                    return False  # of episodes that are known by now
                self.report.skipped += skipped
            self._read_on(path, maker, reader)
        return True

    @contextmanager
    def _accounted(self, prefix: bytes) -> Iterator[Counter[str]]:
        """Gives what a file has changed before, and reports what it changes here."""
        before = self._outcomes(prefix)
        try:
            yield before
        finally:
            # Also when interrupted: what is appended is imported.
            self.count_all()
            after = self._outcomes(prefix)
            after.subtract(before)
            self.report.outcomes.update(after)

    def _pass_over(self, maker: ChunkMaker, reader: LogReader, reached: Progress) -> tuple[int, int]:
        """Hits of known episodes, and lines, that the file has up to there."""
        hits = lines = 0
        for block in reader.until(reached.unpacked_bytes):
            hits += sum(record.hits for _, record in maker.records(block))
            lines += block.lines
            self._watcher.on_block(reader, block)
        maker.unknown_paths.clear()
        return hits, lines

    def _read_on(self, path: str, maker: ChunkMaker, reader: LogReader) -> None:
        whole, is_unfinished = _whole_lines(path)
        agents = Counter[bool]()
        for block in reader if whole is None else reader.until(whole):
            self._append(maker, reader, block)
            agents[any(block.rows.user_agent.values)] += len(block.rows.line)
        self.report.unknown_paths.update(maker.unknown_paths)
        self.report.note(
            shown(path),
            has_ranges=reader.has_ranges,
            has_agents=agents[True] > 0 or not agents[False],
            is_unfinished=is_unfinished,
            damage=reader.damage,
        )

    def _append(self, maker: ChunkMaker, reader: LogReader, block: LineBlock) -> None:
        self._watcher.on_unreadable(maker.file, block.unreadable)
        for partition, record in maker.records(block):
            asyncio.run(self._handles.log.append(Record(self._keys[partition], pack(record))))
        failpoints.reach("import.after_append")
        self.report.lines += block.lines
        self._watcher.on_block(reader, block)
        self._keep_up()

    # -- which file it is ----------------------------------------------------------------------------------------------

    def _recognise(self, path: str, choice: Choice) -> tuple[bytes, Progress | None]:
        """Fifteen bytes for the file, and how far it was imported before.

        Files that begin alike are told from each other by the digest of all that was imported.
        """
        if path == "-":
            return secrets.token_bytes(HEAD_BYTES + 1), None  # what cannot be read twice is always another file
        with open_log(path, choice) as reader:
            head = blake2b(reader.head, digest_size=HEAD_BYTES).digest()
        # The last time it was read, when it was read more than once.
        for progress in sorted(
            self._progress(head), key=lambda found: (found.unpacked_bytes, found.source), reverse=True
        ):
            with open_log(path, choice) as reader:
                if reader.skip(progress.unpacked_bytes, progress.digest):
                    return progress.source[:-1], progress
        return self._another(head), None

    def _another(self, head: bytes) -> bytes:
        """For one more file that begins so."""
        free = set(range(256)) - {progress.source[HEAD_BYTES] for progress in self._rows(head)}
        return head + bytes([min(free)]) if free else secrets.token_bytes(HEAD_BYTES + 1)

    def _progress(self, head: bytes) -> list[Progress]:
        """How far each file that begins so is imported: as far as all partitions of the event log have it. One that
        was interrupted before each of them had any of it is not known."""
        files: defaultdict[bytes, list[Progress]] = defaultdict(list)
        for row in self._rows(head):
            files[row.source[:-1]].append(row)
        partitions = self._handles.log.partitions
        return [min(rows, key=lambda row: row.lines) for rows in files.values() if len(rows) == partitions]

    def _rows(self, head: bytes) -> list[Progress]:
        with read_only(self._handles.engine).connect() as connection:
            return imports.list_progress(connection, head)

    def _outcomes(self, prefix: bytes) -> Counter[str]:
        with read_only(self._handles.engine).connect() as connection:
            return Counter(imports.sum_import_outcomes(connection, prefix))

    # -- counting ------------------------------------------------------------------------------------------------------

    def count_all(self) -> None:
        """Return when all that is in the event log by now is counted; what comes in meanwhile is not waited for."""
        self._appended.clear()
        self._count_up_to(self._log_ends())

    def _keep_up(self) -> None:
        self._appended.append(self._log_ends())
        while len(self._appended) > (AHEAD_BLOCKS if self._is_worker_alive() else TOGETHER_BLOCKS - 1):
            self._count_up_to(self._appended.popleft())

    def _log_ends(self) -> list[int]:
        log = self._handles.log
        return [log.end(partition) for partition in range(log.partitions)]

    def _count_up_to(self, ends: list[int]) -> None:
        while any(offset < end for offset, end in zip(self._worker.reached(), ends, strict=True)):
            self._count_some()

    def _count_some(self) -> None:
        if self._is_worker_alive():
            time.sleep(POLL_SECONDS)
            return
        try:
            for partition in range(self._handles.log.partitions):
                self._worker.fold_some(partition)
        except (OperationalError, InterfaceError) as error:
            # As the worker does: the store is busy or away, and what is to be counted is in the event log.
            _logger.warning("store not available, trying again", cause=str(error))
            time.sleep(RETRY_SECONDS)

    def _is_worker_alive(self) -> bool:
        """Whether a worker of this installation is counting; two at once would be in each other's way."""
        try:
            touched = (self._handles.settings.home / "worker.alive").stat().st_mtime
        except OSError:
            return False
        return abs(clock.now_ms() / 1000 - touched) < WORKER_ALIVE_SECONDS


def _key_for(partition: int, partitions: int) -> bytes:
    """A key whose records go to a partition."""
    number = 0
    while partition_of(key := b"log-%d" % number, partitions) != partition:
        number += 1
    return key


def _whole_lines(path: str) -> tuple[int | None, bool]:
    """Where the last line of a file ends that has an end, and whether there is more behind it: a server may be about to
    write the rest. None for what is read as it is: packed files, the standard input, and a last line that lacks nothing
    but its end."""
    if path == "-":
        return None, False
    with Path(path).open("rb") as file:
        if file.read(len(ZSTD_MAGIC)).startswith((GZIP_MAGIC, ZSTD_MAGIC)):
            return None, False
        size = end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - LINE_END_STEP_BYTES)
            file.seek(start)
            step = file.read(end - start)
            if cut := step.rfind(b"\n") + 1:
                before, rest = step[:cut].splitlines()[-1], step[cut:] if end == size else b""
                is_whole = _is_like(rest, before)
                return (None, False) if is_whole else (start + cut, start + cut < size)
            end = start
        return 0, size > 0


def _is_like(line: bytes, before: bytes) -> bool:
    """Whether a line without an end is as whole as the one before it: it closes what that closes, as often. Of lines
    that end otherwise nobody can tell."""
    closing = before[-1:]
    is_closed = closing in {b'"', b"}", b"]"} and line.endswith(closing)
    return is_closed and all(line.count(mark) == before.count(mark) for mark in (b'"', b"\t", b"{"))
