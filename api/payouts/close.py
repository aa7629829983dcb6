"""Closing a month: one statement for each creator and currency, in one transaction."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

from sqlmodel import Session

from api import audit_trail, clock, exhausting
from api.consumers import MEASUREMENT
from api.errors import ConflictError, InvalidError
from api.holds.scan import scan
from api.payouts.drafting import Draft, Progress, draft
from models import statements as rules
from models.payouts import Statement
from models.queries import folding, holds, offsets, open_blocks, statements
from models.queries.payable import Scope
from models.statements import last_day, next_month
from models.tables import User
from models.takings import Owed, take

YEARS = range(1970, 2200)
"""Calendars end: there is no month after the last one."""


class MonthNotOverError(ConflictError):
    """It clashes with what is there, or the month to be closed is not over."""

    code = "month_not_over"


@dataclass(frozen=True, slots=True)
class Closed:
    """The statements of a month that stand after its close."""

    month: date
    statements: list[Statement]
    made: frozenset[UUID]
    """Those of them that this close made; the others were there."""


def parse_month(value: str) -> date:
    """`2026-10` as the month's first day. Raises InvalidError."""
    try:
        month = datetime.strptime(value, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise InvalidError(f"{value!r} is no month. Months are written YYYY-MM, as 2026-10.") from error
    if month.year not in YEARS:
        raise InvalidError(f"{value!r} is too far off. Months are of the years {YEARS[0]} to {YEARS[-1]}.")
    return month


def _no_progress(_what: str, _done: int, _whole: int) -> None:
    return


def close(session: Session, month: date, user: User | None, progress: Progress = _no_progress) -> Closed:
    """Draft the statements of a month that do not exist yet, from all that is counted by now. The caller commits.

    A standing statement of the month stays as it is; what came since waits for the close of a later month.
    """
    now = clock.now()
    _refuse_unfinished(month, now)
    connection = session.connection()
    statements.lock_money(connection)
    # Counts, holds and the place in the log are of one moment: no fold commits from here on until we do.
    folding.lock_folding(connection, exclusive=True)
    holds.lock_holds(connection)
    now = clock.now()  # after the wait: whoever verifies asks what was flagged and decided by then
    standing = statements.list_standing(session, month)
    position = offsets.list_offsets(connection, MEASUREMENT)
    there = {(statement.creator_id, statement.currency) for statement in standing}
    _look_for_fraud(session, month, there, now, progress)
    drafts = draft(session, month, position, there, progress)
    made = [_write(session, made, month, user, now) for made in drafts]
    exhausting.note_exhausted(session, now)
    open_blocks.close_blocks(connection, last_day(month))
    return Closed(month, [*standing, *made], frozenset(statement.uuid for statement in made))


def _look_for_fraud(session: Session, month: date, there: set[Owed], now: datetime, progress: Progress) -> None:
    """Look at every day of which this close would pay something or take it back: nobody is paid unlooked at.

    What is found leaves room in budgets and caps for other days, so this goes on until no new day would be paid. Days
    without a plan, beyond a budget or of a statement that stands are not paid now: they are looked at when they are.
    """
    progress("Looking for fraud", 0, 1)
    looked: set[date] = set()
    while True:
        takings = take(session, Scope(last=last_day(month)), lambda owed: owed not in there)
        days = {taken.count.day for taken in takings.days if taken.quantity} - looked
        if not days:
            return
        scan(session.connection(), days, now)
        looked |= days


def _refuse_unfinished(month: date, now: datetime) -> None:
    over = datetime.combine(next_month(month), time(), UTC)
    if now < over:
        raise MonthNotOverError(
            f"{month:%Y-%m} is over at {over:%Y-%m-%d %H:%M} UTC; close it then. Now it is {now:%Y-%m-%d %H:%M} UTC."
        )


def _write(session: Session, made: Draft, month: date, user: User | None, now: datetime) -> Statement:
    creator_id, currency = made.owed
    packed, inputs_hash = rules.pack(made.inputs, made.sealed)
    statement = Statement(
        creator_id=creator_id,
        currency=currency,
        month=month,
        total_cents=made.worked.total_cents,
        brought_forward_cents=made.worked.brought_forward_cents,
        minimum_cents=made.worked.minimum_cents,
        is_carried=made.worked.is_carried,
        rule_version=rules.RULE_VERSION,
        position=json.dumps(made.inputs["position"], sort_keys=True),
        inputs=packed,
        inputs_hash=inputs_hash,
        drafted_by=user.id if user else None,
        drafted_at=now,
    )
    statement_id = statements.append_statement(session, statement)
    statements.append_lines(session, [_line(statement_id, line) for line in made.worked.lines])
    statements.append_settled_days(session, [_settled(statement_id, taken) for taken in made.settled])
    statements.carry_into(session, [carried.id or 0 for carried in made.carried], statement_id)
    detail = {
        "month": f"{month:%Y-%m}",
        "currency": currency,
        "total_cents": statement.total_cents,
        "brought_forward_cents": statement.brought_forward_cents,
        "is_carried": statement.is_carried,
        "inputs_hash": inputs_hash.hex(),
    }
    audit_trail.append(session, user, "statement.drafted", "statement", statement.uuid, detail)
    return statement


def _line(statement_id: int, line: rules.Line) -> dict[str, object]:
    numbers = ("quantity", "counted", "held", "void", "unbilled", "exact", "amount_cents", "gross_cents")
    return {
        "statement_id": statement_id,
        **line.key._asdict(),
        **{name: getattr(line, name) for name in numbers},
    }


def _settled(statement_id: int, taken: rules.Taken) -> dict[str, object]:
    count = taken.count
    return {
        "episode_id": count.episode_id,
        "campaign_id": count.campaign_id,
        "day": count.day,
        "statement_id": statement_id,
        "quantity": taken.quantity,
    }
