"""A statement on its way: draft, approved, paid; held or void in between. A person decides each step.

Whoever decides says on which revision: of two who decide at once the later one is refused, and is told what happened.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from api import audit_trail, clock, webhooks
from api.errors import ConflictError, ForbiddenError, NotFoundError
from api.payouts import batches, ledger, verify
from models.payouts import Statement, StatementState
from models.queries import audit_trail as entries_of
from models.queries import statements
from models.tables import Role, User

DRAFT, APPROVED, PAID, HELD, VOID = StatementState
MISSING = "There is no such statement, or it is not yours."


class StaleError(ConflictError):
    """Somebody else changed it since it was read."""

    code = "stale_revision"


class StateError(ConflictError):
    """A statement in this state cannot be changed that way."""

    code = "wrong_state"


class OwnDraftError(ForbiddenError):
    """This role may not, nor may whoever drafted it, or is paid by it."""

    code = "own_draft"


class OwnMoneyError(ForbiddenError):
    """This role may not, or the statement pays the acting admin."""

    code = "own_money"


class DiffersError(ConflictError):
    """What it says is not what its inputs, the audit trail and the ledger say."""

    code = "differs"


@dataclass(frozen=True, slots=True)
class Found:
    """A statement and whose it is."""

    statement: Statement
    creator: User


def get_statement(session: Session, user: User, uuid: UUID) -> Found:
    """A statement that this user may see: a creator her own, an admin all. Raises NotFoundError."""
    found = statements.get_statement(session, uuid, None if user.role == Role.ADMIN else user.id or 0)
    if found is None:
        raise NotFoundError(MISSING)
    return Found(*found)


def find(session: Session, text: str) -> Found | None:
    """A statement by its id as somebody typed it."""
    try:
        uuid = UUID(text)
    except ValueError:
        return None
    found = statements.get_statement(session, uuid, None)
    return Found(*found) if found else None


def approve(session: Session, user: User, uuid: UUID, revision: int) -> Found:
    """The amounts are right: book them. Not by whoever drafted it, nor by whom it pays."""
    found, now = _begin(session, user, uuid)
    _refuse_own(user, found, "approve")
    if found.statement.drafted_by is not None and found.statement.drafted_by == user.id:
        raise OwnDraftError("You drafted this statement. Another admin has to approve it.")
    _refuse_changed(session, found, revision, DRAFT)
    values = {"state": APPROVED, "approved_by": user.id, "approved_at": now}
    found = _change(session, user, found, revision, (DRAFT,), values, "approved")
    ledger.book_approval(session, found.statement, found.creator, user, now)
    _tell_approved(session, found)
    return found


def pay(session: Session, user: User, uuid: UUID, revision: int, reference: str) -> Found:
    """The money has left the bank. What the statement brought forward is paid with it."""
    found, now = _begin(session, user, uuid)
    _refuse_own(user, found, "pay")
    _refuse_carried(session, found.statement)
    _refuse_changed(session, found, revision, APPROVED)
    values = {"state": PAID, "paid_by": user.id, "paid_at": now, "paid_reference": reference}
    found = _change(session, user, found, revision, (APPROVED,), values, "paid", {"reference": reference})
    ledger.book_payment(session, found.statement, found.creator, user, now)
    brought = statements.list_brought_forward(session, found.statement.id or 0)
    statements.pay_brought_forward(session, [row.id or 0 for row in brought], user.id, now, reference)
    for row in brought:
        detail = {"from": APPROVED, "to": PAID, "reference": reference, "with": found.statement.uuid}
        audit_trail.append(session, user, "statement.paid", "statement", row.uuid, detail)
    return found


def hold(
    session: Session, user: User, uuid: UUID, revision: int, reason: str, *, is_bank_refused: bool = False
) -> Found:
    """Stop it where it is, until it is released. What the bank was told to pay, only when the bank refused it."""
    found, _ = _begin(session, user, uuid)
    _refuse_brought_forward(session, found.statement, "held")
    values = {"state": HELD, "held_from": found.statement.state, "reason": reason}
    detail = _take_out(session, user, found.statement, revision, reason, is_bank_refused)
    return _change(session, user, found, revision, (DRAFT, APPROVED), values, "held", detail)


def release(session: Session, user: User, uuid: UUID, revision: int, reason: str) -> Found:
    """Put it back to where it was held."""
    found, _ = _begin(session, user, uuid)
    _refuse_own(user, found, "release")
    values = {"state": found.statement.held_from, "held_from": "", "reason": ""}
    return _change(session, user, found, revision, (HELD,), values, "released", {"reason": reason})


def void(
    session: Session, user: User, uuid: UUID, revision: int, reason: str, *, is_bank_refused: bool = False
) -> Found:
    """It never was: reverse what was booked, and let the next close pay its days anew. What the bank was told to pay,
    only when the bank refused it."""
    found, now = _begin(session, user, uuid)
    _refuse_brought_forward(session, found.statement, "void")
    _refuse_taken_back(session, found.statement)
    values = {"state": VOID, "reason": reason}
    detail = _take_out(session, user, found.statement, revision, reason, is_bank_refused)
    found = _change(session, user, found, revision, (DRAFT, APPROVED, HELD), values, "voided", detail)
    ledger.book_reversal(session, found.statement, user, now)
    statements.free_carried(session, found.statement.id or 0)
    return found


def _begin(session: Session, user: User, uuid: UUID) -> tuple[Found, datetime]:
    """Have the money to oneself, then read: what is refused is refused for what is so now."""
    statements.lock_money(session.connection())
    return get_statement(session, user, uuid), clock.now()


def _change(
    session: Session,
    user: User,
    found: Found,
    revision: int,
    states: tuple[StatementState, ...],
    values: dict[str, Any],
    done: str,
    detail: dict[str, Any] | None = None,
) -> Found:
    statement, state = found.statement, found.statement.state
    is_possible = state in states
    if not is_possible or not statements.change_state(session, statement.id or 0, state, revision, values):
        raise _refusal(session, statement, revision, states, done)
    changed = get_statement(session, user, statement.uuid)
    told = {"from": state, "to": changed.statement.state, "revision": changed.statement.revision, **(detail or {})}
    audit_trail.append(session, user, f"statement.{done}", "statement", statement.uuid, told)
    return changed


def _refusal(
    session: Session, statement: Statement, revision: int, states: tuple[StatementState, ...], done: str
) -> ConflictError:
    if statement.revision != revision:
        return StaleError(
            f"This statement was changed since revision {revision}: {_last_change(session, statement)} It is "
            f"{statement.state} now, at revision {statement.revision}. Read it again, then decide."
        )
    return StateError(
        f"A statement that is {statement.state} cannot be {done}; only one that is {' or '.join(states)}."
    )


def _last_change(session: Session, statement: Statement) -> str:
    entries = entries_of.list_audit_entries(
        session, subject="statement", subject_uuid=statement.uuid, before=None, limit=1
    )
    if not entries:
        return "it is not known by whom."
    entry, user = entries[0]
    who = user.email if user else "the command line"
    return f"{entry.action} by {who} on {entry.at:%Y-%m-%d at %H:%M} UTC."


def _refuse_own(user: User, found: Found, step: str) -> None:
    if found.statement.creator_id == user.id:
        raise OwnMoneyError(f"This statement pays you. Another admin has to {step} it.")


def _refuse_changed(session: Session, found: Found, revision: int, state: StatementState) -> None:
    """Nobody signs what somebody changed behind Earshot's back. Log and archive are not asked: that takes minutes."""
    if (found.statement.state, found.statement.revision) != (state, revision):
        return  # it is refused for that
    report = verify.check_statement(session, found.statement, found.creator)
    if report.verdict is verify.Outcome.DIFFERS:
        wrong = [check.detail for check in report.checks if check.outcome is verify.Outcome.DIFFERS]
        raise DiffersError(
            f"This statement is not what it was drafted as. {' '.join(wrong)} Look at it with `earshot payouts verify "
            f"{found.statement.uuid}`; void it, and close the month again."
        )


def _take_out(
    session: Session, user: User, statement: Statement, revision: int, reason: str, is_bank_refused: bool
) -> dict[str, Any]:
    """What the audit trail says of a stop. A decision on another revision, or on what is paid, is left to `_change`."""
    if statement.revision != revision or statement.state in (PAID, VOID):
        return {"reason": reason}
    told = batches.take_out(session, user, statement, is_refused=is_bank_refused, reason=reason)
    return {"reason": reason, **told}


def _refuse_carried(session: Session, statement: Statement) -> None:
    if statement.carried_into_id is not None:
        into = statements.get_by_id(session, statement.carried_into_id)
        raise StateError(f"Its amount is in the statement {into.uuid} of {into.month:%Y-%m}. Pay that one.")
    if statement.is_carried:
        raise StateError(
            "It does not come to the minimum payout, and is carried over: a later statement brings its amount forward."
        )


def _refuse_brought_forward(session: Session, statement: Statement, done: str) -> None:
    if statement.carried_into_id is not None and statement.state == APPROVED:
        into = statements.get_by_id(session, statement.carried_into_id)
        raise StateError(
            f"Its amount is in the statement {into.uuid} of {into.month:%Y-%m}. Void that one first; then this one can "
            f"be {done}."
        )


def _refuse_taken_back(session: Session, statement: Statement) -> None:
    """What a later statement took back of this one would otherwise be taken back of nothing."""
    takers = statements.list_takers_back(session, statement.id or 0)
    if takers and statement.state != VOID:
        names = ", ".join(f"{taker.uuid} of {taker.month:%Y-%m} ({taker.state})" for taker in takers)
        raise StateError(f"Some of what it settled was taken back again, by {names}. Void that first, if it can be.")


def _tell_approved(session: Session, found: Found) -> None:
    statement = found.statement
    payload = {
        "statement": statement.uuid,
        "month": f"{statement.month:%Y-%m}",
        "currency": statement.currency,
        "total_cents": statement.total_cents,
        "brought_forward_cents": statement.brought_forward_cents,
        "is_carried": statement.is_carried,
        "approved_at": statement.approved_at,
    }
    kind = webhooks.EventKind.STATEMENT_APPROVED
    webhooks.append_event(session, kind, statement.uuid, str(statement.revision), payload, [statement.creator_id])
