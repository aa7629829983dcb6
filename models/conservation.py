"""Received = counted + duplicate + set aside: each day's sum, beside what other tables say of the same events. Pure.

`pipeline_day` has one row per outcome, so that its rows add up to what was received is so by construction. Worth
checking is that they are true: `arrival_day` knows the events counted, and `set_aside` holds those set aside.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from models.periods import Period
from models.queries.pipeline import DayCount, Outcome

COUNTED, DUPLICATE = "counted", "duplicate"
HIT = "hit"
"""The kind of audio requests, which are counted by other rules and kept elsewhere."""
ERASED = "erased"
"""A cause whose events are told in numbers only: their device asked to be forgotten."""


@dataclass(slots=True)
class DayBalance:
    """What came in on one UTC day and what became of it, audio requests left out."""

    received_day: date
    counted: int = 0
    duplicate: int = 0
    set_aside: dict[str, int] = field(default_factory=dict)
    """Cause -> events."""
    arrived: int = 0
    """Counted events according to the rollup of arrivals."""
    kept: int = 0
    """Events set aside that are there to be looked at."""
    is_lessened: bool = False
    """Devices were erased, and what was set aside of them is gone: fewer may be kept than were set aside."""

    @property
    def aside(self) -> int:
        """Events set aside, all causes."""
        return sum(self.set_aside.values())

    @property
    def received(self) -> int:
        """All of it."""
        return self.counted + self.duplicate + self.aside

    @property
    def keepable(self) -> int:
        """Events set aside that must be kept."""
        return self.aside - self.set_aside.get(ERASED, 0)

    @property
    def is_true(self) -> bool:
        """Whether the other tables say the same."""
        return self.is_counted_true and self.is_aside_true

    @property
    def is_counted_true(self) -> bool:
        """Whether the rollup of arrivals has as many counted events."""
        return self.counted == self.arrived

    @property
    def is_aside_true(self) -> bool:
        """Whether what was set aside is there."""
        return self.kept == self.keepable or (self.is_lessened and self.kept < self.keepable)


def balance(
    outcomes: Iterable[Outcome],
    arrived: Iterable[DayCount],
    kept: Iterable[DayCount],
    period: Period,
    *,
    today: date,
    are_erased: bool,
) -> list[DayBalance]:
    """Every day of the period up to `today`, in order, and later ones on which something came in. `are_erased`: whether
    any device ever was."""
    days = {day: DayBalance(day) for day in period.each_day() if day <= today}
    for outcome in outcomes:
        if outcome.kind != HIT:
            _take(days.setdefault(outcome.received_day, DayBalance(outcome.received_day)), outcome)
    for day, events in arrived:
        days.setdefault(day, DayBalance(day)).arrived += events
    for day, events in kept:
        days.setdefault(day, DayBalance(day)).kept += events
    for balance_of_day in days.values():
        balance_of_day.is_lessened = are_erased
    return [days[day] for day in sorted(days)]


def _take(day: DayBalance, outcome: Outcome) -> None:
    if outcome.outcome == COUNTED:
        day.counted += outcome.events
    elif outcome.outcome == DUPLICATE:
        day.duplicate += outcome.events
    else:
        day.set_aside[outcome.outcome] = day.set_aside.get(outcome.outcome, 0) + outcome.events


def causes_of(totals: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Cause -> events set aside with it, most first, out of sums by (kind, outcome)."""
    causes: dict[str, int] = defaultdict(int)
    for (kind, outcome), events in totals.items():
        if kind != HIT and outcome not in {COUNTED, DUPLICATE}:
            causes[outcome] += events
    return dict(sorted(causes.items(), key=lambda item: (-item[1], item[0])))


def missing_events(stretches: Iterable[tuple[int, int, str, str]]) -> int:
    """How many events a device's log lacks, from the stretches of `device_log.missing`."""
    return sum(last - first + 1 for first, last, _, _ in stretches)
