"""What pages ask of the store about statements. Rows and sums are those that the API gives."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple, cast
from uuid import UUID

from dashboard import data, store
from models.payouts import LineKind, Statement, StatementLine, StatementState
from models.queries import money_pages, payable, payees, statements
from models.queries.money_pages import Settled
from models.queries.payable import PaidEpisode
from models.tables import User

MAX_STATEMENTS = 500
MAX_LATE_LINES = 500
WAITING = (StatementState.DRAFT, StatementState.HELD, StatementState.APPROVED)
"""States in which somebody has yet to do something."""


class Listed(NamedTuple):
    """A statement and its creator."""

    statement: Statement
    creator: User


class NamedLine(NamedTuple):
    """A line and the names of what it is of."""

    line: StatementLine
    episode: PaidEpisode
    campaign: str
    """Empty for listens."""

    @property
    def is_ads(self) -> bool:
        """Whether it pays for impressions."""
        return self.line.kind == LineKind.ADS


class Detail(NamedTuple):
    """A statement with all that it says."""

    statement: Statement
    creator: User
    lines: list[NamedLine]
    settled: list[Settled]
    brought: list[Statement]
    """The statements whose amounts it brings forward, the oldest first."""
    into: Statement | None
    """The one that brings its own forward."""
    before: Statement | None
    """The creator's statement before it, in this currency."""
    people: dict[int, str]
    """Addresses of whoever drafted, approved and paid."""

    def who(self, number: int | None) -> str:
        """`ada@example.com`; nobody is the command line."""
        return self.people.get(number, "somebody") if number is not None else "the command line"


def key(row: Statement | User) -> int:
    """The small key of a stored row."""
    return cast("int", row.id)


def payable_cents(statement: Statement) -> int:
    """What is paid out, unless it is carried over."""
    return statement.total_cents + statement.brought_forward_cents


def standing(user: User, state: str | None = None) -> list[Listed]:
    """The statements that this user may see, the last month first."""
    creator = None if data.owner_id(user) is None else user.uuid
    with store.read() as session:
        rows = statements.list_statements(session, creator=creator, state=state, limit=MAX_STATEMENTS)
    return [Listed(*row) for row in rows]


def waiting() -> list[Listed]:
    """The admins' queue: what is drafted, held, or approved and to be paid; the oldest month first."""
    with store.read() as session:
        found = [Listed(*row) for row in money_pages.list_waiting(session, WAITING)]
    return [row for row in found if step_of(row.statement)]


def open_holds() -> int:
    """Findings of fraud rules that wait for a decision."""
    with store.read() as session:
        return money_pages.count_open_holds(session)


def step_of(statement: Statement) -> str:
    """`approve`, `release` or `pay`: what a statement waits for; empty when for nothing."""
    if statement.state == StatementState.DRAFT:
        return "approve"
    if statement.state == StatementState.HELD:
        return "release"
    is_payable = not statement.is_carried and statement.carried_into_id is None
    return "pay" if statement.state == StatementState.APPROVED and is_payable else ""


def detail(user: User, uuid: str) -> Detail | None:
    """One statement, by the id in a page's address, if this user may see it."""
    try:
        wanted = UUID(uuid)
    except ValueError:
        return None
    with store.read() as session:
        found = statements.get_statement(session, wanted, data.owner_id(user))
        if found is None:
            return None
        statement, creator = found
        lines = statements.list_lines(session, key(statement))
        episodes = payable.list_paid_episodes(session.connection(), {line.episode_id for line in lines})
        campaigns = statements.list_campaigns(session, {line.campaign_id for line in lines} - {0})
        into = statement.carried_into_id
        people = statements.list_users(session, (statement.drafted_by, statement.approved_by, statement.paid_by))
        return Detail(
            statement,
            creator,
            [
                NamedLine(
                    line,
                    episodes[line.episode_id],
                    campaigns[line.campaign_id][0].name if line.campaign_id in campaigns else "",
                )
                for line in lines
            ],
            money_pages.list_settled(session, key(statement)),
            statements.list_brought_forward(session, key(statement)),
            statements.get_by_id(session, into) if into is not None else None,
            statements.get_statement_before(session, statement),
            {number: person.email for number, person in people.items()},
        )


def late(user: User) -> list[tuple[NamedLine, Statement]]:
    """What of a creator's arrived after its month was closed, and the statements that settled it."""
    with store.read() as session:
        rows = money_pages.list_late_lines(session, key(user), MAX_LATE_LINES)
        episodes = payable.list_paid_episodes(session.connection(), {row.line.episode_id for row in rows})
        campaigns = statements.list_campaigns(session, {row.line.campaign_id for row in rows} - {0})
    return [
        (
            NamedLine(
                row.line,
                episodes[row.line.episode_id],
                campaigns[row.line.campaign_id][0].name if row.line.campaign_id in campaigns else "",
            ),
            row.statement,
        )
        for row in rows
    ]


def payable_now(rows: Iterable[Listed]) -> list[Statement]:
    """Those that are approved and wait to be paid."""
    return [row.statement for row in rows if step_of(row.statement) == "pay"]


def has_payee(user_id: int) -> bool:
    """Whether it is known where a creator's money goes."""
    with store.read() as session:
        return payees.get_payee(session, user_id) is not None


def month(value: date) -> str:
    """`October 2026`."""
    return f"{value:%B %Y}"
