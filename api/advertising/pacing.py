"""How a campaign gets on: what is billed day by day, beside an even plan over its days, and where that leads."""

from datetime import date, datetime, timedelta
from math import ceil
from typing import Literal

from pydantic import BaseModel
from sqlmodel import Session

from models.advertising import Billing, Campaign
from models.periods import Period
from models.queries import spending
from models.queries.spending import DayImpressions
from models.spending import Spending, get_spending

RECENT_DAYS = 7
"""Days before today whose mean is the pace."""
ON_TRACK_SHARE = 0.1
"""Of the plan, by which a campaign may be off and still be on track."""


class PacingDay(BaseModel):
    """One UTC day of a campaign."""

    day: date
    delivered: int
    confirmed: int
    offline_confirmed: int
    billable: int
    """Impressions that are, or would be, billed."""
    planned: int
    """Up to and with this day, on an even plan."""
    billable_so_far: int
    """The same of what is billable."""


class Pacing(BaseModel):
    """How a campaign gets on."""

    state: Literal["upcoming", "behind", "on_track", "ahead", "exhausted", "ended"]
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


def get_pacing(session: Session, campaign: Campaign, today: date) -> Pacing:
    """A campaign's pacing as of today."""
    spent = get_spending(session, campaign)
    counted = {row.day: row for row in spending.list_day_impressions(session, campaign.id or 0)}
    days = _days(campaign, spent, counted, today)
    yesterday = today - timedelta(days=1)
    before_today = sum(number for day, number in spent.by_day.items() if day <= yesterday)
    planned_so_far = planned_until(campaign, spent.terms.most_impressions, yesterday)
    pace = _pace(campaign, spent, today)
    most, left = spent.terms.most_impressions, _days_left(campaign, today)
    projected = min(most, round(before_today + pace * left)) if left else spent.impressions
    projected = max(projected, spent.impressions)
    return Pacing(
        state=_state(campaign, spent, planned_so_far, before_today, today),
        billing=Billing(campaign.billing),
        currency=campaign.currency,
        from_day=campaign.from_day,
        to_day=campaign.to_day,
        planned_impressions=most,
        planned_so_far=planned_so_far,
        billable_so_far=before_today,
        billable=spent.impressions,
        held=spent.held,
        unbilled=spent.unbilled,
        settled=sum(spent.settled.values()),
        spent_cents=spent.cents,
        budget_cents=campaign.budget_cents,
        budget_share=round(spent.cents / campaign.budget_cents, 4),
        pace=round(pace, 2),
        projected_impressions=projected,
        projected_end=_projected_end(campaign, spent, pace, before_today, today),
        will_exhaust=spent.is_exhausted or projected >= most,
        exhausted_at=campaign.exhausted_at,
        days=days,
    )


def planned_until(campaign: Campaign, most: int, day: date) -> int:
    """What an even plan has reached at the end of a day, in whole impressions."""
    length = (campaign.to_day - campaign.from_day).days + 1
    done = min(max((day - campaign.from_day).days + 1, 0), length)
    return most * done // length


def _days(campaign: Campaign, spent: Spending, counted: dict[date, DayImpressions], today: date) -> list[PacingDay]:
    last = min(today, campaign.to_day)
    if last < campaign.from_day:
        return []
    rows, so_far = [], 0
    for day in Period(campaign.from_day, last).each_day():
        row = counted.get(day, DayImpressions(day, 0, 0, 0))
        billable = spent.by_day.get(day, 0)
        so_far += billable
        planned = planned_until(campaign, spent.terms.most_impressions, day)
        rows.append(PacingDay(**row._asdict(), billable=billable, planned=planned, billable_so_far=so_far))
    return rows


def _pace(campaign: Campaign, spent: Spending, today: date) -> float:
    first = max(campaign.from_day, today - timedelta(days=RECENT_DAYS))
    days = (today - first).days
    if days < 1:
        return 0.0
    return sum(number for day, number in spent.by_day.items() if first <= day < today) / days


def _days_left(campaign: Campaign, today: date) -> int:
    """With today, which is not over."""
    return max(0, (campaign.to_day - max(today, campaign.from_day)).days + 1)


def _state(
    campaign: Campaign, spent: Spending, planned: int, before_today: int, today: date
) -> Literal["upcoming", "behind", "on_track", "ahead", "exhausted", "ended"]:
    if spent.is_exhausted:
        return "exhausted"
    if today > campaign.to_day:
        return "ended"
    if today <= campaign.from_day:
        return "upcoming" if today < campaign.from_day else "on_track"
    if abs(before_today - planned) <= planned * ON_TRACK_SHARE:
        return "on_track"
    return "behind" if before_today < planned else "ahead"


def _projected_end(campaign: Campaign, spent: Spending, pace: float, before_today: int, today: date) -> date | None:
    if spent.is_exhausted:
        return max(day for day, number in spent.by_day.items() if number > 0)
    left = _days_left(campaign, today)
    missing = spent.terms.most_impressions - before_today
    if not left or pace * left < missing:
        return None
    return max(today, campaign.from_day) + timedelta(days=max(0, ceil(missing / pace) - 1))
