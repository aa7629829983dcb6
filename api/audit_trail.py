"""The audit trail: who did what to money, when, and why. Written in the transaction of the deed, and never changed."""

import json
from typing import Any
from uuid import UUID

from sqlmodel import Session

from api import clock
from models.payouts import AuditEntry
from models.queries import audit_trail
from models.tables import User


def append(
    session: Session, user: User | None, action: str, subject: str, subject_uuid: UUID, detail: dict[str, Any]
) -> None:
    """Add an entry to the caller's transaction. No user: the command line, or Earshot itself.

    `action` is as `statement.approved`. `detail` says what changed, from what to what, and the reason; it is kept for
    ever, so no secrets. Days, instants and ids in it become text.
    """
    audit_trail.append_audit_entry(
        session,
        AuditEntry(
            at=clock.now(),
            user_id=user.id if user else None,
            action=action,
            subject=subject,
            subject_uuid=subject_uuid,
            detail=json.dumps(detail, sort_keys=True, default=str, ensure_ascii=False),
        ),
    )
