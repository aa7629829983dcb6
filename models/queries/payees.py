"""Where creators' money goes, and what waits to be paid there."""

from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from models.payouts import Payee, PayoutExport, Statement, StatementState
from models.tables import User


def get_payee(session: Session, user_id: int) -> Payee | None:
    """A user's bank account."""
    return session.exec(select(Payee).where(Payee.user_id == user_id)).first()


def get_payee_by_uuid(session: Session, uuid: UUID) -> tuple[Payee, User] | None:
    """A user's bank account, by the id that the API uses."""
    statement = select(Payee, User).join(User, col(User.id) == Payee.user_id).where(User.uuid == uuid)
    return session.exec(statement).first()


def put_payee(session: Session, payee: Payee) -> None:
    """Set a user's bank account."""
    session.merge(payee)
    session.flush()


def list_payable(session: Session, currency: str, month: date | None) -> list[tuple[Statement, User, Payee | None]]:
    """Approved statements that pay something out in a currency, with their creators and where the money goes.

    Those that are carried over are not among them: the statement that brings them forward is. Nor are those that the
    bank was already told to pay.
    """
    in_batch = select(PayoutExport.statement_id).where(col(PayoutExport.released_at).is_(None))
    statement = (
        select(Statement, User, Payee)
        .join(User, col(User.id) == Statement.creator_id)
        .join(Payee, col(Payee.user_id) == col(User.id), isouter=True)
        .where(
            Statement.state == StatementState.APPROVED,
            Statement.currency == currency,
            col(Statement.is_carried).is_(False),
            col(Statement.carried_into_id).is_(None),
            col(Statement.id).not_in(in_batch),
            col(Statement.total_cents) + col(Statement.brought_forward_cents) > 0,
        )
    )
    if month is not None:
        statement = statement.where(Statement.month == month)
    rows = session.exec(statement.order_by(col(Statement.month), User.email, col(Statement.id)))
    return [(row, user, payee) for row, user, payee in rows]
