"""Rate plans: what a show's creator is paid from a day on. Only succeeded, never changed: what is settled stays."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from api import audit_trail, clock
from api.errors import ConflictError, NotFoundError
from models.payouts import RatePlan
from models.queries import catalogue, plans, statements
from models.statements import next_month
from models.tables import Role, Show, User


class PlanDayError(ConflictError):
    """A plan cannot begin on this day any more, or the show has one from that day."""

    code = "plan_day"


def get_show(session: Session, user: User, show_id: UUID) -> Show:
    """A show whose plans this user may see. Raises NotFoundError."""
    show = catalogue.get_show(session, show_id, None if user.role == Role.ADMIN else user.id)
    if show is None:
        raise NotFoundError("There is no such show, or it is not yours.")
    return show


def add_plan(session: Session, user: User, show_id: UUID, fields: dict[str, Any]) -> RatePlan:
    """Pay the show's creator by this plan from its day on. Raises PlanDayError."""
    show = get_show(session, user, show_id)
    # A close that is under way has read the plans already; its month is closed when we look.
    statements.lock_money(session.connection())
    plan = RatePlan(show_id=show.id or 0, created_by=user.id or 0, created_at=clock.now(), **fields)
    _refuse_day(session, plan)
    try:
        with session.begin_nested():
            plans.append_plan(session, plan)
    except IntegrityError as error:
        raise _taken(plan.from_day) from error
    detail = {name: fields[name] for name in sorted(fields)} | {"show": show.uuid}
    audit_trail.append(session, user, "rate_plan.created", "rate_plan", plan.uuid, detail)
    return plan


def _refuse_day(session: Session, plan: RatePlan) -> None:
    known = plans.list_plans(session, plan.show_id)
    if any(row.from_day == plan.from_day for row in known):
        raise _taken(plan.from_day)
    if not any(row.from_day < plan.from_day for row in known):
        # Before the show's first plan nothing of it was ever paid, however long ago those months were closed.
        return
    if plan.from_day < (free := _first_free_day(session, plan.show_id)):
        raise PlanDayError(
            f"A statement has settled days after {plan.from_day} with the show's present plan, and what was settled "
            f"keeps its price. The next plan can begin on {free}, or later."
        )


def _first_free_day(session: Session, show_id: int) -> date:
    """After the last month that was closed, and after the last day of the show that was settled."""
    month = plans.get_last_closed_month(session)
    settled = plans.get_last_settled_day(session, show_id)
    ends = [next_month(month)] if month else []
    ends += [settled + timedelta(days=1)] if settled else []
    return max(ends, default=date.min)


def _taken(day: date) -> PlanDayError:
    return PlanDayError(f"The show has a plan from {day} on already. Plans are not changed; choose another day.")
