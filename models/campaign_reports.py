"""A campaign's report, reach and frequency, as an admin reads them, or guarded, as its advertiser does.

Guarded answers all begin with the campaign: of two spans that begin apart more could be worked out than is told.
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlmodel import Session

from models import reach
from models.advertising import Campaign
from models.periods import Period
from models.planning import NEARLY_EXACT, Point, count_up
from models.privacy_cells import Cell, running, tell_count, tell_counted, tell_steps, whole
from models.queries import reach as reach_queries
from models.queries import reports as queries
from models.queries.reports import NONE, Counts
from models.reach import exactly
from models.spending import get_spending

FREQUENCIES = (1, 2, 3, 4, 5)
"""Confirmed impressions of a device; the last stands for five and more."""
SPLITS = ("app", "device", "country")

Told = int | None
"""A count, None where it is hidden."""


class ToldCounts(NamedTuple):
    """As `Counts`, of what may be told."""

    delivered: Told
    started: Told
    heard_25: Told
    heard_50: Told
    heard_75: Told
    heard_100: Told
    confirmed: Told
    offline_confirmed: Told


class ToldDay(NamedTuple):
    """One UTC day."""

    day: date
    delivered: Told
    confirmed: Told
    offline_confirmed: Told


class ToldEpisode(NamedTuple):
    """One episode."""

    uuid: UUID
    title: str
    show_uuid: UUID
    show_title: str
    counts: ToldCounts


class Report(NamedTuple):
    """Impressions of a span of days."""

    totals: ToldCounts
    days: list[ToldDay]
    episodes: list[ToldEpisode]
    splits: dict[str, list[tuple[str, int]]]
    """`app`, `device`, `country` -> value (empty: unknown) and delivered impressions; hidden ones are left out."""
    spend_cents: int
    """What the impressions come to within caps and budget, holds left out; guarded, of whole fifties."""


class Frequency(NamedTuple):
    """Devices by how many confirmed impressions they had, over the whole campaign."""

    reach: Cell
    devices: dict[int, Told]
    """By `FREQUENCIES`."""
    average: float | None
    """Confirmed impressions for each device reached."""


def report_of(session: Session, campaign: Campaign, period: Period, *, is_guarded: bool) -> Report:
    """What a campaign brought in these days."""
    campaign_id = campaign.id or 0
    days = queries.list_days(session, campaign_id, period)
    episodes = queries.list_episodes(session, campaign_id, period)
    told = [ToldEpisode(*row[:-1], counts=_tell(row.counts, is_guarded=is_guarded)) for row in episodes]
    return Report(
        totals=_tell(_total(days.values()), is_guarded=is_guarded),
        days=_tell_days(days, period, is_guarded=is_guarded),
        episodes=[row for row in told if any(row.counts)],
        splits={kind: _split(session, campaign_id, period, kind, is_guarded=is_guarded) for kind in SPLITS},
        spend_cents=_spend(session, campaign, period, is_guarded=is_guarded),
    )


def _total(counts: Iterable[Counts]) -> Counts:
    return Counts(*map(sum, zip(NONE, *counts, strict=True)))


def _tell(counts: Counts, *, is_guarded: bool) -> ToldCounts:
    return ToldCounts(*(tell_count(number, is_guarded=is_guarded) for number in counts))


def _tell_days(days: dict[date, Counts], period: Period, *, is_guarded: bool) -> list[ToldDay]:
    if not days:
        return []
    # What a day adds to sums that begin with the campaign, so that days tell no more than the sums do.
    listed = list(Period(min(days), min(period.last, max(days))).each_day())
    columns = [
        tell_steps(running(getattr(days.get(day, NONE), name) for day in listed), is_guarded=is_guarded)
        for name in ToldDay._fields[1:]
    ]
    return [ToldDay(day, *numbers) for day, *numbers in zip(listed, *columns, strict=True)]


def _split(session: Session, campaign_id: int, period: Period, kind: str, *, is_guarded: bool) -> list[tuple[str, int]]:
    found = queries.list_split(session, campaign_id, period, kind)
    told = [(value, tell_count(number, is_guarded=is_guarded)) for value, number in found]
    return [(value, number) for value, number in told if number is not None]


def _spend(session: Session, campaign: Campaign, period: Period, *, is_guarded: bool) -> int:
    spending = get_spending(session, campaign)
    number = sum(count for day, count in spending.by_day.items() if period.first <= day <= period.last)
    return spending.terms.charge(whole(number) if is_guarded else number)


def reach_of(session: Session, campaign: Campaign, period: Period, *, is_guarded: bool) -> list[Point]:
    """Devices reached from the period's first day to the end of each day: exact when nobody was reached before it."""
    campaign_id = campaign.id or 0
    first_days = {
        day: sum(found.values()) for day, found in reach_queries.list_first_days(session, campaign_id).items()
    }
    if is_guarded or all(day >= period.first for day in first_days):
        sums = running(first_days.get(day, 0) for day in period.each_day())
        numbers = [exactly(number) for number in sums]
    else:
        numbers = _estimated(session, campaign_id, period)
    cells = [tell_counted(number, is_guarded=is_guarded) for number in numbers]
    return [Point(day, cell) for day, cell in zip(period.each_day(), cells, strict=True)]


def _estimated(session: Session, campaign_id: int, period: Period) -> list[reach.Number]:
    numbers = reach.curve(reach_queries.list_campaign_days(session, campaign_id, period, "hll"))
    if numbers[-1].value <= NEARLY_EXACT:
        return count_up(reach_queries.list_campaign_days(session, campaign_id, period, "theta"))
    return numbers


def frequency_of(session: Session, campaign: Campaign, *, is_guarded: bool) -> Frequency:
    """Over all days of the campaign; exact."""
    devices = dict.fromkeys(FREQUENCIES, 0)
    for found in reach_queries.list_first_days(session, campaign.id or 0).values():
        for frequency, number in found.items():
            devices[frequency] += number
    total = sum(devices.values())
    days = queries.list_days(session, campaign.id or 0, Period(date.min, date.max))
    confirmed = tell_count(_total(days.values()).confirmed, is_guarded=is_guarded)
    told = tell_counted(exactly(total), is_guarded=is_guarded)
    return Frequency(
        told,
        {frequency: tell_count(number, is_guarded=is_guarded) for frequency, number in devices.items()},
        round(confirmed / told.value, 2) if confirmed and told.value else None,
    )
