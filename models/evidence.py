"""What an admin looks at before approving a statement."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from models import completeness
from models.payouts import Statement, StatementLine
from models.periods import Period
from models.queries import arrivals, evidence, payable, statements
from models.queries.evidence import ListenDay, Outcome
from models.queries.payable import Scope
from models.statements import last_day
from models.tables import Show


@dataclass(frozen=True, slots=True)
class ShowCompleteness:
    """How much of a show's month has arrived, and what it is expected to come to."""

    show: Show
    listens: int
    expected_listens: int
    low: int
    high: int
    """Sums of the days' ranges: wider than the month's own would be."""
    provisional_days: int
    unknown_days: int
    """Of which it cannot be said; they count with what has arrived."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of a statement's month, over all shows of its creator."""

    days: list[ListenDay]
    outcomes: list[Outcome]
    flagged: dict[tuple[str, str], int]
    """(rule, `open` or `void`) -> listens and billed impressions of the month."""
    before: Statement | None
    """The creator's last statement of an earlier month."""
    quantity: int
    quantity_before: int
    completeness: list[ShowCompleteness]


def gather(session: Session, statement: Statement, now: datetime) -> Evidence:
    """Everything, as it is now: what arrived since the draft is in it, too."""
    period = Period(statement.month, last_day(statement.month))
    shows = evidence.list_shows_of(session, statement.creator_id)
    listens = {show.id: evidence.list_listens_by_day(session, show.id or 0, period) for show in shows}
    late = evidence.list_late_by_day(session, statement.creator_id, period)
    by_day: Counter[date] = Counter()
    for of_show in listens.values():
        by_day.update(of_show)
    before = statements.get_statement_before(session, statement)
    flagged: Counter[tuple[str, str]] = Counter()
    scope = Scope(first=period.first, last=period.last, creator_id=statement.creator_id)
    for held in payable.list_held_sums(session.connection(), scope):
        flagged[held.rule, held.state] += held.number
    return Evidence(
        days=[ListenDay(day, by_day[day], late.get(day, 0)) for day in period.each_day()],
        outcomes=evidence.list_outcomes(session, statement.creator_id, period),
        flagged={key: number for key, number in sorted(flagged.items()) if number},
        before=before,
        quantity=_quantity(statements.list_lines(session, statement.id or 0)),
        quantity_before=_quantity(statements.list_lines(session, before.id or 0)) if before else 0,
        completeness=[_complete(session, show, listens[show.id], now) for show in shows],
    )


def _quantity(lines: list[StatementLine]) -> int:
    return sum(line.quantity for line in lines)


def _complete(session: Session, show: Show, listens: dict[date, int], now: datetime) -> ShowCompleteness:
    found = completeness.estimate(arrivals.list_arrivals(session, show.id or 0, now.date()), listens, now)
    known = [(day, of_day) for day, of_day in found.items() if of_day is not None]
    unknown = sum(listens[day] for day, of_day in found.items() if of_day is None)
    return ShowCompleteness(
        show=show,
        listens=sum(listens.values()),
        expected_listens=unknown + sum(of_day.expected_listens for _, of_day in known),
        low=unknown + sum(of_day.low for _, of_day in known),
        high=unknown + sum(of_day.high for _, of_day in known),
        provisional_days=sum(of_day.is_provisional for _, of_day in known),
        unknown_days=len(found) - len(known),
    )
