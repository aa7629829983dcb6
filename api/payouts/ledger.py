"""What is booked when a statement changes its state. Double entry: debits above zero, credits below, and no rest."""

from datetime import datetime

from sqlmodel import Session

from models.payouts import LedgerTransaction, LineKind, Statement
from models.queries import ledger, statements
from models.queries.ledger import Booking
from models.tables import User

LISTENS, AD_MARGIN, BANK = "listens", "ad_margin", "bank"
"""Accounts: what listens cost the house; what it keeps of ad revenue; where money goes out."""
APPROVED, PAID, REVERSED = "approved", "paid", "reversed"


def creator_account(creator: User) -> str:
    """What is owed to a creator: approved and not paid."""
    return f"creator:{creator.uuid}"


def book_approval(session: Session, statement: Statement, creator: User, user: User, now: datetime) -> None:
    """Listens and advertisers pay; the creator is owed the total, and the house keeps the rest of the ads."""
    lines = statements.list_lines(session, statement.id or 0)
    listens = sum(line.amount_cents for line in lines if line.kind == LineKind.LISTENS)
    gross = statements.list_gross(session, statement.id or 0)
    amounts = {LISTENS: listens, creator_account(creator): -statement.total_cents}
    amounts |= {f"advertiser:{advertiser}": cents for advertiser, cents in gross.items()}
    amounts[AD_MARGIN] = -sum(amounts.values())
    _book(session, statement, APPROVED, f"Statement {statement.month:%Y-%m} approved", amounts, user, now)


def book_payment(session: Session, statement: Statement, creator: User, user: User, now: datetime) -> None:
    """What was owed, with what is brought forward, has left the bank: one booking for one transfer."""
    cents = statement.total_cents + statement.brought_forward_cents
    description = f"Statement {statement.month:%Y-%m} paid, {statement.paid_reference}"
    _book(session, statement, PAID, description, {creator_account(creator): cents, BANK: -cents}, user, now)


def book_reversal(session: Session, statement: Statement, user: User, now: datetime) -> None:
    """Undo every booking of the statement that stands, by its opposite."""
    for booking in ledger.list_standing(session, statement.id or 0):
        _reverse(session, statement, booking, user, now)


def _reverse(session: Session, statement: Statement, booking: Booking, user: User, now: datetime) -> None:
    amounts: dict[str, int] = {}
    for entry in booking.entries:
        amounts[entry.account] = amounts.get(entry.account, 0) - entry.amount_cents
    description = f"Reversal: {booking.transaction.description}"
    _book(session, statement, REVERSED, description, amounts, user, now, booking.transaction.id)


def _book(
    session: Session,
    statement: Statement,
    kind: str,
    description: str,
    amounts: dict[str, int],
    user: User,
    now: datetime,
    reverses_id: int | None = None,
) -> None:
    if not any(amounts.values()):
        return  # a statement that only tells what is held moves no money
    transaction = LedgerTransaction(
        at=now,
        kind=kind,
        statement_id=statement.id or 0,
        revision=statement.revision,
        reverses_id=reverses_id,
        description=description,
        booked_by=user.id,
    )
    ledger.append_booking(session, transaction, statement.currency, amounts)
