"""The counts as they were at a place in the log: rebuilt from log and archive, whatever the store and the catalogue say
now. A statement is proved with it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine

from api.events import EventLog, StoredRecord
from api.events.archive import Archive, received_day
from api.events.records import Kept, unpack
from api.holds import held_days
from api.measurement.download_step import Rules
from api.measurement.impressions_redo import count_as
from api.measurement.rebuild import MissingRecordsError, Rebuild, records_between
from api.measurement.windows import CALENDAR
from models.bulk import chunks
from models.columns import day_from_number, day_number
from models.coverage import unpack_coverage
from models.engine import read_only
from models.queries import holds, payable, proving
from models.queries.impressions import CountedAd
from models.queries.payable import Scope
from models.statements import DayCount

Progress = Callable[[int, int], None]
"""Told records read so far, and how many there are."""
CountKey = tuple[int, int, date]
"""episode, campaign (0: listens), day."""


@dataclass(frozen=True, slots=True)
class Pins:
    """What the counts of a moment depend on, besides log and archive."""

    position: dict[int, int]
    """Partition -> offset behind the last record that was counted."""
    at: datetime
    """What was flagged by then is held or void."""
    entry: int
    """Of the audit trail: what was decided before it counts."""
    days: tuple[date, date]
    """First and last that are asked for."""
    seconds: dict[int, int]
    """Episode -> whole seconds of its recording. These episodes are asked for."""
    ads: list[CountedAd]
    billing: dict[int, str]
    """Campaign -> the kind of impressions that it pays for."""
    rules: Rules

    @property
    def numbers(self) -> tuple[int, int]:
        """The days as numbers."""
        return day_number(self.days[0]), day_number(self.days[1])

    @property
    def cut(self) -> tuple[int, int] | None:
        """The days that it is enough to fold; None where a window may reach into them from any day before."""
        return self.numbers if self.rules.window == CALENDAR or "delivered" not in self.billing.values() else None


@dataclass(frozen=True, slots=True)
class Heard:
    """A playback without its device."""

    day: int
    episode_id: int
    coverage: list[int]
    is_offline: bool
    flag: str
    """`held`, `void`, or empty."""
    is_erased: bool
    """Of a device that was erased since then: it may have heard some of this later."""


class _PinnedRebuild(Rebuild):
    """With recordings and ads as they are pinned, and not as they are now."""

    def __init__(self, live: Engine, path: Path, pins: Pins) -> None:
        self._pins = pins
        super().__init__(live, path, pins.cut, pins.rules)

    def refresh(self, source: Connection) -> None:
        super().refresh(source)
        pins = self._pins
        with self.engine.begin() as target:
            proving.put_durations(target, {number: seconds for number, seconds in pins.seconds.items() if seconds})
            count_as(target, pins.ads)
            proving.copy_campaigns(source, target, pins.billing)
            proving.copy_flags(source, target, pins.days, pins.at, pins.entry)


class StoreThen:
    """A store of its own that stands where the live one stood. Its file is the caller's to delete.

    The archive's lock must be held, so that nothing is rewritten meanwhile.
    """

    def __init__(self, live: Engine, log: EventLog, archive: Archive, pins: Pins, path: Path) -> None:
        self._log, self._archive, self._pins = log, archive, pins
        self._rebuild = _PinnedRebuild(live, path, pins)
        self._erased: list[tuple[int, StoredRecord]] = []
        self._stand_ins: set[bytes] = set()

    def close(self) -> None:
        """Let go of the file."""
        self._rebuild.engine.dispose()

    def fold(self, progress: Progress) -> None:
        """Fold all up to the position. Raises MissingRecordsError when some of it is in neither log nor archive."""
        ends = self._pins.position
        firsts = {partition: self._first(partition, end) for partition, end in ends.items() if end}
        for partition, first in firsts.items():
            self._look_behind(partition, first)
        whole = sum(ends.values())
        done = sum(firsts.values())
        for partition, first in sorted(firsts.items()):
            for page in records_between(self._log, self._archive, partition, first, ends[partition], strict=True):
                first = page[-1].offset + 1  # noqa: PLW2901 - how far this partition is
                self._rebuild.fold(partition, [record for record in page if self._may_matter(record)])
                done += len(page)
                progress(done, whole)
            if first < ends[partition]:
                raise MissingRecordsError(
                    f"Partition {partition} was counted up to offset {ends[partition]}, but log and archive end at "
                    f"{first}."
                )

    def _first(self, partition: int, end: int) -> int:
        page = next(records_between(self._log, self._archive, partition, 0, end), None)
        if page is None:
            raise MissingRecordsError(f"No record of partition {partition} is in log or archive.")
        first = page[0].offset
        oldest = received_day(page[0])
        cut = self._pins.cut
        # Events may be up to ten minutes ahead, so a day's first ones may have come the day before.
        if first and (cut is None or day_from_number(cut[0] - 1) <= oldest):
            raise MissingRecordsError(
                f"The records before offset {first} of partition {partition} are in neither log nor archive; what is "
                f"kept begins on {oldest}, and records from {day_from_number((cut or self._pins.numbers)[0] - 1)} on "
                "are needed."
            )
        return first

    def _may_matter(self, record: StoredRecord) -> bool:
        cut = self._pins.cut
        return cut is None or day_number(received_day(record)) >= cut[0] - 1

    def _look_behind(self, partition: int, first: int) -> None:
        """Find what came later and tells of before: events that were replayed, and devices that were erased."""
        end = self._pins.position[partition]
        for page in records_between(self._log, self._archive, partition, first, self._log.end(partition)):
            self._rebuild.note_replays(page)
            for record in page:
                if record.offset >= end and not record.key and (kept := _try_kept(record)) is not None:
                    self._erased.append((partition, record))
                    self._stand_ins |= {row[1] for row in kept.playbacks}

    def add_erased(self) -> int:
        """Count what stays of devices that were erased since the position; how many playbacks that is at most.

        What these heard before and after the position cannot be told apart any more.
        """
        for partition, record in self._erased:
            self._rebuild.fold(partition, [record])
        return len(self._stand_ins)

    def counts(self) -> dict[CountKey, DayCount]:
        """Counted, held and void of every day that has any; settled is left at 0."""
        first, last = self._pins.days
        numbers = range(self._pins.numbers[0], self._pins.numbers[1] + 1)
        with self._rebuild.engine.begin() as connection:
            proving.clear_held_days(connection)
            held_days.recount_days(connection, numbers)
            found = [
                count
                for chunk in chunks(sorted(self._pins.seconds))
                for count in payable.list_day_counts(connection, Scope(first=first, last=last, episodes=chunk))
            ]
        return {(count.episode_id, count.campaign_id, count.day): count for count in found}

    def heard(self, day: date, episodes: Sequence[int]) -> Iterator[Heard]:
        """The playbacks of these episodes on a day."""
        number = day_number(day)
        with read_only(self._rebuild.engine).connect() as connection:
            verdicts = held_days.verdicts(holds.list_flags(connection, number)[0])
            for episode_id, device, packed, is_offline in proving.list_heard(connection, episodes, number):
                state = verdicts.get((number, device, episode_id), ("",))[0]
                yield Heard(
                    number,
                    episode_id,
                    unpack_coverage(packed),
                    is_offline,
                    {"open": "held", "void": "void"}.get(state, ""),
                    device in self._stand_ins,
                )


def _try_kept(record: StoredRecord) -> Kept | None:
    if record.is_damaged:
        return None
    try:
        found: Any = unpack(record.payload)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return found if isinstance(found, Kept) else None
