"""Reach, overlap and incremental reach of shows for planning a campaign. Guarded, what advertisers may see."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlmodel import Session

from models import reach
from models.periods import Period
from models.privacy_cells import Cell, share_of, tell_sampled
from models.queries import reach as queries
from models.reach import EXACT_UP_TO, Number

NEARLY_EXACT = EXACT_UP_TO * 5 // 4
"""Where an estimate is below this, the number may be small enough to be known exactly."""


class Point(NamedTuple):
    """Reach from a period's first day to the end of this one."""

    day: date
    reach: Cell


class Increments(NamedTuple):
    """What more shows bring to some."""

    before: Cell
    adds: list[Cell]
    """For each of the shows alone, in their order: devices that it has and those before have not."""
    after: Cell
    """With all of them."""


def reach_of(session: Session, shows: Sequence[int], period: Period, *, is_guarded: bool) -> Cell:
    """Different devices with a listen to any of these shows on any of these days."""
    if not is_guarded:
        number = reach.count_hlls(queries.list_hlls(session, shows, period))
        if number.value > NEARLY_EXACT:
            return tell_sampled(number, is_guarded=False)
    thetas = queries.list_thetas(session, shows, period)
    united = reach.unite(_flat(thetas, shows), share_of(is_guarded=is_guarded))
    return tell_sampled(reach.count(united), is_guarded=is_guarded)


def curve_of(session: Session, shows: Sequence[int], period: Period) -> list[Point]:
    """Reach by the end of each day; not for advertisers."""
    numbers = reach.curve(queries.list_hlls_by_day(session, shows, period))
    if numbers[-1].value <= NEARLY_EXACT:
        numbers = count_up(queries.list_thetas_by_day(session, shows, period))
    cells = [tell_sampled(number, is_guarded=False) for number in numbers]
    return [Point(day, cell) for day, cell in zip(period.each_day(), cells, strict=True)]


def curve_by_month(session: Session, shows: Sequence[int], period: Period, *, is_guarded: bool) -> list[Point]:
    """Reach by the end of each month."""
    months = queries.list_thetas_by_month(session, shows, period)
    numbers = count_up([thetas for _, thetas in months], share_of(is_guarded=is_guarded))
    return [
        Point(day, tell_sampled(number, is_guarded=is_guarded))
        for (day, _), number in zip(months, numbers, strict=True)
    ]


def overlap_of(session: Session, shows: Sequence[int], period: Period, *, is_guarded: bool) -> list[list[Cell]]:
    """Devices that each two of these shows have in common, in their order; on the diagonal, what each has."""
    stored = queries.list_thetas(session, shows, period)
    share = share_of(is_guarded=is_guarded)
    matrix = reach.overlap([reach.unite(stored[show_id], share) for show_id in shows])
    return [[tell_sampled(number, is_guarded=is_guarded) for number in row] for row in matrix]


def increments_of(
    session: Session, shows: Sequence[int], more: Sequence[int], period: Period, *, is_guarded: bool
) -> Increments:
    """What each of `more` would add to the reach of `shows`, and all of them together."""
    stored = queries.list_thetas(session, sorted({*shows, *more}), period)
    share = share_of(is_guarded=is_guarded)
    before = reach.unite(_flat(stored, shows), share)
    adds = [reach.only(reach.unite(stored[show_id], share), before) for show_id in more]
    after = reach.unite(_flat(stored, [*shows, *more]), share)

    def told(theta: reach.Theta) -> Cell:
        return tell_sampled(reach.count(theta), is_guarded=is_guarded)

    return Increments(told(before), [told(theta) for theta in adds], told(after))


def count_up(steps: Sequence[Sequence[bytes]], share: float = 1.0) -> list[Number]:
    """How many devices are in any theta sketch of the steps so far, after each step."""
    united = reach.unite((), share)
    numbers = []
    for thetas in steps:
        if thetas:
            united = reach.unite([bytes(united.serialize()), *thetas], share)
        numbers.append(reach.count(united))
    return numbers


def _flat(stored: dict[int, list[bytes]], shows: Sequence[int]) -> list[bytes]:
    return [theta for show_id in shows for theta in stored[show_id]]
