"""Statements, their lines, and what they settle."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Connection, cast, insert, text
from sqlmodel import Session, col, func, select, update

from models.advertising import Advertiser, Campaign, Placement
from models.bulk import chunks
from models.payouts import SettledDay, Statement, StatementLine, StatementState
from models.tables import User


def lock_money(connection: Connection) -> None:
    """One at a time: whoever closes a month, changes a statement, a rate plan or a campaign's price, until it commits.

    On SQLite a transaction has the store to itself already. Take it before `lock_folding`.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(1836019557)"))


# -- what a close reads ---------------------------------------------------------------------------------------------


def list_standing(session: Session, month: date) -> list[Statement]:
    """The statements of a month that are not void."""
    statement = select(Statement).where(Statement.month == month, Statement.state != StatementState.VOID)
    return list(session.exec(statement.order_by(col(Statement.id))))


def list_carried(session: Session, before: date) -> list[Statement]:
    """Approved statements of earlier months whose amount no later statement brings forward yet."""
    statement = select(Statement).where(
        Statement.month < before,
        Statement.state == StatementState.APPROVED,
        col(Statement.is_carried).is_(True),
        col(Statement.carried_into_id).is_(None),
    )
    return list(session.exec(statement.order_by(col(Statement.month), col(Statement.id))))


def list_campaigns(session: Session, ids: Iterable[int]) -> dict[int, tuple[Campaign, Advertiser]]:
    """Campaigns with whose they are."""
    found: dict[int, tuple[Campaign, Advertiser]] = {}
    for chunk in chunks(ids):
        statement = (
            select(Campaign, Advertiser)
            .join(Advertiser, col(Advertiser.id) == col(Campaign.advertiser_id))
            .where(col(Campaign.id).in_(chunk))
        )
        found |= {campaign.id or 0: (campaign, advertiser) for campaign, advertiser in session.exec(statement)}
    return found


def list_placements(session: Session, campaigns: Iterable[int]) -> list[Placement]:
    """The placements of these campaigns, removed ones too."""
    found: list[Placement] = []
    for chunk in chunks(campaigns):
        statement = select(Placement).where(col(Placement.campaign_id).in_(chunk))
        found += session.exec(statement.order_by(col(Placement.id)))
    return found


def list_charged(session: Session, campaigns: Iterable[int]) -> dict[int, int]:
    """Campaign -> what its advertiser is charged by statements that stand, in cents."""
    found: dict[int, int] = {}
    for chunk in chunks(campaigns):
        statement = (
            select(col(StatementLine.campaign_id), cast(func.sum(col(StatementLine.gross_cents)), BigInteger))
            .join(Statement, col(Statement.id) == col(StatementLine.statement_id))
            .where(col(StatementLine.campaign_id).in_(chunk), Statement.state != StatementState.VOID)
            .group_by(col(StatementLine.campaign_id))
        )
        found |= dict(session.exec(statement).all())
    return found


# -- what a close writes --------------------------------------------------------------------------------------------


def append_statement(session: Session, statement: Statement) -> int:
    """Add a statement; its number. Raises IntegrityError when one of this creator, currency and month stands."""
    session.add(statement)
    session.flush()
    return statement.id or 0


def append_lines(session: Session, lines: Sequence[dict[str, Any]]) -> None:
    """Add lines."""
    if lines:
        session.execute(insert(StatementLine), lines)


def append_settled_days(session: Session, days: Sequence[dict[str, Any]]) -> None:
    """Note what a statement pays, by day."""
    if days:
        session.execute(insert(SettledDay), days)


def pin_carried(statement: Statement) -> dict[str, Any]:
    """As the inputs of a later statement have one that they bring forward."""
    cents = statement.total_cents + statement.brought_forward_cents
    return {"statement": str(statement.uuid), "month": str(statement.month), "cents": cents}


def carry_into(session: Session, ids: Sequence[int], statement_id: int) -> None:
    """Note which statement brings these forward."""
    _execute(session, update(Statement).where(col(Statement.id).in_(ids)).values(carried_into_id=statement_id))


# -- changes of state -----------------------------------------------------------------------------------------------


def change_state(session: Session, statement_id: int, state: str, revision: int, values: dict[str, Any]) -> bool:
    """Change a statement that is in this state at this revision; False when it is not, and then nothing is changed."""
    statement = (
        update(Statement)
        .where(col(Statement.id) == statement_id, col(Statement.state) == state, col(Statement.revision) == revision)
        .values(**values, revision=revision + 1)
    )
    return _execute(session, statement) == 1


def free_carried(session: Session, statement_id: int) -> None:
    """Let the statements that this one brought forward wait for another one."""
    statement = update(Statement).where(col(Statement.carried_into_id) == statement_id)
    _execute(session, statement.values(carried_into_id=None))


def list_takers_back(session: Session, statement_id: int) -> list[Statement]:
    """The standing statements that took back what this one settled, so that without it less than nothing would be
    settled."""
    found = session.execute(
        text(
            "SELECT DISTINCT taker.statement_id FROM settled_day mine "
            "JOIN settled_day taker ON taker.episode_id = mine.episode_id AND taker.campaign_id = mine.campaign_id "
            "AND taker.day = mine.day AND taker.quantity < 0 AND taker.statement_id <> mine.statement_id "
            "JOIN statement s ON s.id = taker.statement_id AND s.state <> 'void' "
            "WHERE mine.statement_id = :statement_id AND mine.quantity > (SELECT SUM(d.quantity) FROM settled_day d "
            "JOIN statement t ON t.id = d.statement_id AND t.state <> 'void' WHERE d.episode_id = mine.episode_id "
            "AND d.campaign_id = mine.campaign_id AND d.day = mine.day)"
        ),
        {"statement_id": statement_id},
    )
    takers = select(Statement).where(col(Statement.id).in_([row[0] for row in found]))
    return list(session.exec(takers.order_by(col(Statement.month), col(Statement.id))))


def list_brought_forward(session: Session, statement_id: int) -> list[Statement]:
    """The statements whose amounts are in this one's, and those in theirs, the oldest first."""
    found: list[Statement] = []
    into = [statement_id]
    while into:
        statement = select(Statement).where(col(Statement.carried_into_id).in_(into))
        rows = list(session.exec(statement.execution_options(populate_existing=True)))
        found += rows
        into = [row.id or 0 for row in rows]
    return sorted(found, key=lambda row: (row.month, row.id))


def pay_brought_forward(
    session: Session, ids: Sequence[int], user_id: int | None, at: datetime, reference: str
) -> None:
    """Mark statements as paid with the one that brought them forward."""
    statement = update(Statement).where(col(Statement.id).in_(ids), col(Statement.state) == StatementState.APPROVED)
    _execute(
        session,
        statement.values(
            state=StatementState.PAID,
            paid_by=user_id,
            paid_at=at,
            paid_reference=reference,
            revision=col(Statement.revision) + 1,
        ),
    )


def _execute(session: Session, statement: Any) -> int:
    # Rows that were read before know nothing of it; whoever needs them reads them again.
    done: Any = session.execute(statement.execution_options(synchronize_session=False))
    return int(done.rowcount)


# -- what is shown --------------------------------------------------------------------------------------------------


def get_statement(session: Session, uuid: UUID, creator_id: int | None) -> tuple[Statement, User] | None:
    """A statement as it is in the store now, and its creator. `creator_id` narrows to one person's; None for admins."""
    statement = select(Statement, User).join(User, col(User.id) == Statement.creator_id).where(Statement.uuid == uuid)
    if creator_id is not None:
        statement = statement.where(Statement.creator_id == creator_id)
    return session.exec(statement.execution_options(populate_existing=True)).first()


def list_statements(
    session: Session,
    *,
    creator: UUID | None = None,
    state: str | None = None,
    month: date | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[tuple[Statement, User]]:
    """Statements with their creators, the last month first."""
    statement = _where(select(Statement, User), creator, state, month).join(
        User, col(User.id) == col(Statement.creator_id)
    )
    ordered = statement.order_by(col(Statement.month).desc(), col(User.email), col(Statement.id).desc())
    return [(row, user) for row, user in session.exec(ordered.limit(limit).offset(offset))]


def count_statements(
    session: Session, *, creator: UUID | None = None, state: str | None = None, month: date | None = None
) -> int:
    """How many statements `list_statements` has to give."""
    return int(session.exec(_where(select(func.count()).select_from(Statement), creator, state, month)).one())


def _where(statement: Any, creator: UUID | None, state: str | None, month: date | None) -> Any:
    if creator is not None:
        statement = statement.where(col(Statement.creator_id).in_(select(User.id).where(User.uuid == creator)))
    if state is not None:
        statement = statement.where(Statement.state == state)
    if month is not None:
        statement = statement.where(Statement.month == month)
    return statement


def list_lines(session: Session, statement_id: int) -> list[StatementLine]:
    """A statement's lines, in their order."""
    statement = select(StatementLine).where(StatementLine.statement_id == statement_id)
    return list(session.exec(statement.order_by(col(StatementLine.id))))


def list_gross(session: Session, statement_id: int) -> dict[UUID, int]:
    """Advertiser -> what a statement charges, in cents."""
    statement = (
        select(Advertiser.uuid, cast(func.sum(col(StatementLine.gross_cents)), BigInteger))
        .join(Campaign, col(Campaign.advertiser_id) == col(Advertiser.id))
        .join(StatementLine, col(StatementLine.campaign_id) == col(Campaign.id))
        .where(StatementLine.statement_id == statement_id)
        .group_by(col(Advertiser.uuid))
    )
    return dict(session.exec(statement).all())


def get_statement_before(session: Session, statement: Statement) -> Statement | None:
    """The creator's last standing statement in the same currency of an earlier month."""
    earlier = select(Statement).where(
        Statement.creator_id == statement.creator_id,
        Statement.currency == statement.currency,
        Statement.month < statement.month,
        Statement.state != StatementState.VOID,
    )
    return session.exec(earlier.order_by(col(Statement.month).desc()).limit(1)).first()


def list_users(session: Session, ids: Iterable[int | None]) -> dict[int, User]:
    """Users by number."""
    wanted = [number for number in ids if number is not None]
    return {user.id or 0: user for user in session.exec(select(User).where(col(User.id).in_(wanted)))}


def get_by_id(session: Session, statement_id: int) -> Statement:
    """A statement that another one names."""
    return session.exec(select(Statement).where(Statement.id == statement_id)).one()


def list_uuids(session: Session, ids: Iterable[int | None]) -> dict[int, UUID]:
    """The ids that the API uses, by number."""
    statement = select(Statement.id, Statement.uuid).where(col(Statement.id).in_({n for n in ids if n is not None}))
    return {number or 0: uuid for number, uuid in session.exec(statement)}


def get_user_id(session: Session, uuid: UUID) -> int | None:
    """The number of a user."""
    return session.exec(select(User.id).where(User.uuid == uuid)).first()
