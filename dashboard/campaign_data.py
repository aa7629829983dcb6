"""What advertisers' pages ask of the store about campaigns and their money. The sums are those of the API."""

from datetime import date, datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

import pandas as pd
import streamlit as st

from dashboard import campaign_report, clock, data, pace, positions, store
from dashboard.campaign_report import Report
from dashboard.data import CACHE_SECONDS
from dashboard.pace import Pace
from models import campaign_reports
from models.advertising import Advertiser, Campaign, Creative
from models.periods import Period
from models.queries import campaigns as campaign_queries
from models.queries import placements as placement_queries
from models.queries.impressions import get_counting_progress
from models.queries.placements import Placed
from models.spending import Spending, get_spending
from models.tables import Episode, Role, Show, User

MAX_CAMPAIGNS = 200
MAX_ADVERTISERS = 500
MAX_SHOWS = 500
EPISODES = 50
"""Of a show, the newest, that a form offers."""


class Money(NamedTuple):
    """A campaign's money as it stands."""

    state: str
    """`upcoming`, `running`, `exhausted` or `ended`."""
    impressions: int
    """Those that are paid for, so far."""
    held: int
    """Impressions that holds keep back, or that are refused for good."""
    unbilled: int
    """Impressions beyond budget and caps."""
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
    found = [_campaign_row(user, campaign, advertiser) for campaign, advertiser in rows]
    order = ("running", "upcoming", "exhausted", "ended")
    return pd.DataFrame(sorted(found, key=lambda row: order.index(row["state"])))


def money(campaign: Campaign, user: User) -> Money:
    """What a campaign has spent of its budget, and how fast."""
    bill, today = _bill(key(campaign), campaign.updated_at, campaign), clock.today()
    state = pace.state_of(campaign, bill, today)
    if is_guarded(user):
        bill = pace.guarded(bill)
    return Money(
        state=state,
        impressions=bill.impressions,
        held=bill.held,
        unbilled=bill.unbilled,
        pace=pace.pace_of(campaign, bill, today),
        curve=pace.curve(campaign, bill.by_day),
    )


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def _bill(campaign_id: int, updated_at: datetime, _campaign: Campaign) -> Spending:
    with store.read() as session:
        return get_spending(session, _campaign)


def _campaign_row(user: User, campaign: Campaign, advertiser: Advertiser) -> dict[str, Any]:
    spent = money(campaign, user)
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
        "impressions": None if is_guarded(user) and not spent.impressions else spent.impressions,
    }


def is_guarded(user: User) -> bool:
    """Whether this user's numbers are told so that nobody can be found in them."""
    return user.role != Role.ADMIN


def report(campaign: Campaign, user: User) -> Report:
    """What a campaign brought, as far as this user may know."""
    return _report(key(campaign), campaign.updated_at, is_guarded(user), campaign)


@st.cache_data(ttl=CACHE_SECONDS, max_entries=200, show_spinner=False)
def _report(campaign_id: int, updated_at: datetime, is_guarded: bool, _campaign: Campaign) -> Report:
    # All of its days: of two spans that begin apart more could be worked out than may be told.
    first, last = _campaign.from_day, _campaign.to_day
    period = Period(first, min(last, max(first, clock.today())))
    with store.read() as session:
        found = campaign_reports.report_of(session, _campaign, period, is_guarded=is_guarded)
        points = campaign_reports.reach_of(session, _campaign, period, is_guarded=is_guarded)
        frequency = campaign_reports.frequency_of(session, _campaign, is_guarded=is_guarded)
    return campaign_report.build(
        found, points, frequency, confirm_percent=_campaign.confirm_percent, is_guarded=is_guarded
    )


def creatives(campaign: Campaign) -> list[Creative]:
    """A campaign's creatives, in the order they were made."""
    with store.read() as session:
        return campaign_queries.list_creatives(session, key(campaign))


def placements(campaign: Campaign) -> pd.DataFrame:
    """A campaign's placements, removed ones too, in the order they were made."""
    with store.read() as session:
        placed = placement_queries.list_placements(session, key(campaign))
        progress = [get_counting_progress(session.connection(), cast("int", row.placement.id)) for row in placed]
    rows = [_placement_row(row, not of_row.is_done) for row, of_row in zip(placed, progress, strict=True)]
    columns = (
        "uuid",
        "show",
        "where",
        "start_ms",
        "end_ms",
        "from_day",
        "days",
        "creative",
        "state",
        "is_removed",
        "said",
    )
    return pd.DataFrame(rows, columns=list(columns))


def _placement_row(row: Placed, is_waiting: bool) -> dict[str, Any]:
    placement, removed = row.placement, row.placement.removed_at
    return {
        "uuid": placement.uuid,
        "show": row.show.title,
        "where": _place(row),
        "start_ms": placement.start_ms,
        "end_ms": placement.end_ms,
        "from_day": placement.from_day,
        "days": _days(placement.from_day, placement.to_day),
        "creative": row.creative.name if row.creative is not None else "",
        "state": _state(removed, is_waiting, placement.is_counted_back),
        "is_removed": removed is not None,
        "said": f"{row.show.title}: {_place(row)}, {positions.span(placement.start_ms, placement.end_ms)}",
    }


def _place(row: Placed) -> str:
    return row.episode.title if row.episode is not None else "All new episodes"


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
