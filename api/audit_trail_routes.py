"""The audit trail over HTTP, for admins."""

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from api.deps import ReadSessionDep, require
from api.errors import ForbiddenError, InvalidError, UnauthenticatedError, documented
from models.payouts import AuditEntry
from models.queries import audit_trail
from models.tables import Role, User

router = APIRouter(
    prefix="/v1", tags=["payouts"], responses=documented(UnauthenticatedError, ForbiddenError, InvalidError)
)

AdminDep = Annotated[User, Depends(require(Role.ADMIN))]


class AuditEntryOut(BaseModel):
    """What somebody did."""

    number: int
    """Counts up; entries are never changed or taken away."""
    at: datetime
    by: str | None
    """E-mail address; null for the command line and for Earshot itself."""
    action: str
    subject: str
    subject_id: UUID
    detail: dict[str, Any]


class AuditTrail(BaseModel):
    """Entries, the last one first."""

    items: list[AuditEntryOut]
    next_before: int | None
    """Ask with `before` for the entries that follow; null when there are none."""


@router.get("/audit-trail")
def read_audit_trail(
    _user: AdminDep,
    session: ReadSessionDep,
    subject: Annotated[str | None, Query(max_length=64, description="As `statement`.")] = None,
    subject_id: Annotated[UUID | None, Query(description="Its id.")] = None,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Entries older than this number.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Entries in one page.")] = 100,
) -> AuditTrail:
    """Who did what to money: approvals, payments, holds, changes of campaigns, plans, payees and webhooks."""
    rows = audit_trail.list_audit_entries(
        session, subject=subject, subject_uuid=subject_id, before=before, limit=limit + 1
    )
    items = [_entry_out(entry, user) for entry, user in rows[:limit]]
    return AuditTrail(items=items, next_before=items[-1].number if len(rows) > limit else None)


def _entry_out(entry: AuditEntry, user: User | None) -> AuditEntryOut:
    return AuditEntryOut(
        number=entry.id or 0,
        at=entry.at,
        by=user.email if user else None,
        action=entry.action,
        subject=entry.subject,
        subject_id=entry.subject_uuid,
        detail=json.loads(entry.detail),
    )
