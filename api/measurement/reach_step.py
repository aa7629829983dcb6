"""Keeps the sketches of reach: adds the devices that a step counted, and makes cells anew where some were taken back.

A month's cell is always the union of its days'. Sketches only grow; so what is taken back is worked out from playbacks.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date

from sqlalchemy import Connection

from api.measurement.fold import Fold
from models import reach
from models.bulk import BulkTable, Row
from models.columns import day_from_number, day_number
from models.coverage import heard_seconds, is_listen, unpack_coverage
from models.impressions import Confirmed
from models.queries import reach_cells as store
from models.queries.reach_cells import CAMPAIGN_REACH, SHOW_REACH

Items = Mapping[Row, Collection[int]]
"""Owner (show, or campaign and show) and day number -> what goes into the sketches."""


def write_reach(connection: Connection, fold: Fold, confirmed: Iterable[Confirmed]) -> None:
    """Add the devices whose playback became a listen, and those with an impression that became confirmed."""
    listened: dict[Row, set[int]] = defaultdict(set)
    for show_id, day, device in fold.listened:
        listened[show_id, day].add(reach.item_of(device))
    heard: dict[Row, set[int]] = defaultdict(set)
    for campaign_id, show_id, day, device in confirmed:
        heard[campaign_id, show_id, day].add(reach.item_of(device))
    _add(connection, SHOW_REACH, listened)
    _add(connection, CAMPAIGN_REACH, heard)


def _add(connection: Connection, table: BulkTable, items: Items) -> None:
    new: dict[Row, set[int]] = defaultdict(set)
    for (*owner, day), of_day in items.items():
        for key in (*owner, False, day), (*owner, True, first_of_month(day)):
            new[key].update(of_day)
    if not new:
        return
    cells = store.lock_cells(connection, table, list(new))
    grown = ((key, reach.add(cell, new[key])) for key, cell in cells.items())
    # Most devices of a busy day change nothing in its sketches.
    store.put_cells(connection, table, [(key, cell) for key, cell in grown if cell != cells[key]])


def first_of_month(day: int) -> int:
    """Day number of the first of its month."""
    return day_number(day_from_number(day).replace(day=1))


def days_of_month(first: int) -> range:
    """Day numbers of the month that begins on that day."""
    begin = day_from_number(first)
    end = date(begin.year + begin.month // 12, begin.month % 12 + 1, 1)
    return range(first, day_number(end))


# -- what was taken back -------------------------------------------------------------------------------------------


def redo_shows(connection: Connection, days: Mapping[int, Collection[int]]) -> None:
    """Make the cells of these days (day -> shows) and of their months anew, from playbacks."""
    keys = [(show_id, False, day) for day, shows in days.items() for show_id in shows]
    # Locked before playbacks are read: who folds meanwhile adds to what is written here, not to what was before.
    _lock_with_months(connection, SHOW_REACH, keys)
    for day, shows in sorted(days.items()):
        found: dict[int, set[int]] = defaultdict(set)
        for show_id, device, coverage, seconds in store.list_heard_of_shows(connection, shows, day):
            if is_listen(heard_seconds(unpack_coverage(coverage), seconds), seconds):
                found[show_id].add(reach.item_of(device))
        cells = [((show_id, False, day), reach.add(reach.NOTHING, found[show_id])) for show_id in shows]
        store.put_cells(connection, SHOW_REACH, cells)
    _unite(connection, SHOW_REACH, _months(keys))


def redo_campaign(
    connection: Connection, campaign_id: int, cells: Collection[tuple[int, int]], found: Iterable[Confirmed]
) -> None:
    """Make a campaign's cells (show, day), and those of their months, anew from its confirmed impressions; `found` has
    those of these days, and is read once the cells are locked."""
    keys = [(campaign_id, show_id, False, day) for show_id, day in cells]
    _lock_with_months(connection, CAMPAIGN_REACH, keys)
    items: dict[Row, set[int]] = defaultdict(set)
    for _, show_id, day, device in found:
        items[campaign_id, show_id, False, day].add(reach.item_of(device))
    store.put_cells(connection, CAMPAIGN_REACH, [(key, reach.add(reach.NOTHING, items[key])) for key in keys])
    _unite(connection, CAMPAIGN_REACH, _months(keys))


def redo_months(connection: Connection, table: BulkTable, first: int, last: int) -> None:
    """Make the months of these days anew from the cells of their days."""
    begin, end = first_of_month(first), days_of_month(first_of_month(last))[-1]
    months = _months((*owner, False, day) for *owner, day in store.list_owner_days(connection, table, begin, end))
    store.lock_cells(connection, table, sorted(months))
    _unite(connection, table, months)


def _lock_with_months(connection: Connection, table: BulkTable, keys: Iterable[Row]) -> None:
    listed = list(keys)
    store.lock_cells(connection, table, sorted({*listed, *_months(listed)}))


def _unite(connection: Connection, table: BulkTable, months: Iterable[Row]) -> None:
    """Write months: the union of all their days."""
    for key in sorted(months):
        owner, first = key[:-2], key[-1]
        of_days = store.list_days_of_month(connection, table, owner, days_of_month(first))
        store.put_cells(connection, table, [(key, reach.merge(of_days))])


def _months(keys: Iterable[Row]) -> set[Row]:
    return {(*owner, True, first_of_month(day)) for *owner, _, day in keys}
