"""Access logs into the event log and from there into the store: resumable, and the same lines twice change nothing."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b

from sqlalchemy import Engine

from api import clock
from api.delivery.importing.blocks import LineBlock, Unreadable
from api.delivery.importing.chunks import ChunkMaker, LogFile
from api.delivery.importing.episodes import EpisodeFinder
from api.delivery.importing.formats import Choice
from api.delivery.importing.reader import LogReader, open_log
from api.events import EventLog
from api.events.log import Record, partition_of
from api.events.records import pack
from api.hits.classify import Classifier
from api.measurement.hit_step import KNOWN
from api.measurement.worker import Worker
from api.settings import Settings
from models.downloads import DOWNLOAD
from models.engine import read_only
from models.queries import imports
from models.queries.imports import Progress

AHEAD_RECORDS = 32
"""Records that may wait in a partition of the event log before an import waits for the worker."""
WORKER_ALIVE_SECONDS = 5.0
"""A worker touches its file several times a second; when that is older, the import counts by itself."""
POLL_SECONDS = 0.05
HEAD_BYTES = 14
"""Of the hash of how a file begins, by which one that was imported before is recognised."""
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Handles:
    """What an import works on."""

    settings: Settings
    engine: Engine
    log: EventLog
    classifier: Classifier
    secret: str


@dataclass(slots=True)
class Report:
    """What an import changed."""

    lines: int = 0
    """Lines read that had not been read before."""
    skipped: int = 0
    """Lines that an earlier import of the same file had read."""
    outcomes: Counter[str] = field(default_factory=Counter)
    unknown_paths: Counter[str] = field(default_factory=Counter)
    """Paths that look like audio and are no known episode's."""
    without_ranges: list[str] = field(default_factory=list)
    """Files whose log does not tell the Range."""
    damaged: dict[str, str] = field(default_factory=dict)
    """Files that could not be read to their end, and why."""

    @property
    def downloads(self) -> int:
        """Downloads more than before."""
        return self.outcomes[DOWNLOAD]

    @property
    def known(self) -> int:
        """Hits that another file had told before; they changed nothing."""
        return self.outcomes[KNOWN]

    @property
    def unreadable(self) -> int:
        """Lines that no hit can be made of."""
        return self.outcomes[UNREADABLE]

    @property
    def causes(self) -> dict[str, int]:
        """Why the other hits are no downloads: cause -> hits, the most frequent first."""
        left_out = {DOWNLOAD, KNOWN, UNREADABLE}
        return {cause: hits for cause, hits in self.outcomes.most_common() if cause not in left_out and hits}

    @property
    def hits(self) -> int:
        """Hits more than before: downloads and all causes."""
        return self.downloads + sum(self.causes.values())


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who is told how an import goes."""

    on_block: Callable[[LogReader, LineBlock], None] = lambda _reader, _block: None
    on_unreadable: Callable[[LogFile, list[Unreadable]], None] = lambda _file, _lines: None


class Importer:
    """Imports files, one after the other."""

    def __init__(self, handles: Handles, finder: EpisodeFinder, watcher: Watcher) -> None:
        self._handles, self._finder, self._watcher = handles, finder, watcher
        self._worker = Worker(handles.engine, handles.log, handles.settings)
        self._keys = [_key_for(partition, handles.log.partitions) for partition in range(handles.log.partitions)]
        self.report = Report()

    def run(self, path: str, name: str, choice: Choice) -> None:
        """Import one file. Interrupted, it goes on where it was when it is imported again.

        Raises LogFormatError and OSError before anything is imported.
        """
        self.count_all()  # what an interrupted import left in the event log
        prefix, reached = self._recognise(path, choice)
        before = self._outcomes(prefix)
        try:
            self._import(path, name, prefix, choice, reached)
        finally:
            # Also when interrupted: what is appended is imported.
            self.count_all()
            after = self._outcomes(prefix)
            after.subtract(before)
            self.report.outcomes.update(after)

    def _import(self, path: str, name: str, prefix: bytes, choice: Choice, reached: Progress | None) -> None:
        handles = self._handles
        with open_log(path, choice) as reader:
            file = LogFile(prefix, name, reader.format)
            maker = ChunkMaker(file, handles.log.partitions, self._finder, handles.classifier, handles.secret)
            # Lines of before are looked at again, since equal ones may follow.
            for block in reader.until(reached.unpacked_bytes) if reached else ():
                list(maker.records(block))
                self.report.skipped += block.lines
                self._watcher.on_block(reader, block)
            maker.unknown_paths.clear()
            for block in reader:
                self.report.lines += block.lines
                self._watcher.on_unreadable(file, block.unreadable)
                for partition, record in maker.records(block):
                    asyncio.run(handles.log.append(Record(self._keys[partition], pack(record))))
                self._watcher.on_block(reader, block)
                self._keep_up()
            if not reader.has_ranges:
                self.report.without_ranges.append(name)
            if reader.damage:
                self.report.damaged[name] = reader.damage
            self.report.unknown_paths.update(maker.unknown_paths)

    # -- which file it is ----------------------------------------------------------------------------------------------

    def _recognise(self, path: str, choice: Choice) -> tuple[bytes, Progress | None]:
        """Fifteen bytes for the file, and how far it was imported before.

        Files that begin alike are told from each other by the digest of all that was imported.
        """
        if path == "-":
            return secrets.token_bytes(HEAD_BYTES + 1), None  # what cannot be read twice is always another file
        with open_log(path, choice) as reader:
            head = blake2b(reader.head, digest_size=HEAD_BYTES).digest()
        known = self._progress(head)
        for progress in sorted(known, key=lambda progress: progress.unpacked_bytes, reverse=True):
            with open_log(path, choice) as reader:
                if reader.skip(progress.unpacked_bytes, progress.digest):
                    return progress.source[:-1], progress
        free = set(range(256)) - {progress.source[HEAD_BYTES] for progress in known}
        return (head + bytes([min(free)]) if free else secrets.token_bytes(HEAD_BYTES + 1)), None

    def _progress(self, head: bytes) -> list[Progress]:
        """How far each file that begins so is imported: as far as all partitions of the event log have it."""
        with read_only(self._handles.engine).connect() as connection:
            rows = imports.list_progress(connection, head)
        least: dict[bytes, Progress] = {}
        for row in rows:
            prefix = row.source[:-1]
            if prefix not in least or row.lines < least[prefix].lines:
                least[prefix] = row
        return list(least.values())

    def _outcomes(self, prefix: bytes) -> Counter[str]:
        with read_only(self._handles.engine).connect() as connection:
            return Counter(imports.sum_import_outcomes(connection, prefix))

    # -- counting ------------------------------------------------------------------------------------------------------

    def count_all(self) -> None:
        """Return when all that is in the event log is counted."""
        while any(self._worker.waiting()):
            self._count_some()

    def _keep_up(self) -> None:
        while max(self._worker.waiting()) > (AHEAD_RECORDS if self._is_worker_alive() else 1):
            self._count_some()

    def _count_some(self) -> None:
        if self._is_worker_alive():
            time.sleep(POLL_SECONDS)
            return
        for partition in range(self._handles.log.partitions):
            self._worker.fold_some(partition)

    def _is_worker_alive(self) -> bool:
        """Whether a worker of this installation is counting; two at once would be in each other's way."""
        try:
            touched = (self._handles.settings.home / "worker.alive").stat().st_mtime
        except OSError:
            return False
        return clock.now_ms() / 1000 - touched < WORKER_ALIVE_SECONDS


def _key_for(partition: int, partitions: int) -> bytes:
    """A key whose records go to a partition."""
    number = 0
    while partition_of(key := b"log-%d" % number, partitions) != partition:
        number += 1
    return key
