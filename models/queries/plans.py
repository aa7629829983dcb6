"""Rate plans: what a show's creator is paid from a day on. Rows are only ever added."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, func, select

from models.bulk import chunks
from models.payouts import RatePlan, SettledDay, Statement, StatementState
from models.statements import Plan
from models.tables import Episode, Show


def append_plan(session: Session, plan: RatePlan) -> None:
    """Add a plan; raises IntegrityError when the show has one from that day."""
    session.add(plan)
    session.flush()


def list_plans(session: Session, show_id: int) -> list[RatePlan]:
    """A show's plans, the last one first."""
    statement = select(RatePlan).where(RatePlan.show_id == show_id)
    return list(session.exec(statement.order_by(col(RatePlan.from_day).desc())))


def list_plans_of_owners(session: Session, owners: Iterable[int]) -> list[tuple[RatePlan, Show]]:
    """All plans of these creators' shows with the shows, in order of show and day."""
    found: list[tuple[RatePlan, Show]] = []
    for chunk in chunks(owners):
        statement = (
            select(RatePlan, Show)
            .join(Show, col(Show.id) == col(RatePlan.show_id))
            .where(col(Show.owner_id).in_(chunk))
            .order_by(col(RatePlan.show_id), col(RatePlan.from_day))
        )
        found += session.exec(statement).all()
    return found


def list_plans_by_id(session: Session, ids: Iterable[int]) -> list[tuple[RatePlan, Show]]:
    """These plans with their shows."""
    found: list[tuple[RatePlan, Show]] = []
    for chunk in chunks(ids):
        statement = select(RatePlan, Show).join(Show, col(Show.id) == col(RatePlan.show_id))
        found += session.exec(statement.where(col(RatePlan.id).in_(chunk))).all()
    return found


def pin(row: RatePlan, show: Show) -> dict[str, Any]:
    """As the inputs of a statement have a plan."""
    plan = to_plan(row)._asdict()
    return plan | {"uuid": str(row.uuid), "show": str(show.uuid), "from_day": str(row.from_day)}


def to_plan(row: RatePlan) -> Plan:
    """As the mathematics takes it."""
    return Plan(
        row.id or 0,
        row.show_id,
        row.from_day,
        row.currency,
        row.listen_price_cents,
        row.ad_share_bp,
        row.minimum_cents,
    )


def get_last_closed_month(session: Session) -> date | None:
    """The first day of the last month with a statement that stands."""
    return session.exec(select(func.max(Statement.month)).where(col(Statement.state) != StatementState.VOID)).one()


def get_last_settled_day(session: Session, show_id: int) -> date | None:
    """The last day of which a statement that stands pays anything for the show."""
    return session.exec(
        select(func.max(SettledDay.day))
        .join(Statement, col(Statement.id) == col(SettledDay.statement_id))
        .join(Episode, col(Episode.id) == col(SettledDay.episode_id))
        .where(Episode.show_id == show_id, col(Statement.state) != StatementState.VOID)
    ).one()


def list_uuids(session: Session, ids: Iterable[int]) -> dict[int, UUID]:
    """The ids that the API uses, by number."""
    statement = select(RatePlan.id, RatePlan.uuid).where(col(RatePlan.id).in_(set(ids)))
    return {number or 0: uuid for number, uuid in session.exec(statement)}
