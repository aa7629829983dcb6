"""What only pages ask about money: days behind a statement, what came late, and names in place of ids."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select as select_rows
from sqlmodel import Session, col, func, select

from models.advertising import Advertiser, Campaign, Hold, HoldState, Placement
from models.bulk import chunks
from models.payouts import AuditEntry, LedgerTransaction, RatePlan, SettledDay, Statement, StatementLine, StatementState
from models.tables import Show, User


class Settled(NamedTuple):
    """What a statement settles of an episode's UTC day; campaign 0: listens."""

    episode_id: int
    campaign_id: int
    day: date
    quantity: int


class LateLine(NamedTuple):
    """A line for days before the month of its statement."""

    line: StatementLine
    statement: Statement


class NamedPlan(NamedTuple):
    """A rate plan, its show, and whose show that is."""

    plan: RatePlan
    show: Show
    owner: User


def list_settled(session: Session, statement_id: int) -> list[Settled]:
    """Each episode's day that a statement settles, in order of the days."""
    columns = (col(getattr(SettledDay, name)) for name in Settled._fields)
    statement = select_rows(*columns).where(col(SettledDay.statement_id) == statement_id)
    return [Settled(*row) for row in session.execute(statement.order_by(col(SettledDay.day)))]


def list_late_lines(session: Session, creator_id: int, limit: int) -> list[LateLine]:
    """What a creator's statements that stand settled of months before their own, the last statement first."""
    statement = (
        select(StatementLine, Statement)
        .join(Statement, col(Statement.id) == StatementLine.statement_id)
        .where(
            Statement.creator_id == creator_id,
            Statement.state != StatementState.VOID,
            col(StatementLine.month) < col(Statement.month),
            col(StatementLine.quantity) != 0,
        )
        .order_by(col(Statement.month).desc(), col(Statement.id).desc(), col(StatementLine.id))
    )
    return [LateLine(*row) for row in session.exec(statement.limit(limit))]


def list_waiting(session: Session, states: Sequence[str]) -> list[tuple[Statement, User]]:
    """Statements in these states with their creators, the oldest month first: as somebody works through them."""
    statement = (
        select(Statement, User)
        .join(User, col(User.id) == Statement.creator_id)
        .where(col(Statement.state).in_(list(states)))
        .order_by(col(Statement.month), col(User.email), col(Statement.id))
    )
    return [(row, user) for row, user in session.exec(statement)]


def count_open_holds(session: Session) -> int:
    """Holds that wait for a decision."""
    statement = select(func.count()).select_from(Hold).where(col(Hold.state) == HoldState.OPEN)
    return int(session.exec(statement).one())


def list_all_plans(session: Session, owner_id: int | None, limit: int) -> list[NamedPlan]:
    """Rate plans of a creator's shows (None: of everybody's), by show, the last one first."""
    statement = (
        select(RatePlan, Show, User)
        .join(Show, col(Show.id) == RatePlan.show_id)
        .join(User, col(User.id) == Show.owner_id)
        .order_by(col(Show.title), col(Show.id), col(RatePlan.from_day).desc())
    )
    if owner_id is not None:
        statement = statement.where(Show.owner_id == owner_id)
    return [NamedPlan(*row) for row in session.exec(statement.limit(limit))]


# -- the audit trail -------------------------------------------------------------------------------------------------


def list_trail(
    session: Session,
    *,
    subject: str | None = None,
    user_id: int | None = None,
    since: datetime | None = None,
    before: int | None = None,
    limit: int,
) -> list[tuple[AuditEntry, User | None]]:
    """Entries with who made them, the last one first; `before` is the number of the last one seen."""
    statement = select(AuditEntry, User).join(User, col(User.id) == AuditEntry.user_id, isouter=True)
    if subject is not None:
        statement = statement.where(AuditEntry.subject == subject)
    if user_id is not None:
        statement = statement.where(AuditEntry.user_id == user_id)
    if since is not None:
        statement = statement.where(col(AuditEntry.at) >= since)
    if before is not None:
        statement = statement.where(col(AuditEntry.id) < before)
    return [(entry, user) for entry, user in session.exec(statement.order_by(col(AuditEntry.id).desc()).limit(limit))]


def list_actors(session: Session) -> list[User]:
    """Who is in the audit trail, disabled ones too: what they did stays."""
    actors = select(AuditEntry.user_id).distinct()
    return list(session.exec(select(User).where(col(User.id).in_(actors)).order_by(User.email)))


# -- names -----------------------------------------------------------------------------------------------------------


def list_emails(session: Session, uuids: Collection[UUID]) -> dict[UUID, str]:
    """Users' addresses by the id that the API uses."""
    return _named(session, col(User.uuid), (col(User.email),), uuids)


def list_advertiser_names(session: Session, uuids: Collection[UUID]) -> dict[UUID, str]:
    """Advertisers' names by the id that the API uses."""
    return _named(session, col(Advertiser.uuid), (col(Advertiser.name),), uuids)


def list_campaign_names(session: Session, uuids: Collection[UUID]) -> dict[UUID, str]:
    """Campaigns' names by the id that the API uses."""
    return _named(session, col(Campaign.uuid), (col(Campaign.name),), uuids)


def list_statements_named(session: Session, uuids: Collection[UUID]) -> dict[UUID, tuple[date, str, str]]:
    """Month, currency and creator's address of statements by the id that the API uses."""
    found: dict[UUID, tuple[date, str, str]] = {}
    for chunk in chunks(uuids):
        statement = select_rows(col(Statement.uuid), col(Statement.month), col(Statement.currency), col(User.email))
        joined = statement.join(User, col(User.id) == col(Statement.creator_id))
        for uuid, *rest in session.execute(joined.where(col(Statement.uuid).in_(chunk))):
            found[uuid] = (rest[0], rest[1], rest[2])
    return found


def list_hold_names(session: Session, uuids: Collection[UUID]) -> dict[UUID, tuple[str, date]]:
    """Rule and day of holds by the id that the API uses."""
    return _named(session, col(Hold.uuid), (col(Hold.rule), col(Hold.day)), uuids)


def list_plan_shows(session: Session, uuids: Collection[UUID]) -> dict[UUID, str]:
    """The titles of the shows that rate plans are of, by the plans' ids."""
    joins = ((Show, col(Show.id) == col(RatePlan.show_id)),)
    return _named(session, col(RatePlan.uuid), (col(Show.title),), uuids, joins)


def list_placement_campaigns(session: Session, uuids: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
    """Campaign and show of placements, by the placements' ids."""
    joins = (
        (Campaign, col(Campaign.id) == col(Placement.campaign_id)),
        (Show, col(Show.id) == col(Placement.show_id)),
    )
    return _named(session, col(Placement.uuid), (col(Campaign.name), col(Show.title)), uuids, joins)


def list_statements_by_id(session: Session, ids: Iterable[int]) -> dict[int, tuple[Statement, User]]:
    """Statements that bookings name, with their creators."""
    found: dict[int, tuple[Statement, User]] = {}
    for chunk in chunks(set(ids)):
        statement = select(Statement, User).join(User, col(User.id) == Statement.creator_id)
        for row, user in session.exec(statement.where(col(Statement.id).in_(chunk))):
            found[row.id or 0] = (row, user)
    return found


def count_bookings(session: Session) -> int:
    """Transactions in the ledger."""
    return int(session.exec(select(func.count()).select_from(LedgerTransaction)).one())


def _named(
    session: Session, key: Any, columns: Sequence[Any], uuids: Collection[UUID], joins: Sequence[Any] = ()
) -> dict[UUID, Any]:
    """A column, or several as a tuple, by the id that the API uses."""
    found: dict[UUID, Any] = {}
    for chunk in chunks(uuids):
        statement = select_rows(key, *columns)
        for table, condition in joins:
            statement = statement.join(table, condition)
        for uuid, *rest in session.execute(statement.where(key.in_(chunk))):
            found[uuid] = rest[0] if len(rest) == 1 else tuple(rest)
    return found
