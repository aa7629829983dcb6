"""How a campaign gets on: what is billed day by day, beside an even plan over its days, and where that leads."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from math import ceil
from typing import Literal

from pydantic import BaseModel
from sqlmodel import Session

from models.advertising import Billing, Campaign
from models.periods import Period
from models.privacy_cells import running, tell_steps, whole
from models.queries import spending
from models.queries.spending import DayImpressions
from models.spending import Spending, get_spending

RECENT_DAYS = 7
"""Days before today whose mean is the pace."""
ON_TRACK_SHARE = 0.1
"""Of the plan, by which a campaign may be off and still be on track."""


State = Literal["upcoming", "behind", "on_track", "ahead", "exhausted", "ended"]


class PacingDay(BaseModel):
    """One UTC day of a campaign."""

    day: date
    delivered: int | None
    """Null: too few to tell; they come with a later day."""
    confirmed: int | None
    offline_confirmed: int | None
    billable: int | None
    """Impressions that are, or would be, billed."""
    planned: int
    """Up to and with this day, on an even plan."""
    billable_so_far: int
    """The same of what is billable."""


class Pacing(BaseModel):
    """How a campaign gets on."""

    state: State
    billing: Billing
    currency: str
    from_day: date
    to_day: date
    planned_impressions: int
    """What budget and cap allow in all, which the plan spreads evenly over the campaign's days."""
    planned_so_far: int
    """Up to yesterday."""
    billable_so_far: int
    """Up to yesterday. Days can still get more: what is heard offline comes late."""
    billable: int
    """With today."""
    held: int
    """Kept back by fraud rules, or refused; not billable."""
    unbilled: int
    """Beyond budget and caps: they cost nothing."""
    settled: int
    """Of the billable ones, in statements."""
    spent_cents: int
    """What the billable ones cost; never above the budget."""
    budget_cents: int
    budget_share: float
    """Spent, of the budget."""
    pace: float
    """Billable impressions a day, the mean of the last seven days before today."""
    projected_impressions: int
    """At the end, if the pace stays."""
    projected_end: date | None
    """When budget or cap will be used up at this pace; null: not within the campaign."""
    will_exhaust: bool
    exhausted_at: datetime | None
    days: list[PacingDay]
    """From the campaign's first day to today, or its last day."""


def get_pacing(session: Session, campaign: Campaign, today: date, *, is_guarded: bool) -> Pacing:
    """A campaign's pacing as of today; guarded, as its advertiser may see it: docs/reach.md."""
    spent = get_spending(session, campaign)

    def tell(number: int) -> int:
        return whole(number) if is_guarded else number

    def until(day: date) -> int:
        return tell(sum(number for on, number in spent.by_day.items() if on <= day))

    most, yesterday = spent.terms.most_impressions, today - timedelta(days=1)
    billable = tell(spent.impressions)
    pace, left = _pace(campaign, until, today), _days_left(campaign, today)
    projected = max(billable, min(most, round(until(yesterday) + pace * left)) if left else 0)
    planned = planned_until(campaign, most, yesterday)
    return Pacing(
        state=_state(campaign, planned, until(yesterday), today, is_exhausted=spent.is_exhausted),
        billing=Billing(campaign.billing),
        currency=campaign.currency,
        from_day=campaign.from_day,
        to_day=campaign.to_day,
        planned_impressions=most,
        planned_so_far=planned,
        billable_so_far=until(yesterday),
        billable=billable,
        held=tell(spent.held),
        # Not the rest rounded: where it begins is what the budget says, and a budget can be set to anything.
        unbilled=tell(spent.impressions + spent.unbilled) - billable,
        settled=tell(sum(spent.settled.values())),
        spent_cents=spent.terms.charge(billable),
        budget_cents=campaign.budget_cents,
        budget_share=round(spent.terms.charge(billable) / campaign.budget_cents, 4),
        pace=round(pace, 2),
        projected_impressions=projected,
        projected_end=_projected_end(campaign, spent, pace, most - until(yesterday), today),
        will_exhaust=spent.is_exhausted or projected >= most,
        exhausted_at=campaign.exhausted_at,
        days=_days(session, campaign, spent, today, is_guarded=is_guarded),
    )


def planned_until(campaign: Campaign, most: int, day: date) -> int:
    """What an even plan has reached at the end of a day, in whole impressions."""
    length = (campaign.to_day - campaign.from_day).days + 1
    done = min(max((day - campaign.from_day).days + 1, 0), length)
    return most * done // length


def _days(session: Session, campaign: Campaign, spent: Spending, today: date, *, is_guarded: bool) -> list[PacingDay]:
    last = min(today, campaign.to_day)
    if last < campaign.from_day:
        return []
    days = list(Period(campaign.from_day, last).each_day())
    counted = {row.day: row for row in spending.list_day_impressions(session, campaign.id or 0)}
    rows = [counted.get(day, DayImpressions(day, 0, 0, 0)) for day in days]
    billable = running(spent.by_day.get(day, 0) for day in days)
    columns = [running(getattr(row, name) for row in rows) for name in DayImpressions._fields[1:]]
    # What a day adds to sums that begin with the campaign, so that days tell no more than the sums do.
    delivered, confirmed, offline, of_day = (tell_steps(sums, is_guarded=is_guarded) for sums in (*columns, billable))
    return [
        PacingDay(
            day=day,
            delivered=delivered[place],
            confirmed=confirmed[place],
            offline_confirmed=offline[place],
            billable=of_day[place],
            planned=planned_until(campaign, spent.terms.most_impressions, day),
            billable_so_far=whole(billable[place]) if is_guarded else billable[place],
        )
        for place, day in enumerate(days)
    ]


def _pace(campaign: Campaign, until: Callable[[date], int], today: date) -> float:
    first = max(campaign.from_day, today - timedelta(days=RECENT_DAYS))
    days = (today - first).days
    if days < 1:
        return 0.0
    return (until(today - timedelta(days=1)) - until(first - timedelta(days=1))) / days


def _days_left(campaign: Campaign, today: date) -> int:
    """With today, which is not over."""
    return max(0, (campaign.to_day - max(today, campaign.from_day)).days + 1)


def _state(campaign: Campaign, planned: int, done: int, today: date, *, is_exhausted: bool) -> State:
    if is_exhausted:
        return "exhausted"
    if today > campaign.to_day:
        return "ended"
    if today < campaign.from_day:
        return "upcoming"
    if abs(done - planned) <= planned * ON_TRACK_SHARE:
        return "on_track"
    return "behind" if done < planned else "ahead"


def _projected_end(campaign: Campaign, spent: Spending, pace: float, missing: int, today: date) -> date | None:
    if spent.is_exhausted:
        return campaign.exhausted_at.date() if campaign.exhausted_at else min(today, campaign.to_day)
    left = _days_left(campaign, today)
    if not left or pace * left < missing:
        return None
    return max(today, campaign.from_day) + timedelta(days=max(0, ceil(missing / pace) - 1))
