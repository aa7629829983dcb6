"""How a campaign spends its budget against spending it evenly. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

import pandas as pd

from dashboard import formats, positions
from models import privacy_cells
from models.advertising import Campaign
from models.spending import Spending, terms_of

NEAR = 0.1
"""Within so much of the even pace a campaign is on pace."""


class Pace(NamedTuple):
    """Where a campaign is."""

    spent_cents: int
    even_cents: int
    """What spending evenly would have come to by the end of yesterday."""
    days_left: int
    """Today is one of them."""


def state_of(campaign: Campaign, bill: Spending, today: date) -> str:
    """`upcoming`, `running`, `exhausted` or `ended`."""
    if bill.is_exhausted:
        return "exhausted"
    if today < campaign.from_day:
        return "upcoming"
    return "ended" if today > campaign.to_day else "running"


def pace_of(campaign: Campaign, bill: Spending, today: date) -> Pace:
    """From the bill as things are."""
    total = (campaign.to_day - campaign.from_day).days + 1
    over = min(max((today - campaign.from_day).days, 0), total)
    return Pace(bill.cents, campaign.budget_cents * over // total, total - over)


def guarded(bill: Spending) -> Spending:
    """The same in steps of so many impressions that nobody can be found in them, as all that an advertiser sees."""
    sums = privacy_cells.running(bill.by_day.values())
    steps = privacy_cells.tell_steps(sums, is_guarded=True)
    return replace(bill, by_day={day: step or 0 for day, step in zip(bill.by_day, steps, strict=True)})


def words(pace: Pace, state: str) -> str:
    """`On pace`, `23 % behind`, `12 % ahead`; nothing for what does not run."""
    if state != "running":
        return formats.DASH
    if not pace.even_cents:
        return "First day"
    ratio = pace.spent_cents / pace.even_cents
    if abs(ratio - 1) <= NEAR:
        return "On pace"
    return f"{(1 - ratio) * 100:.0f} % behind" if ratio < 1 else f"{min(ratio - 1, 9.99) * 100:.0f} % ahead"


def days_left(campaign: Campaign, pace: Pace, state: str, today: date) -> str:
    """How long it still runs."""
    if state == "upcoming":
        return f"begins in {_days((campaign.from_day - today).days)}"
    if not pace.days_left:
        return "its days are over"
    return f"{_days(pace.days_left)} left"


def curve(campaign: Campaign, billed: Mapping[date, int]) -> pd.DataFrame:
    """For each of the campaign's days: what was spent by its end, and the even pace, in cents."""
    total = (campaign.to_day - campaign.from_day).days + 1
    terms, impressions, rows = terms_of(campaign), 0, []
    for place in range(total):
        day = campaign.from_day + timedelta(days=place)
        impressions += billed.get(day, 0)
        rows.append((day, terms.charge(impressions), campaign.budget_cents * (place + 1) / total))
    return pd.DataFrame(rows, columns=["day", "spent", "even"])


def about(campaign: Campaign) -> str:
    """Its days."""
    return positions.days(campaign.from_day, campaign.to_day)


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"
