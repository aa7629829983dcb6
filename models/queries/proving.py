"""What verifies a statement: what was flagged, decided and settled when it was drafted."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, insert, select, text, update
from sqlmodel import Session, col

from models.advertising import Hold, HoldDecision, HoldState
from models.bulk import chunks
from models.columns import day_from_number
from models.payouts import AuditEntry, SettledDay, Statement, StatementLine

Days = tuple[date, date]
"""First and last."""
_HOLD = Hold.__table__  # type: ignore[attr-defined]
_DECISION = HoldDecision.__table__  # type: ignore[attr-defined]
_DECIDED = {"hold.released": HoldState.RELEASED.value, "hold.voided": HoldState.VOID.value}
"""What an entry of the audit trail makes of a hold."""


def _table(name: str) -> Any:
    return Hold.metadata.tables[name]


# -- into a rebuilt store -------------------------------------------------------------------------------------------


def put_durations(target: Connection, seconds: Mapping[int, int]) -> None:
    """Let recordings have the whole seconds that they were counted with."""
    episodes = _table("episode")
    for episode_id, duration in sorted(seconds.items()):
        statement = update(episodes).where(episodes.c.id == episode_id).values(duration_ms=duration * 1000)
        target.execute(statement)


def copy_campaigns(source: Connection, target: Connection, billing: Mapping[int, str]) -> None:
    """Copy these campaigns with their placements; they pay for the kind of impressions that is given."""
    campaigns, placements = _table("campaign"), _table("placement")
    for chunk in chunks(sorted(billing)):
        rows = [dict(row) for row in source.execute(select(campaigns).where(campaigns.c.id.in_(chunk))).mappings()]
        _insert(target, campaigns, [row | {"billing": billing[row["id"]]} for row in rows])
        placed = source.execute(select(placements).where(placements.c.campaign_id.in_(chunk))).mappings()
        _insert(target, placements, [dict(row) for row in placed])


def copy_flags(source: Connection, target: Connection, days: Days, at: datetime, entry: int) -> None:
    """Copy what holds flagged of these days by an instant, each hold in the state that it had before that entry of the
    audit trail."""
    states = _states_then(source, at, entry)
    for table in (_table("held_playback"), _table("held_download")):
        wanted = select(table).where(table.c.day.between(*days), table.c.found_at <= at)
        for some in source.execute(wanted, execution_options={"yield_per": 5000}).mappings().partitions():
            _insert(target, table, [dict(row) for row in some])
    holds = source.execute(select(_HOLD).where(_HOLD.c.day.between(*days), _HOLD.c.found_at <= at)).mappings()
    _insert(target, _HOLD, [dict(row) | {"state": states.get(row["id"], HoldState.OPEN.value)} for row in holds])


def _states_then(source: Connection, at: datetime, entry: int) -> dict[int, str]:
    """By the audit trail, whose order is that of the deeds. A hold that took the place of an erased device's has no
    entries, but its decisions with their instants."""
    trail = _table("audit_entry")
    entries = (
        select(_HOLD.c.id, trail.c.action, trail.c.id)
        .join(trail, trail.c.subject_uuid == _HOLD.c.uuid)
        .where(trail.c.subject == "hold", trail.c.action.in_(list(_DECIDED)))
    )
    states: dict[int, str] = {}
    for hold_id, action, number in source.execute(entries.order_by(trail.c.id)):
        before = states.get(hold_id, HoldState.OPEN.value)
        states[hold_id] = _DECIDED[action] if number < entry else before
    known = states.keys()
    decided = select(_DECISION.c.hold_id, _DECISION.c.state).where(_DECISION.c.decided_at <= at)
    rows = source.execute(decided.order_by(_DECISION.c.id))
    return states | {hold_id: state for hold_id, state in rows if hold_id not in known}


def clear_held_days(target: Connection) -> None:
    """Forget what is held of any day."""
    target.execute(delete(_table("held_day")))


def _insert(target: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        target.execute(insert(table), rows)


def list_heard(connection: Connection, episodes: Collection[int], day: int) -> list[tuple[int, bytes, bytes, bool]]:
    """(episode_id, device, coverage, is_offline) of the playbacks of these episodes on a day."""
    table = _table("playback")
    columns = table.c.episode_id, table.c.device, table.c.coverage, table.c.is_offline
    statement = select(*columns).where(table.c.day == day, table.c.episode_id.in_(episodes))
    return [(row[0], bytes(row[1]), bytes(row[2]), bool(row[3])) for row in connection.execute(statement)]


# -- as it was when a statement was drafted --------------------------------------------------------------------------


def get_drafted_entry(session: Session, statement: Statement) -> int | None:
    """The number of the audit trail's entry of a statement's draft: entries of money are numbered in their order."""
    return _entry_of(session, statement, "statement.drafted")


def list_drafted(session: Session, statement: Statement) -> list[dict[str, Any]]:
    """What the audit trail says of a statement's draft; one entry, unless somebody added others."""
    wanted = select(col(AuditEntry.detail)).where(
        col(AuditEntry.subject) == "statement",
        col(AuditEntry.subject_uuid) == statement.uuid,
        col(AuditEntry.action) == "statement.drafted",
    )
    return [json.loads(detail) for detail in session.scalars(wanted.order_by(col(AuditEntry.id)))]


def list_carried_into(session: Session, statement: Statement, pinned: Collection[UUID]) -> list[Statement]:
    """The statements that this one brings forward; of a void one, which freed them, those that its inputs name."""
    into = col(Statement.carried_into_id) == statement.id
    wanted = col(Statement.uuid).in_(pinned) if statement.state == "void" else into
    whose = col(Statement.creator_id) == statement.creator_id, col(Statement.currency) == statement.currency
    return list(session.scalars(select(Statement).where(wanted, *whose)))


def _entry_of(session: Session, statement: Statement, action: str) -> int | None:
    wanted = select(col(AuditEntry.id)).where(
        col(AuditEntry.subject) == "statement",
        col(AuditEntry.subject_uuid) == statement.uuid,
        col(AuditEntry.action) == action,
    )
    return session.scalars(wanted.order_by(col(AuditEntry.id))).first()


def list_void_then(session: Session, statement: Statement) -> set[int]:
    """Earlier statements that were void already when this one was drafted."""
    drafted = get_drafted_entry(session, statement) or 0
    void = select(Statement).where(col(Statement.id) < (statement.id or 0), col(Statement.state) == "void")
    return {
        row.id or 0
        for row in session.scalars(void)
        if (voided := _entry_of(session, row, "statement.voided")) is not None and voided < drafted
    }


def list_settled_then(
    session: Session, statement: Statement, episodes: Iterable[int]
) -> dict[tuple[int, int, date], int]:
    """(episode, campaign, day) -> what the statements that stood when this one was drafted had settled."""
    found: dict[tuple[int, int, date], int] = {}
    void = list_void_then(session, statement)
    for chunk in chunks(episodes):
        rows = _settled_before(session, "episode_id", chunk, statement.id or 0)
        _add_standing(found, rows, void)
    return found


def list_settled_of_campaigns(
    session: Session, statement: Statement, first_id: int, campaigns: Iterable[int]
) -> dict[tuple[int, int, date], int]:
    """The same of campaigns, over all creators' episodes, by statements before number `first_id`."""
    found: dict[tuple[int, int, date], int] = {}
    void = list_void_then(session, statement)
    for chunk in chunks(campaigns):
        _add_standing(found, _settled_before(session, "campaign_id", chunk, first_id), void)
    return found


def _settled_before(session: Session, column: str, keys: list[int], before: int) -> Iterable[Any]:
    query = text(
        "SELECT statement_id, episode_id, campaign_id, day, quantity FROM settled_day "
        f"WHERE statement_id < :before AND {column} IN :keys"
    ).bindparams(bindparam("keys", expanding=True))
    return session.connection().execute(query, {"before": before, "keys": keys})


def _add_standing(found: dict[tuple[int, int, date], int], rows: Iterable[Any], void: Collection[int]) -> None:
    for number, episode_id, campaign_id, day, quantity in rows:
        if number not in void:
            key = episode_id, campaign_id, day_from_number(day)
            found[key] = found.get(key, 0) + quantity


def list_siblings(session: Session, statement: Statement) -> list[Statement]:
    """The statements that the same close drafted, this one too."""
    same = col(Statement.drafted_at) == statement.drafted_at, col(Statement.month) == statement.month
    return list(session.scalars(select(Statement).where(*same).order_by(col(Statement.id))))


def list_charged_before(
    session: Session, statement: Statement, first_id: int, campaigns: Iterable[int]
) -> dict[int, int]:
    """Campaign -> what statements before number `first_id` that stood then charge its advertiser, in cents."""
    void = list_void_then(session, statement)
    found: dict[int, int] = {}
    for chunk in chunks(campaigns):
        lines = select(StatementLine).where(
            col(StatementLine.campaign_id).in_(chunk), col(StatementLine.statement_id) < first_id
        )
        for line in session.scalars(lines):
            if line.statement_id not in void:
                found[line.campaign_id] = found.get(line.campaign_id, 0) + line.gross_cents
    return found


def list_settled_by(session: Session, statement_id: int) -> dict[tuple[int, int, date], int]:
    """(episode, campaign, day) -> what a statement settles."""
    rows = session.scalars(select(SettledDay).where(col(SettledDay.statement_id) == statement_id))
    return {(row.episode_id, row.campaign_id, row.day): row.quantity for row in rows}


def list_days_ended(connection: Connection, at: datetime) -> set[date]:
    """Days of which Earshot itself took holds back after an instant; what these had flagged is not known any more."""
    table = _table("audit_entry")
    entries = connection.execute(select(table.c.detail).where(table.c.action == "hold.ended", table.c.at >= at))
    return {date.fromisoformat(json.loads(detail)["day"]) for (detail,) in entries}
