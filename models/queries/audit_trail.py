"""Who did what to money. Rows are only ever added."""

from uuid import UUID

from sqlmodel import Session, col, select

from models.payouts import AuditEntry
from models.tables import User


def append_audit_entry(session: Session, entry: AuditEntry) -> None:
    """Add an entry."""
    session.add(entry)


def list_audit_entries(
    session: Session, *, subject: str | None, subject_uuid: UUID | None, before: int | None, limit: int
) -> list[tuple[AuditEntry, User | None]]:
    """Entries with who made them, the last one first; `before` is the number of the last one seen."""
    statement = select(AuditEntry, User).join(User, col(User.id) == AuditEntry.user_id, isouter=True)
    if subject is not None:
        statement = statement.where(AuditEntry.subject == subject)
    if subject_uuid is not None:
        statement = statement.where(AuditEntry.subject_uuid == subject_uuid)
    if before is not None:
        statement = statement.where(col(AuditEntry.id) < before)
    rows = session.exec(statement.order_by(col(AuditEntry.id).desc()).limit(limit))
    return [(entry, user) for entry, user in rows]
