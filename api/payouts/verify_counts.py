"""A statement's days against what log and archive say of them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from models.statements import DayCount, Inputs, LineKey, Plans, line_key, plans_of

CountKey = tuple[int, int, date]
"""episode, campaign (0: listens), day."""
NOTHING = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Recounted:
    """What log and archive come to at a statement's position."""

    without: Mapping[CountKey, DayCount]
    """Without what is left of devices that were erased since."""
    everything: Mapping[CountKey, DayCount]
    """With it: the most that can have been."""
    days_ended: frozenset[date] = frozenset()
    """Days of which holds were taken back since; what these had flagged is not known any more."""


@dataclass(frozen=True, slots=True)
class DayDifference:
    """A day of which the statement says otherwise."""

    key: CountKey
    pinned: tuple[int, int, int] | None
    """Counted, held, void; None: the statement does not have the day."""
    found: tuple[int, int, int]

    @property
    def text(self) -> str:
        """For people."""
        episode, campaign, day = self.key
        what = f"{day}, episode {episode}" + (f", campaign {campaign}" if campaign else ", listens")
        said = "nothing" if self.pinned is None else _said(self.pinned)
        return f"{what}: stated {said}; recomputed {_said(self.found)}."


@dataclass(slots=True)
class Recount:
    """A statement's counts, recomputed."""

    inputs: Inputs
    """As pinned, with what was recomputed in the place of what differs."""
    wrong: list[DayDifference] = field(default_factory=list)
    erased: int = 0
    """Counted that rest on devices erased since."""
    ended: int = 0
    """Held that rest on holds taken back since."""


def _said(numbers: tuple[int, int, int]) -> str:
    counted, held, void = numbers
    return f"{counted:,} counted, {held:,} held, {void:,} void"


def recount_inputs(inputs: Inputs, found: Recounted) -> Recount:
    """Every day of the inputs, and every day of their lines that they lack."""
    rows: list[list[Any]] = []
    recount = Recount(inputs)
    seen: set[CountKey] = set()
    for row in inputs["counts"]:
        key = row[0], row[1], date.fromisoformat(row[2])
        seen.add(key)
        rows.append(_judge(recount, key, row, found))
    for key in sorted(_missing(inputs, found, seen)):
        numbers = _numbers(found.without[key])
        recount.wrong.append(DayDifference(key, None, numbers))
        rows.append(_row(key, numbers, settled=0, unbilled=0))
    recount.inputs = inputs | {"counts": rows}
    return recount


def _judge(recount: Recount, key: CountKey, row: list[Any], found: Recounted) -> list[Any]:
    """A day's row as it should be. The numbers of one that is within what can be proved stay as they are pinned."""
    pinned = row[3], row[4], row[5]
    least, most = _numbers(found.without.get(key)), _numbers(found.everything.get(key))
    is_ended = key[2] in found.days_ended and pinned[1] > most[1] and pinned[1] + pinned[2] <= pinned[0]
    if is_ended:
        recount.ended += pinned[1] - most[1]
        most = most[0], pinned[1], most[2]
    if all(low <= said <= high for low, said, high in zip(least, pinned, most, strict=True)):
        recount.erased += pinned[0] - least[0]
        return _row(key, pinned, settled=row[6], unbilled=row[9])
    recount.wrong.append(DayDifference(key, pinned, least))
    return _row(key, least, settled=row[6], unbilled=row[9])


def _numbers(count: DayCount | None) -> tuple[int, int, int]:
    return NOTHING if count is None else (count.counted, count.held, count.void)


def _row(key: CountKey, numbers: tuple[int, int, int], *, settled: int, unbilled: int) -> list[Any]:
    """What is payable and not settled is paid, but for what budget or caps kept back."""
    counted, held, void = numbers
    payable = counted - held - void
    return [key[0], key[1], str(key[2]), counted, held, void, settled, payable, payable - settled - unbilled, unbilled]


def _missing(inputs: Inputs, found: Recounted, seen: set[CountKey]) -> set[CountKey]:
    """Days with something counted that belong to a line of the statement, and are not in its inputs."""
    plans = plans_of(inputs)
    shows = {row["id"]: row["show_id"] for row in inputs["episodes"]}
    lines = {_line_of(key, shows, plans) for key in seen}
    return {
        key
        for key, count in found.without.items()
        if key not in seen and count.counted and (line := _line_of(key, shows, plans)) is not None and line in lines
    }


def _line_of(key: CountKey, shows: Mapping[int, int], plans: Plans) -> LineKey | None:
    plan = plans.on(shows[key[0]], key[2])
    return line_key(DayCount(*key, *NOTHING, 0), plan) if plan else None
