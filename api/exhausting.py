"""Notices campaigns whose budget or cap is used up, and has that told once.

The worker's housekeeping asks now and then, and payouts after a close; so it lies where both may reach it.
"""

from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlmodel import Session

from api import webhooks
from models.advertising import Campaign
from models.engine import read_only
from models.privacy_cells import whole
from models.queries import campaigns, spending
from models.spending import Spending, get_spending

LATE_DAYS = 180
"""After its last day a campaign can still be used up: by late listening, and by holds that are released."""

_logger = structlog.get_logger(__name__)


def look(engine: Engine, now: datetime) -> int:
    """The same in a transaction of its own, which writers need not wait for when there is nothing to note."""
    with Session(read_only(engine)) as session:
        if not spending.list_nearly_spent(session, _since(now)):
            return 0
    with Session(engine) as session:
        noted = note_exhausted(session, now)
        session.commit()
        return noted


def note_exhausted(session: Session, now: datetime) -> int:
    """Mark the campaigns that are newly exhausted and append an event for each; how many. The caller commits."""
    return sum(note_campaign(session, campaign, now) for campaign in spending.list_nearly_spent(session, _since(now)))


def note_campaign(session: Session, campaign: Campaign, now: datetime) -> bool:
    """The same of one campaign that is not marked yet; whether it is exhausted, and this transaction is to tell."""
    spent = get_spending(session, campaign)
    # Another process may be at it too: whoever sets the mark tells.
    if not spent.is_exhausted or not spending.put_exhausted(session, campaign.id or 0, now):
        return False
    _tell(session, campaign, spent, now)
    return True


def _since(now: datetime) -> date:
    return now.date() - timedelta(days=LATE_DAYS)


def _tell(session: Session, campaign: Campaign, spent: Spending, now: datetime) -> None:
    members = [user.id for _, user in campaigns.list_members(session, [campaign.advertiser_id]) if user.id is not None]
    payload = {
        "campaign": campaign.uuid,
        "name": campaign.name,
        "budget_cents": campaign.budget_cents,
        "currency": campaign.currency,
        # In whole fifties, as its advertiser is told of all numbers of people.
        "impressions": whole(spent.impressions),
        "spent_cents": spent.terms.charge(whole(spent.impressions)),
        "exhausted_at": now,
    }
    # A budget that was raised can be used up once more.
    webhooks.append_event(
        session, webhooks.EventKind.CAMPAIGN_EXHAUSTED, campaign.uuid, now.isoformat(), payload, members
    )
    _logger.info("campaign exhausted", campaign=str(campaign.uuid))
