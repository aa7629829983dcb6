"""What campaigns have counted and settled, and when they were told to be exhausted."""

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, CursorResult, cast, func, or_, select, text, update
from sqlmodel import Session, col

from models.advertising import Campaign, Placement, PlacementDay
from models.payouts import SettledDay, StatementLine
from models.privacy_cells import LEAST
from models.queries.statements import lock_money
from models.tables import Episode


class DayImpressions(NamedTuple):
    """A campaign's impressions of one UTC day."""

    day: date
    delivered: int
    confirmed: int
    offline_confirmed: int


def lock_terms(connection: Connection, wait_seconds: int) -> None:
    """Keep closes and changes of other campaigns waiting; take it before a campaign's row, as a close does. Raises
    OperationalError when this lock, or a later one of the transaction, is not to be had in so many seconds."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{wait_seconds}s'"))
    lock_money(connection)


def _placements(campaign_id: int) -> Any:
    return select(col(Placement.id)).where(col(Placement.campaign_id) == campaign_id)


def list_day_impressions(session: Session, campaign_id: int) -> list[DayImpressions]:
    """A campaign's impressions for each day that has any, in order."""
    names = ("delivered", "confirmed", "offline_confirmed")
    statement = (
        select(col(PlacementDay.day), *(cast(func.sum(getattr(PlacementDay, name)), BigInteger) for name in names))
        .where(col(PlacementDay.placement_id).in_(_placements(campaign_id)))
        .group_by(col(PlacementDay.day))
        .order_by(col(PlacementDay.day))
    )
    return [DayImpressions(*row) for row in session.execute(statement)]


def list_episodes_of_campaign(session: Session, campaign_id: int) -> list[int]:
    """All episodes, deleted ones too, of the shows that a campaign was ever placed in: it has impressions nowhere
    else."""
    shows = select(col(Placement.show_id)).where(col(Placement.campaign_id) == campaign_id)
    return list(session.execute(select(col(Episode.id)).where(col(Episode.show_id).in_(shows))).scalars())


def has_settled(session: Session, campaign_id: int) -> bool:
    """Whether any statement ever settled something of the campaign, void ones too: those were shown to somebody."""
    statement = select(col(StatementLine.id)).where(col(StatementLine.campaign_id) == campaign_id)
    settled = select(col(SettledDay.statement_id)).where(col(SettledDay.campaign_id) == campaign_id)
    return any(session.execute(each.limit(1)).first() is not None for each in (statement, settled))


# -- exhausted campaigns ---------------------------------------------------------------------------------------------


def list_nearly_spent(session: Session, since: date) -> list[Campaign]:
    """Campaigns that ran on that day or later, are not yet told to be exhausted, and counted nearly as much as they can
    pay for, or more."""
    counted = (
        select(
            col(Placement.campaign_id).label("campaign_id"),
            func.sum(PlacementDay.delivered).label("delivered"),
            func.sum(PlacementDay.confirmed).label("confirmed"),
        )
        .join(PlacementDay, col(PlacementDay.placement_id) == col(Placement.id))
        .join(Campaign, col(Campaign.id) == col(Placement.campaign_id))
        .where(col(Campaign.exhausted_at).is_(None), col(Campaign.to_day) >= since)
        .group_by(col(Placement.campaign_id))
        .subquery()
    )
    most = func.greatest if session.get_bind().dialect.name == "postgresql" else func.max
    impressions = most(counted.c.delivered, counted.c.confirmed)
    statement = (
        select(Campaign)
        .join(counted, counted.c.campaign_id == col(Campaign.id))
        .where(
            or_(
                (impressions + LEAST) * col(Campaign.price_cents) > col(Campaign.budget_cents) * 1000,
                impressions >= col(Campaign.impression_cap),
            )
        )
        .order_by(col(Campaign.id))
    )
    return list(session.execute(statement).scalars())


def put_exhausted(session: Session, campaign_id: int, now: datetime) -> bool:
    """Note that a campaign is exhausted; False when another process was faster."""
    statement = update(Campaign).where(col(Campaign.id) == campaign_id, col(Campaign.exhausted_at).is_(None))
    done = session.execute(statement.values(exhausted_at=now))
    return isinstance(done, CursorResult) and done.rowcount > 0
