"""Closing months, statements and their steps, rate plans, over HTTP. Admins write; creators read what is theirs."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from api.deps import PublisherDep, ReadSessionDep, SessionDep, require
from api.errors import ForbiddenError, InvalidError, NotFoundError, TooLargeError, UnauthenticatedError, documented
from api.idempotency import MoneyRoute
from api.payouts import close, plans, schemas, statements, views
from api.payouts.statements import Found, OwnDraftError, OwnMoneyError, StaleError
from models.payouts import StatementState
from models.queries import plans as plan_rows
from models.queries import statements as rows
from models.tables import Role, User

router = APIRouter(
    prefix="/v1",
    tags=["payouts"],
    route_class=MoneyRoute,
    responses=documented(UnauthenticatedError, ForbiddenError, TooLargeError, InvalidError),
)
AdminDep = Annotated[User, Depends(require(Role.ADMIN))]
StatementId = Annotated[UUID, Path(description="The statement's id.")]
ShowId = Annotated[UUID, Path(description="The show's id.")]
missing = documented(NotFoundError)
steps = documented(NotFoundError, StaleError)


# -- rate plans -----------------------------------------------------------------------------------------------------


@router.post("/shows/{show_id}/rate-plans", status_code=201, responses=documented(NotFoundError, plans.PlanDayError))
def add_plan(show_id: ShowId, body: schemas.NewPlan, user: AdminDep, session: SessionDep) -> schemas.PlanOut:
    """Pay the show's creator by this plan from its day on. Plans are never changed, only succeeded."""
    plan = plans.add_plan(session, user, show_id, body.model_dump())
    return views.plan_out(plan, plans.get_show(session, user, show_id))


@router.get("/shows/{show_id}/rate-plans", responses=missing)
def list_plans(show_id: ShowId, user: PublisherDep, session: ReadSessionDep) -> schemas.PlanList:
    """A show's rate plans, for its creator and for admins."""
    show = plans.get_show(session, user, show_id)
    return schemas.PlanList(items=[views.plan_out(row, show) for row in plan_rows.list_plans(session, show.id or 0)])


# -- statements -----------------------------------------------------------------------------------------------------


@router.post("/payouts/close", responses=documented(close.MonthNotOverError))
def close_month(body: schemas.Closing, user: AdminDep, session: SessionDep) -> schemas.ClosedOut:
    """Draft a statement for each creator and currency of a month that is over. What stands already is not changed."""
    closed = close.close(session, close.parse_month(body.month), user)
    creators = rows.list_users(session, [row.creator_id for row in closed.statements])
    standing = [(row, creators[row.creator_id]) for row in closed.statements]
    return schemas.ClosedOut(
        month=body.month, made=len(closed.made), items=views.statements_out(session, user, standing)
    )


@router.get("/statements")
def list_statements(
    user: PublisherDep,
    session: ReadSessionDep,
    state: Annotated[StatementState | None, Query(description="Only those in this state.")] = None,
    month: Annotated[str | None, Query(description="Only those of this month, YYYY-MM.")] = None,
    creator: Annotated[UUID | None, Query(description="Only those of this user; for admins.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Items in one page.")] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000, description="Items before this page.")] = 0,
) -> schemas.StatementList:
    """Your statements; for an admin everybody's."""
    whose = creator if user.role == Role.ADMIN else user.uuid
    first = close.parse_month(month) if month else None
    found = rows.list_statements(session, creator=whose, state=state, month=first, limit=limit, offset=offset)
    total = rows.count_statements(session, creator=whose, state=state, month=first)
    return schemas.StatementList(items=views.statements_out(session, user, found), total=total)


@router.get("/statements/{statement_id}", responses=missing)
def read_statement(statement_id: StatementId, user: PublisherDep, session: ReadSessionDep) -> schemas.StatementDetail:
    """One statement with its lines."""
    found = statements.get_statement(session, user, statement_id)
    return views.detail_out(session, user, found.statement, found.creator)


@router.post("/statements/{statement_id}/approve", responses=steps | documented(OwnDraftError))
def approve(
    statement_id: StatementId, body: schemas.Decision, user: AdminDep, session: SessionDep
) -> schemas.StatementOut:
    """The amounts are right: book them. By an admin who neither drafted it nor is paid by it."""
    return _out(session, user, statements.approve(session, user, statement_id, body.revision))


@router.post("/statements/{statement_id}/hold", responses=steps)
def hold(
    statement_id: StatementId, body: schemas.Stopping, user: AdminDep, session: SessionDep
) -> schemas.StatementOut:
    """Stop a draft, or an approved statement, with a reason."""
    found = statements.hold(session, user, statement_id, body.revision, body.reason, is_bank_refused=body.bank_refused)
    return _out(session, user, found)


@router.post("/statements/{statement_id}/release", responses=steps | documented(OwnMoneyError))
def release(
    statement_id: StatementId, body: schemas.Reasoned, user: AdminDep, session: SessionDep
) -> schemas.StatementOut:
    """Put a held statement back to where it was."""
    return _out(session, user, statements.release(session, user, statement_id, body.revision, body.reason))


@router.post("/statements/{statement_id}/void", responses=steps)
def void(
    statement_id: StatementId, body: schemas.Stopping, user: AdminDep, session: SessionDep
) -> schemas.StatementOut:
    """Reverse what was booked and free what was settled: the next close of the month drafts another one."""
    found = statements.void(session, user, statement_id, body.revision, body.reason, is_bank_refused=body.bank_refused)
    return _out(session, user, found)


@router.post("/statements/{statement_id}/pay", responses=steps | documented(OwnMoneyError))
def pay(statement_id: StatementId, body: schemas.Payment, user: AdminDep, session: SessionDep) -> schemas.StatementOut:
    """The money has left the bank; with it, what the statement brings forward."""
    return _out(session, user, statements.pay(session, user, statement_id, body.revision, body.reference))


def _out(session: SessionDep, user: User, found: Found) -> schemas.StatementOut:
    return views.statements_out(session, user, [(found.statement, found.creator)])[0]
