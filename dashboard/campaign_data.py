"""What advertisers' pages ask of the store about campaigns and their money. The sums are those of the API."""

from datetime import date, datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

import pandas as pd
import streamlit as st

from dashboard import clock, data, pace, positions, store
from dashboard.data import CACHE_SECONDS
from dashboard.pace import Pace
from models.advertising import Advertiser, Billing, Campaign, Creative
from models.queries import campaigns as campaign_queries
from models.queries import placements as placement_queries
from models.queries import spending as spending_queries
from models.queries.placements import Placed
from models.spending import DayCounts, bill, terms_of
from models.tables import Episode, Show, User

MAX_CAMPAIGNS = 200
MAX_ADVERTISERS = 500
MAX_SHOWS = 500
EPISODES = 50
"""Of a show, the newest, that a form offers."""


class Spending(NamedTuple):
    """A campaign's money as it stands."""

    state: str
    """`upcoming`, `running`, `exhausted` or `ended`."""
    impressions: int
    """Of the kind that it pays for."""
    pace: Pace
    curve: pd.DataFrame
    """Each day of the campaign: spent by its end, and the even pace, in cents."""


class ShowToBuy(NamedTuple):
    """A show that an ad can stand in, with its newest public episodes."""

    uuid: UUID
    id: int
    title: str
    episodes: list[Episode]


def key(row: Campaign | Advertiser | Creative) -> int:
    """The small key of a stored row."""
    return cast("int", row.id)


def advertisers(user: User) -> list[Advertiser]:
    """Those whose campaigns this user may see; asked each time, since a membership may end between two runs."""
    with store.read() as session:
        return campaign_queries.list_advertisers(session, data.owner_id(user), limit=MAX_ADVERTISERS, offset=0)


def campaign(user: User, uuid: str) -> tuple[Campaign, Advertiser] | None:
    """One of the user's campaigns, by the id in a page's address; None for anything else."""
    try:
        wanted = UUID(uuid)
    except ValueError:
        return None
    with store.read() as session:
        return campaign_queries.get_campaign(session, wanted, data.owner_id(user))


def campaigns(user: User) -> pd.DataFrame:
    """All campaigns that the user may see, with what they have spent: running ones first, then the last made first."""
    with store.read() as session:
        rows = campaign_queries.list_campaigns(session, data.owner_id(user), None, limit=MAX_CAMPAIGNS, offset=0)
    found = [_campaign_row(campaign, advertiser) for campaign, advertiser in rows]
    order = ("running", "upcoming", "exhausted", "ended")
    return pd.DataFrame(sorted(found, key=lambda row: order.index(row["state"])))


def spending(campaign: Campaign) -> Spending:
    """What a campaign has spent of its budget, and how fast."""
    days = _day_counts(key(campaign), campaign)
    today, terms = clock.today(), terms_of(campaign)
    billed = bill(days, campaign.billing, terms)
    state = pace.state_of(campaign, today, sum(billed.values()), terms.most_impressions)
    counted = sum(row.delivered if campaign.billing == Billing.DELIVERED else row.confirmed for row in days)
    return Spending(state, counted, pace.pace_of(campaign, billed, today), pace.curve(campaign, billed))


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def _day_counts(campaign_id: int, _campaign: Campaign) -> list[DayCounts]:
    with store.read() as session:
        return spending_queries.list_day_counts(session, _campaign)


def _campaign_row(campaign: Campaign, advertiser: Advertiser) -> dict[str, Any]:
    spent = spending(campaign)
    return {
        "uuid": campaign.uuid,
        "name": campaign.name,
        "advertiser": advertiser.name,
        "state": spent.state,
        "from_day": campaign.from_day,
        "to_day": campaign.to_day,
        "currency": campaign.currency,
        "budget_cents": campaign.budget_cents,
        "spent_cents": spent.pace.spent_cents,
        "pace": pace.words(spent.pace, spent.state),
        "impressions": spent.impressions,
    }


def creatives(campaign: Campaign) -> list[Creative]:
    """A campaign's creatives, in the order they were made."""
    with store.read() as session:
        return campaign_queries.list_creatives(session, key(campaign))


def placements(campaign: Campaign) -> pd.DataFrame:
    """A campaign's placements, removed ones too, in the order they were made."""
    with store.read() as session:
        placed = placement_queries.list_placements(session, key(campaign))
        ids = [cast("int", row.placement.id) for row in placed]
        uncounted = placement_queries.list_uncounted(session, ids) if ids else set()
    rows = [_placement_row(row, row.placement.id in uncounted) for row in placed]
    columns = ("uuid", "where", "start_ms", "end_ms", "from_day", "days", "creative", "state", "is_removed", "said")
    return pd.DataFrame(rows, columns=list(columns))


def _placement_row(row: Placed, is_waiting: bool) -> dict[str, Any]:
    placement, removed = row.placement, row.placement.removed_at
    where = f"{row.show.title}: {_place(row)}"
    return {
        "uuid": placement.uuid,
        "where": where,
        "start_ms": placement.start_ms,
        "end_ms": placement.end_ms,
        "from_day": placement.from_day,
        "days": _days(placement.from_day, placement.to_day),
        "creative": row.creative.name if row.creative is not None else "",
        "state": _state(removed, is_waiting, placement.is_counted_back),
        "is_removed": removed is not None,
        "said": f"{where}, {positions.span(placement.start_ms, placement.end_ms)}",
    }


def _place(row: Placed) -> str:
    return row.episode.title if row.episode is not None else "every new episode"


def _days(first: date, last: date) -> str:
    return positions.days(first, last) if first <= last else "never"


def _state(removed_at: datetime | None, is_waiting: bool, is_counted_back: bool) -> str:
    parts = [
        "Removed" if removed_at is not None else "Stands",
        "counted back" if is_counted_back else "",
        "being counted" if is_waiting else "",
    ]
    return ", ".join(part for part in parts if part)


@st.cache_data(ttl=CACHE_SECONDS, max_entries=1, show_spinner=False)
def catalogue() -> list[ShowToBuy]:
    """All shows that ads can stand in, with their newest public episodes, as `GET /v1/catalogue` has them."""
    with store.read() as session:
        shows, _ = placement_queries.list_shows_to_buy(session, None, limit=MAX_SHOWS, offset=0)
        ids = [data.key(show) for show in shows]
        episodes = placement_queries.list_episodes_to_buy(session, ids, clock.now(), EPISODES) if ids else []
    return [_to_buy(show, episodes) for show in shows]


def _to_buy(show: Show, episodes: list[Episode]) -> ShowToBuy:
    return ShowToBuy(show.uuid, data.key(show), show.title, [row for row in episodes if row.show_id == show.id])
