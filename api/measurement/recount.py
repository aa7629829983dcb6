"""`earshot recount`: everything counted, rebuilt from log and archive, and compared row by row with what is stored."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, Engine

from api.consumers import MEASUREMENT
from api.events import EventLog
from api.events.archive import Archive, received_day
from api.measurement.download_step import Rules
from api.measurement.reach_step import redo_months
from api.measurement.rebuild import MissingRecordsError, Rebuild, records_between
from api.measurement.redo import recount_outdated
from api.measurement.windows import CALENDAR
from models.bulk import BulkTable, Row, delete_by_keys, put_rows
from models.columns import day_from_number, day_number
from models.engine import read_only
from models.queries import download_folding, folding, offsets, open_blocks, rebuilding
from models.queries.reach_cells import CAMPAIGN_REACH, SHOW_REACH

EXAMPLES = 5
"""Differing rows shown per table."""
BATCH = 5000
"""Rows mended in one statement."""

Days = tuple[int, int]
"""First and last UTC day number."""
Progress = Callable[[int, int], None]
"""Told records folded so far, and how many there are."""


@dataclass(slots=True)
class TableReport:
    """How a table compares with its rebuild."""

    table: str
    rows: int = 0
    """Rows of the rebuild."""
    missing: int = 0
    """Rows that the store lacks."""
    extra: int = 0
    """Rows that the store has and the rebuild has not."""
    different: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)
    """`{"key", "stored", "rebuilt"}` of the first few."""

    @property
    def wrong(self) -> int:
        """Rows that are not as they should be."""
        return self.missing + self.extra + self.different


@dataclass(slots=True)
class Report:
    """What a recount found."""

    records: int
    """Records of the log and the archive folded."""
    events: int
    tables: list[TableReport]
    is_mended: bool = False

    @property
    def is_equal(self) -> bool:
        """Whether the store was what the log says."""
        return not any(table.wrong for table in self.tables)


@dataclass(slots=True)
class Recount:
    """One recount of a store from its log and archive."""

    engine: Engine
    log: EventLog
    archive: Archive
    days: Days | None = None
    """Recount these days only."""
    rules: Rules | None = None
    """Of downloads, to count by from here on; those of the store if absent."""
    progress: Progress = lambda _done, _all: None
    folded: dict[int, int] = field(default_factory=dict)
    """Partition -> the offset behind the last record folded."""
    records: int = 0
    events: int = 0

    def run(self, *, apply: bool = False) -> Report:
        """Rebuild, compare and, with `apply`, put the rebuilt rows in the place of those that differ.

        Raises MissingRecordsError when the records that the days need are in neither log nor archive.
        """
        recount_outdated(self.engine)
        with ExitStack() as stack:
            folder = stack.enter_context(TemporaryDirectory(prefix="earshot-recount-"))
            self._start()
            # Before the catalogue is copied: so every episode that was counted up to there is in the copy.
            reached = self._read_reached()
            rebuild = stack.enter_context(Rebuild(self.engine, Path(folder) / "store.db", self.days, self.rules))
            self._note_replays(rebuild, reached)
            self._catch_up(rebuild, reached)
            tables = self._compare_all(rebuild, apply=False)
            # Others wait for what is written here, so only when there is something to write.
            if apply and any(table.wrong for table in tables):
                tables = self._compare_all(rebuild, apply=True)
        return Report(self.records, self.events, tables, is_mended=apply and any(table.wrong for table in tables))

    def _compare_all(self, rebuild: Rebuild, *, apply: bool) -> list[TableReport]:
        """Compare at one moment: what came in meanwhile is folded first, so that both stand at the same offset."""
        engine = self.engine if apply else read_only(self.engine)
        # Who applies has waited for all folds under way and keeps others out; a snapshot would be of the moment before.
        options = {} if apply else _snapshot(engine)
        with engine.connect().execution_options(**options) as live, live.begin():
            if apply:
                folding.lock_folding(live, exclusive=True)
            reached = offsets.list_offsets(live, MEASUREMENT)
            self._note_replays(rebuild, reached)
            rebuild.refresh(live)
            self._catch_up(rebuild, reached)
            with read_only(rebuild.engine).connect() as rebuilt:
                reports = [self._compare(live, rebuilt, table, apply=apply) for table in self._tables(live)]
            reports.append(_find_unmarked(live, apply=apply))
            if apply and self.days:
                # Their months have other days too, so they were not compared; they follow from their days.
                for table in (SHOW_REACH, CAMPAIGN_REACH):
                    redo_months(live, table, *self.days)
            return reports

    def _tables(self, live: Connection) -> tuple[BulkTable, ...]:
        if self.days is None:
            return rebuilding.ALL_TABLES
        window = Rules.from_texts(download_folding.list_counting_rules(live)).window
        return rebuilding.DAY_TABLES + (rebuilding.CALENDAR_TABLES if window == CALENDAR else ())

    def _read_reached(self) -> dict[int, int]:
        with read_only(self.engine).connect() as connection:
            return offsets.list_offsets(connection, MEASUREMENT)

    def _start(self) -> None:
        """Find the first record that matters in each partition, and see that nothing before it is missing."""
        for partition in range(self.log.partitions):
            end = self.log.end(partition)
            page = next(records_between(self.log, self.archive, partition, 0, end), None)
            first = page[0].offset if page else 0
            if first and page:
                oldest = received_day(page[0])
                # Events may be up to ten minutes ahead, so a day's first ones may have come the day before.
                if self.days is None or day_from_number(self.days[0] - 1) <= oldest:
                    raise MissingRecordsError(
                        f"The records before offset {first} of partition {partition} are in neither log nor archive; "
                        f"what is kept begins on {oldest}. Recount from a day after the next one on, with --from."
                    )
            self.folded[partition] = first

    def _note_replays(self, rebuild: Rebuild, reached: dict[int, int]) -> None:
        for partition, end in reached.items():
            for page in records_between(self.log, self.archive, partition, self.folded[partition], end):
                rebuild.note_replays(page)

    def _catch_up(self, rebuild: Rebuild, reached: dict[int, int]) -> None:
        whole = sum(reached.values())
        for partition, end in sorted(reached.items()):
            first = self.folded[partition]
            for page in records_between(self.log, self.archive, partition, first, end, strict=True):
                self.folded[partition] = page[-1].offset + 1
                wanted = (
                    page if self.days is None else [r for r in page if day_number(received_day(r)) >= self.days[0] - 1]
                )
                self.records += len(wanted)
                self.events += rebuild.fold(partition, wanted)
                self.progress(sum(self.folded.values()), whole)
            if self.folded[partition] < end:
                raise MissingRecordsError(
                    f"The store has counted partition {partition} up to offset {end}, but log and archive end at "
                    f"{self.folded[partition]}."
                )

    def _compare(self, live: Connection, rebuilt: Connection, table: BulkTable, *, apply: bool) -> TableReport:
        report = TableReport(table.name)
        wrong: list[Row] = []
        right: list[Row] = []
        for stored, should in _pairs(live, rebuilt, table, self.days):
            report.rows += should is not None
            if stored == should:
                continue
            report.missing += stored is None
            report.extra += should is None
            report.different += stored is not None and should is not None
            if len(report.examples) < EXAMPLES:
                report.examples.append(_example(table, stored, should))
            if should is None and stored is not None:
                wrong.append(stored[: len(table.keys)])
            elif should is not None:
                right.append(should)
        if apply:
            for start in range(0, len(wrong), BATCH):
                delete_by_keys(live, table, wrong[start : start + BATCH])
            for start in range(0, len(right), BATCH):
                put_rows(live, table, right[start : start + BATCH])
        return report


def _snapshot(engine: Engine) -> dict[str, str]:
    """Reads of one transaction see one moment; SQLite's always do."""
    return {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}


def _find_unmarked(live: Connection, *, apply: bool) -> TableReport:
    """Look for days that wait for a close and that no block of `open_block` holds."""
    report = TableReport("open_block", rows=open_blocks.count_blocks(live))
    days = open_blocks.list_unmarked_days(live)
    report.missing = len(days)
    report.examples = [
        {"key": f"episode_id {count.episode_id}, day {count.day}", "stored": "in no block", "rebuilt": "open"}
        for count in days[:EXAMPLES]
    ]
    if apply:
        open_blocks.open_blocks(live, days)
    return report


def _pairs(
    live: Connection, rebuilt: Connection, table: BulkTable, days: Days | None
) -> Iterator[tuple[Row | None, Row | None]]:
    """Rows of the same key side by side, in order of the keys. A row of nothing but zeros is as good as none."""
    size = len(table.keys)
    sides = [
        (row for row in rebuilding.list_rows(side, table, days) if _says_something(table, row))
        for side in (live, rebuilt)
    ]
    left, right = next(sides[0], None), next(sides[1], None)
    while left is not None or right is not None:
        if right is None or (left is not None and left[:size] < right[:size]):
            yield left, None
            left = next(sides[0], None)
        elif left is None or right[:size] < left[:size]:
            yield None, right
            right = next(sides[1], None)
        else:
            yield left, right
            left, right = next(sides[0], None), next(sides[1], None)


def _says_something(table: BulkTable, row: Row) -> bool:
    if table.name in _KEPT_WHOLE:
        return True
    values = row[len(table.keys) :]
    return any(value.strip(b"\0") if isinstance(value, bytes) else value for value in values)


_KEPT_WHOLE = {"playback", "set_aside", "device_log", "consumer_day", "counting_rule"}
"""Tables whose rows are no sums."""


def _example(table: BulkTable, stored: Row | None, should: Row | None) -> dict[str, str]:
    row = stored or should or ()
    size = len(table.keys)
    key = ", ".join(f"{name} {_shown(name, value)}" for name, value in zip(table.keys, row[:size], strict=True))
    return {"key": key, "stored": _values(table, stored, should), "rebuilt": _values(table, should, stored)}


def _values(table: BulkTable, row: Row | None, other: Row | None) -> str:
    """The values of a row in which it differs from the other."""
    if row is None:
        return "no row"
    size = len(table.keys)
    pairs = zip(table.values, row[size:], other[size:] if other else (None,) * len(table.values), strict=True)
    return ", ".join(f"{name} {_shown(name, value)}" for name, value, beside in pairs if value != beside)


def _shown(name: str, value: object) -> str:
    if isinstance(value, bytes):
        return value.hex() if len(value) <= 32 else f"{len(value)} bytes"
    if name in {"day", "received_day"} and isinstance(value, int):
        return day_from_number(value).isoformat()
    return str(value)
