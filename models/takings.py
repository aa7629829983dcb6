"""What a close would pay of all that is counted now: the one reading that the close itself and every view share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlmodel import Session

from models.advertising import Advertiser, Campaign
from models.payouts import RatePlan
from models.queries import payable, plans, statements
from models.queries.payable import LISTENS, PaidEpisode, Scope
from models.statements import (
    DayCount,
    Plan,
    Plans,
    Taken,
    Terms,
    take_impressions,
    take_listens,
)
from models.tables import Show

Owed = tuple[int, str]
"""A creator and a currency: what a statement is for."""


@dataclass(frozen=True, slots=True)
class Takings:
    """What becomes of each open day, and what is known of the episodes, plans and campaigns that it is about."""

    days: list[Taken]
    episodes: dict[int, PaidEpisode]
    plans: Plans
    plan_rows: list[tuple[RatePlan, Show]]
    campaigns: dict[int, tuple[Campaign, Advertiser]]
    settled: dict[int, dict[date, int]] = field(default_factory=dict)
    """Campaign -> day -> impressions settled before, over all episodes."""

    def plan_of(self, count: DayCount) -> Plan | None:
        """The rate plan of a day."""
        return self.plans.on(self.episodes[count.episode_id].show_id, count.day)

    def owed(self, count: DayCount) -> Owed | None:
        """Whose statement a day belongs to; None without a plan."""
        plan = self.plan_of(count)
        if plan is None:
            return None
        return self.episodes[count.episode_id].owner_id, self.currency_of(count, plan)

    def currency_of(self, count: DayCount, plan: Plan) -> str:
        """Of the plan for listens, of the campaign for ads."""
        return self.campaigns[count.campaign_id][0].currency if count.campaign_id else plan.currency


def terms_of(campaign: Campaign) -> Terms:
    """A campaign's price and limits."""
    return Terms(campaign.price_cents, campaign.budget_cents, campaign.impression_cap, campaign.daily_cap)


def take(session: Session, scope: Scope, is_wanted: Callable[[Owed], bool] = lambda _: True) -> Takings:
    """Work out what a close would pay of the open days in scope.

    Days of a statement that is not wanted are left out, and take no room of a campaign's budget: they wait.
    """
    counts = payable.list_day_counts(session.connection(), scope, is_open_only=True)
    mine = {count.episode_id for count in counts}
    counts += _rivals(session, scope, counts)
    found = _know(session, counts)
    wanted: dict[int, list[DayCount]] = {}
    days: list[Taken] = []
    for count in counts:
        owed = found.owed(count)
        if owed is None:
            days.append(Taken(count, unplanned=count.change))
        elif is_wanted(owed):
            wanted.setdefault(count.campaign_id, []).append(count)
    days += take_listens(wanted.pop(LISTENS, []))
    for campaign_id, of_campaign in sorted(wanted.items()):
        terms = terms_of(found.campaigns[campaign_id][0])
        days += take_impressions(terms, of_campaign, found.settled[campaign_id])
    days = [taken for taken in days if taken.count.episode_id in mine]
    return Takings(days, found.episodes, found.plans, found.plan_rows, found.campaigns, found.settled)


def _rivals(session: Session, scope: Scope, counts: Iterable[DayCount]) -> list[DayCount]:
    """Days of other creators' episodes that share a campaign's budget with those in scope."""
    if scope.creator_id is None:
        return []
    campaigns = sorted({count.campaign_id for count in counts} - {LISTENS})
    if not campaigns:
        return []
    known = {(count.episode_id, count.campaign_id, count.day) for count in counts}
    everywhere = Scope(first=scope.first, last=scope.last, campaigns=campaigns)
    found = payable.list_day_counts(session.connection(), everywhere, is_open_only=True)
    return [count for count in found if (count.episode_id, count.campaign_id, count.day) not in known]


def _know(session: Session, counts: Iterable[DayCount]) -> Takings:
    """Episodes, plans and campaigns of these counts."""
    connection = session.connection()
    counts = list(counts)
    episodes = payable.list_paid_episodes(connection, {count.episode_id for count in counts})
    rows = plans.list_plans_of_owners(session, {episode.owner_id for episode in episodes.values()})
    campaigns = statements.list_campaigns(session, {count.campaign_id for count in counts} - {LISTENS})
    settled = payable.list_settled_days(connection, sorted(campaigns))
    return Takings([], episodes, Plans(plans.to_plan(row) for row, _ in rows), rows, campaigns, settled)
