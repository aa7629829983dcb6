"""The ledger: bookings of two or more entries that sum to zero. Rows are only ever added; triggers refuse the rest."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, cast
from sqlmodel import Session, col, func, select

from models.payouts import LedgerEntry, LedgerTransaction


class Balance(NamedTuple):
    """What an account comes to in a currency: debits less credits."""

    account: str
    currency: str
    amount_cents: int


class Booking(NamedTuple):
    """A transaction with its entries."""

    transaction: LedgerTransaction
    entries: list[LedgerEntry]


class UnbalancedError(ValueError):
    """Entries that do not sum to zero; nothing is booked."""


def append_booking(
    session: Session, transaction: LedgerTransaction, currency: str, amounts: Mapping[str, int]
) -> LedgerTransaction:
    """Book amounts by account; accounts with nothing are left out."""
    if sum(amounts.values()):
        raise UnbalancedError(f"{dict(amounts)} comes to {sum(amounts.values())} and not to zero")
    session.add(transaction)
    session.flush()
    for account, amount_cents in sorted(amounts.items()):
        if amount_cents:
            session.add(
                LedgerEntry(
                    transaction_id=transaction.id or 0, account=account, currency=currency, amount_cents=amount_cents
                )
            )
    session.flush()
    return transaction


def list_standing(session: Session, statement_id: int) -> list[Booking]:
    """The bookings of a statement that no other one reverses and that reverse none."""
    reversed_ids = select(LedgerTransaction.reverses_id).where(col(LedgerTransaction.reverses_id).is_not(None))
    statement = select(LedgerTransaction).where(
        LedgerTransaction.statement_id == statement_id,
        col(LedgerTransaction.reverses_id).is_(None),
        col(LedgerTransaction.id).not_in(reversed_ids),
    )
    return _with_entries(session, list(session.exec(statement.order_by(col(LedgerTransaction.id)))))


def list_bookings(
    session: Session, *, account: str | None, statement_id: int | None, limit: int, before_id: int | None = None
) -> list[Booking]:
    """Bookings with all their entries, the last one first."""
    statement = select(LedgerTransaction)
    if account is not None:
        touched = select(LedgerEntry.transaction_id).where(LedgerEntry.account == account)
        statement = statement.where(col(LedgerTransaction.id).in_(touched))
    if statement_id is not None:
        statement = statement.where(LedgerTransaction.statement_id == statement_id)
    if before_id is not None:
        statement = statement.where(col(LedgerTransaction.id) < before_id)
    rows = session.exec(statement.order_by(col(LedgerTransaction.id).desc()).limit(limit))
    return _with_entries(session, list(rows))


def _with_entries(session: Session, transactions: Sequence[LedgerTransaction]) -> list[Booking]:
    entries: dict[int, list[LedgerEntry]] = {}
    ids = [transaction.id for transaction in transactions]
    statement = select(LedgerEntry).where(col(LedgerEntry.transaction_id).in_(ids)).order_by(col(LedgerEntry.id))
    for entry in session.exec(statement):
        entries.setdefault(entry.transaction_id, []).append(entry)
    return [Booking(transaction, entries.get(transaction.id or 0, [])) for transaction in transactions]


def list_balances(session: Session, accounts: Iterable[str] | None = None) -> list[Balance]:
    """What each account comes to, in order of its name; accounts that are even are there too."""
    amount = cast(func.sum(col(LedgerEntry.amount_cents)), BigInteger)
    statement = select(LedgerEntry.account, LedgerEntry.currency, amount)
    if accounts is not None:
        statement = statement.where(col(LedgerEntry.account).in_(list(accounts)))
    rows = session.exec(
        statement.group_by(LedgerEntry.account, LedgerEntry.currency).order_by(
            LedgerEntry.account, LedgerEntry.currency
        )
    )
    return [Balance(*row) for row in rows]


def list_uuids(session: Session, ids: Iterable[int | None]) -> dict[int, UUID]:
    """The ids that the API uses, by number."""
    wanted = {number for number in ids if number is not None}
    statement = select(LedgerTransaction.id, LedgerTransaction.uuid).where(col(LedgerTransaction.id).in_(wanted))
    return {number or 0: uuid for number, uuid in session.exec(statement)}
