"""Payment orders that were made, their files, and the statements in them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlmodel import Session, col, func, select

from models.payouts import PayoutBatch, PayoutExport, PayoutFile, Statement
from models.tables import User


class Exported(NamedTuple):
    """A statement in a payment order, and whose it is."""

    export: PayoutExport
    statement: Statement
    creator: User


def append_batch(
    session: Session, batch: PayoutBatch, files: Mapping[str, bytes], statements: Iterable[tuple[Statement, int]]
) -> None:
    """Add a payment order with its files, format -> content, and its statements with what is paid, in cents."""
    session.add(batch)
    session.flush()
    number = batch.id or 0
    session.add_all([PayoutFile(batch_id=number, format=name, content=content) for name, content in files.items()])
    session.add_all(
        [
            PayoutExport(batch_id=number, statement_id=row.id or 0, revision=row.revision, cents=cents)
            for row, cents in statements
        ]
    )
    session.flush()


def list_batches(session: Session, *, limit: int, offset: int = 0) -> list[tuple[PayoutBatch, User]]:
    """Payment orders with who made them, the last one first."""
    statement = select(PayoutBatch, User).join(User, col(User.id) == col(PayoutBatch.made_by))
    return list(session.exec(statement.order_by(col(PayoutBatch.id).desc()).limit(limit).offset(offset)))


def count_batches(session: Session) -> int:
    """How many payment orders there are."""
    return session.exec(select(func.count()).select_from(PayoutBatch)).one()


def list_exported(session: Session, batches: Sequence[int]) -> dict[int, list[Exported]]:
    """Payment order -> its statements, released ones too."""
    statement = (
        select(PayoutExport, Statement, User)
        .join(Statement, col(Statement.id) == col(PayoutExport.statement_id))
        .join(User, col(User.id) == col(Statement.creator_id))
        .where(col(PayoutExport.batch_id).in_(batches))
        .order_by(col(Statement.month), col(User.email), col(Statement.id))
    )
    found: dict[int, list[Exported]] = {number: [] for number in batches}
    for row in session.exec(statement):
        found[row[0].batch_id].append(Exported(*row))
    return found


def list_formats(session: Session, batches: Sequence[int]) -> dict[int, list[str]]:
    """Payment order -> the formats of its files."""
    statement = select(PayoutFile.batch_id, PayoutFile.format).where(col(PayoutFile.batch_id).in_(batches))
    found: dict[int, list[str]] = {number: [] for number in batches}
    for number, name in session.exec(statement.order_by(col(PayoutFile.batch_id), col(PayoutFile.format))):
        found[number].append(name)
    return found


def get_file(session: Session, uuid: UUID, name: str) -> tuple[PayoutBatch, bytes | None] | None:
    """A payment order with its file of this format, if it has one."""
    statement = (
        select(PayoutBatch, PayoutFile.content)
        .join(
            PayoutFile,
            (col(PayoutFile.batch_id) == col(PayoutBatch.id)) & (col(PayoutFile.format) == name),
            isouter=True,
        )
        .where(PayoutBatch.uuid == uuid)
    )
    found = session.exec(statement).first()
    return (found[0], found[1]) if found else None


def get_standing(session: Session, statement_id: int) -> tuple[PayoutExport, PayoutBatch] | None:
    """The payment order that a statement is in, unless the bank refused it."""
    statement = (
        select(PayoutExport, PayoutBatch)
        .join(PayoutBatch, col(PayoutBatch.id) == col(PayoutExport.batch_id))
        .where(PayoutExport.statement_id == statement_id, col(PayoutExport.released_at).is_(None))
    )
    return session.exec(statement).first()


def release(session: Session, export: PayoutExport, user_id: int | None, at: datetime, reason: str) -> None:
    """Note that the bank refused a payment: the statement may go into another order."""
    export.released_at, export.released_by, export.released_reason = at, user_id, reason
    session.add(export)
    session.flush()
