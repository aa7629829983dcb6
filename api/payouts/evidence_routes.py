"""What an admin looks at before approving a statement."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from api import clock
from api.deps import ReadSessionDep, require
from api.errors import ForbiddenError, NotFoundError, UnauthenticatedError, documented
from api.payouts import views
from api.payouts.schemas import Month, StatementOut
from api.payouts.statements import get_statement
from models.evidence import Evidence, gather
from models.tables import Role, User

router = APIRouter(prefix="/v1", tags=["payouts"])
AdminDep = Annotated[User, Depends(require(Role.ADMIN))]


class DayOut(BaseModel):
    """Listens of a UTC day."""

    day: date
    listens: int
    late: int = Field(description="Of those, received after the day was over.")


class HitsOut(BaseModel):
    """Requests for audio by what became of them."""

    outcome: str
    hits: int


class FlaggedOut(BaseModel):
    """Listens and billed impressions that a rule keeps back."""

    rule: str
    state: str
    number: int


class ChangeOut(BaseModel):
    """The statement against the creator's one before it, in the same currency."""

    statement_id: UUID
    month: Month
    total_cents: int
    quantity: int
    total_change_share: float | None = Field(description="(now - then) / then; null when then was nothing.")


class PeriodCompletenessOut(BaseModel):
    """How much of a show's month has arrived; the ranges of its days added up."""

    show_id: UUID
    show: str
    listens: int
    expected_listens: int
    low: int
    high: int
    provisional_days: int
    unknown_days: int


class EvidenceOut(BaseModel):
    """What is behind a statement, as things are now."""

    statement: StatementOut
    quantity: int
    days: list[DayOut]
    hits: list[HitsOut]
    flagged: list[FlaggedOut]
    before: ChangeOut | None
    completeness: list[PeriodCompletenessOut]
    as_of: datetime


@router.get(
    "/statements/{statement_id}/evidence",
    responses=documented(UnauthenticatedError, ForbiddenError, NotFoundError),
)
def read_evidence(
    statement_id: Annotated[UUID, Path(description="The statement's id.")], user: AdminDep, session: ReadSessionDep
) -> EvidenceOut:
    """Listens by day with late ones apart, hits by cause, what is held, the change, how complete the month is."""
    found, now = get_statement(session, user, statement_id), clock.now()
    evidence = gather(session, found.statement, now)
    return EvidenceOut(
        statement=views.statements_out(session, user, [(found.statement, found.creator)])[0],
        quantity=evidence.quantity,
        days=[DayOut(**day._asdict()) for day in evidence.days],
        hits=[HitsOut(**outcome._asdict()) for outcome in evidence.outcomes],
        flagged=[FlaggedOut(rule=rule, state=state, number=n) for (rule, state), n in evidence.flagged.items()],
        before=_change(evidence, found.statement.total_cents),
        completeness=_completeness(evidence),
        as_of=now,
    )


def _change(evidence: Evidence, total_cents: int) -> ChangeOut | None:
    before = evidence.before
    if before is None:
        return None
    change = (total_cents - before.total_cents) / before.total_cents if before.total_cents else None
    return ChangeOut(
        statement_id=before.uuid,
        month=f"{before.month:%Y-%m}",
        total_cents=before.total_cents,
        quantity=evidence.quantity_before,
        total_change_share=None if change is None else round(change, 4),
    )


def _completeness(evidence: Evidence) -> list[PeriodCompletenessOut]:
    numbers = ("listens", "expected_listens", "low", "high", "provisional_days", "unknown_days")
    return [
        PeriodCompletenessOut(
            show_id=row.show.uuid, show=row.show.title, **{name: getattr(row, name) for name in numbers}
        )
        for row in evidence.completeness
    ]
