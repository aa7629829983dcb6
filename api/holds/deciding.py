"""What people decide of holds: each decision has a reason, is kept for ever, and is worked into the money at once."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from api import audit_trail
from api.errors import ConflictError, ForbiddenError, NotFoundError
from api.holds import held_days
from models.advertising import Hold, HoldDecision, HoldState
from models.columns import day_number
from models.queries import hold_decisions, holds
from models.tables import User


class AlreadyDecidedError(ConflictError):
    """The hold is so already."""

    code = "already_decided"


class OwnShowError(ForbiddenError):
    """This role may not, or the hold is of a show of the acting admin's."""

    code = "own_show"


def find_hold(session: Session, uuid: UUID) -> Hold:
    """A hold. Raises NotFoundError."""
    hold = hold_decisions.get_hold(session, uuid)
    if hold is None:
        raise NotFoundError("There is no such hold. `earshot holds list` shows all; a gap's hold goes when it closes.")
    return hold


def decide(session: Session, user: User, uuid: UUID, state: HoldState, reason: str, now: datetime) -> Hold:
    """Release or void a hold; a later decision takes the place of an earlier one. Raises NotFoundError,
    OwnShowError, AlreadyDecidedError."""
    connection = session.connection()
    holds.lock_holds(connection)
    hold = find_hold(session, uuid)
    if hold_decisions.is_of_owner(session, hold, user.id or 0):
        raise OwnShowError("This hold is of a show of yours. Another admin has to decide it.")
    if hold.state == state:
        raise AlreadyDecidedError(f"This hold is {state} already. Look at it again: somebody was faster.")
    before, hold.state, hold.decided_at = hold.state, state.value, now
    session.add(hold)
    decision = HoldDecision(
        hold_id=hold.id or 0, state=state.value, reason=reason, decided_by=user.id or 0, decided_at=now
    )
    hold_decisions.append_decision(session, decision)
    detail = {"rule": hold.rule, "day": hold.day, "from": before, "to": state.value, "reason": reason}
    action = "hold.released" if state is HoldState.RELEASED else "hold.voided"
    audit_trail.append(session, user, action, "hold", hold.uuid, detail)
    session.flush()
    held_days.recount_days(connection, [day_number(hold.day)])
    return hold
