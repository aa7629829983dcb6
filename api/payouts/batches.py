"""Payment orders: each statement is in one that stands, so that the bank is told once to pay it."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlmodel import Session

from api import audit_trail, clock
from api.errors import ConflictError, NotFoundError
from api.payouts import batch
from api.settings import Settings
from models.payouts import PayoutBatch, Statement
from models.queries import batches, statements
from models.tables import User

SUBJECT = "payout_batch"


class NothingToPayError(ConflictError):
    """No statement waits for a payment."""

    code = "nothing_to_pay"


class ExportedError(ConflictError):
    """The bank may be paying it already, or no bank was told to."""

    code = "exported"


class NoFileError(NotFoundError):
    """There is no such payment order, or it has no such file."""


def make(
    session: Session, user: User, settings: Settings, currency: str, month: date | None, *, is_csv_only: bool
) -> PayoutBatch:
    """A payment order of all that waits and is in none. Made whole, with its files, or not at all."""
    statements.lock_money(session.connection())
    transfers = batch.list_transfers(session, currency, month)
    if not transfers:
        raise NothingToPayError(
            f"No approved statement in {currency} waits for a payment there. What is in an earlier file is not put "
            "into another one: GET /v1/payouts/batches lists them, and gives them again."
        )
    made = PayoutBatch(uuid=uuid4(), currency=currency, month=month, made_by=user.id or 0, made_at=clock.now())
    files = {"csv": batch.as_csv(transfers).encode()}
    if currency == batch.SEPA_CURRENCY and not is_csv_only:
        files["xml"] = batch.as_xml(transfers, settings, made.uuid.hex)
    batches.append_batch(session, made, files, [(transfer.statement, transfer.cents) for transfer in transfers])
    detail = {
        "currency": currency,
        "month": f"{month:%Y-%m}" if month else None,
        "formats": sorted(files),
        "cents": sum(transfer.cents for transfer in transfers),
        "statements": [transfer.statement.uuid for transfer in transfers],
    }
    audit_trail.append(session, user, "payout_batch.made", SUBJECT, made.uuid, detail)
    return made


def read_file(session: Session, uuid: UUID, ending: str) -> tuple[PayoutBatch, bytes]:
    """A payment order's file as it was made. Raises NoFileError."""
    found = batches.get_file(session, uuid, ending)
    if found is None:
        raise NoFileError("There is no payment order with this id. GET /v1/payouts/batches lists them.")
    made, content = found
    if content is None:
        raise NoFileError(f"This payment order has no .{ending} file; it was made without. Take its .csv.")
    return made, content


def take_out(session: Session, user: User, statement: Statement, *, is_refused: bool, reason: str) -> dict[str, Any]:
    """Before a statement is stopped: take it out of its payment order when the bank refused it.

    Returns what the audit trail says of it. Raises ExportedError when nobody says that the bank refused it, for then
    it may be paid, and another statement would pay it again.
    """
    found = batches.get_standing(session, statement.id or 0)
    if found is None and is_refused:
        raise ExportedError("It is in no payment order, so no bank refused it. Leave out bank_refused.")
    if found is None:
        return {}
    export, made = found
    if not is_refused:
        raise ExportedError(
            f"The payment order {made.uuid} of {made.made_at:%Y-%m-%d} tells the bank to pay it. Once paid, mark it as "
            'paid. When the bank refused it, or the order was never sent to it, say so with "bank_refused": true.'
        )
    batches.release(session, export, user.id, clock.now(), reason)
    told = {"statement": statement.uuid, "currency": made.currency, "cents": export.cents, "reason": reason}
    audit_trail.append(session, user, "payout_batch.refused", SUBJECT, made.uuid, told)
    return {"bank_refused": True, "payout_batch": made.uuid}
