"""What a campaign has spent as things are: settled by statements, and what the next close would bill of the rest.

The rule is that of payouts, and so is the code: first settled, first served; then day by day up to the daily cap, all
of them together up to what budget and cap allow. Impressions that are held back are not spent.
"""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from sqlmodel import Session

from models.advertising import Campaign
from models.bulk import MAX_KEYS
from models.privacy_cells import LEAST, running, whole
from models.queries import payable, spending
from models.statements import Terms, take_impressions


class Heard(NamedTuple):
    """The next fifty above what is billed or to be billed.

    Made of nothing but the sums that its advertiser is told in whole fifties: a number rounded up would tell, beside
    the one rounded down, whether the first device has heard an ad.
    """

    total: int
    of_day: int
    """Of the day with the most."""


@dataclass(frozen=True, slots=True)
class Spending:
    """A campaign's bill as things are."""

    terms: Terms
    by_day: dict[date, int]
    """Impressions billed or to be billed, of each day with any impression, in order."""
    held: int
    """Kept back by holds, or refused for good."""
    unbilled: int
    """Beyond budget and caps."""
    settled: dict[date, int]
    """Of `by_day`, in statements."""

    @property
    def impressions(self) -> int:
        """Over all days."""
        return sum(self.by_day.values())

    @property
    def cents(self) -> int:
        """What the advertiser is charged for them."""
        return self.terms.charge(self.impressions)

    @property
    def heard(self) -> "Heard":
        """What limits may not fall below."""
        sums = [0, *(whole(number) for number in running(self.by_day.values()))]
        of_day = max((after - before for before, after in pairwise(sums)), default=0)
        return Heard(sums[-1] + LEAST, of_day + LEAST)

    @property
    def is_exhausted(self) -> bool:
        """Whether fewer than fifty more impressions can be paid.

        Not "not one more": by changing a budget, an advertiser could otherwise find out each single impression.
        """
        return self.impressions >= whole(self.terms.most_impressions)


def terms_of(campaign: Campaign) -> Terms:
    """A campaign's price and limits."""
    return Terms(campaign.price_cents, campaign.budget_cents, campaign.impression_cap, campaign.daily_cap)


def get_spending(session: Session, campaign: Campaign) -> Spending:
    """Work out a campaign's bill."""
    connection, campaign_id, terms = session.connection(), campaign.id or 0, terms_of(campaign)
    # Naming the episodes saves reading what was settled of all others.
    episodes = spending.list_episodes_of_campaign(session, campaign_id)
    scope = payable.Scope(campaigns=[campaign_id], episodes=episodes if len(episodes) <= MAX_KEYS else None)
    counts = payable.list_day_counts(connection, scope) if episodes else []
    settled = dict.fromkeys(sorted({count.day for count in counts}), 0)
    for count in counts:
        settled[count.day] += count.settled
    taken = take_impressions(terms, counts, settled)
    by_day = dict(settled)
    for each in taken:
        by_day[each.count.day] += each.quantity
    held = sum(count.held + count.void for count in counts)
    return Spending(terms, by_day, held, sum(each.unbilled for each in taken), settled)
