"""What pages ask of the store about the ledger and the audit trail, with names in the place of ids."""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel import Session

from dashboard import hold_texts, store
from models.payouts import AuditEntry, LedgerEntry, LedgerTransaction
from models.queries import audit_trail, ledger, money_pages, statements
from models.queries.ledger import Balance
from models.tables import User

PAGE = 100
HOUSE = {"listens": "Listens (expense)", "ad_margin": "Advertising margin", "bank": "Bank"}
COMMAND_LINE = "the command line"


class BookedEntry(NamedTuple):
    """One side of a booking."""

    entry: LedgerEntry
    account: str
    """Its name for people."""


class Booked(NamedTuple):
    """A booking with its entries."""

    transaction: LedgerTransaction
    about: str
    """Whose statement, and of which month."""
    by: str
    entries: list[BookedEntry]


class TrailEntry(NamedTuple):
    """An entry of the audit trail."""

    entry: AuditEntry
    by: str
    about: str
    detail: dict[str, Any]


def balances() -> list[tuple[Balance, str]]:
    """What each account comes to, and its name."""
    with store.read() as session:
        rows = ledger.list_balances(session)
        names = _account_names(session, (row.account for row in rows))
    return [(row, names[row.account]) for row in rows]


def bookings(account: str | None, before: int | None = None) -> list[Booked]:
    """A page of bookings, the last one first; of one account, or all."""
    with store.read() as session:
        return _booked(
            session,
            ledger.list_bookings(session, account=account, statement_id=None, limit=PAGE, before_id=before),
        )


def bookings_of(statement_id: int) -> list[Booked]:
    """All bookings of a statement, the last one first."""
    with store.read() as session:
        return _booked(
            session, ledger.list_bookings(session, account=None, statement_id=statement_id, limit=PAGE)
        )  # fmt: skip


def _booked(session: Session, found: list[ledger.Booking]) -> list[Booked]:
    names = _account_names(session, (entry.account for booking in found for entry in booking.entries))
    about = money_pages.list_statements_by_id(session, {booking.transaction.statement_id for booking in found})
    people = statements.list_users(session, [booking.transaction.booked_by for booking in found])
    rows = []
    for booking in found:
        head = booking.transaction
        statement, creator = about[head.statement_id]
        by = people.get(head.booked_by or 0)
        entries = [BookedEntry(entry, names[entry.account]) for entry in booking.entries]
        said = f"{statement.month:%b %Y}, {creator.email}"
        rows.append(Booked(head, said, by.email if by else COMMAND_LINE, entries))
    return rows


def _account_names(session: Session, accounts: Iterable[str]) -> dict[str, str]:
    """`Creator ada@example.com` for `creator:UUID`."""
    known = set(accounts)
    ids: dict[str, list[UUID]] = defaultdict(list)
    for account in known:
        kind, _, uuid = account.partition(":")
        if uuid:
            ids[kind].append(UUID(uuid))
    emails = money_pages.list_emails(session, ids["creator"])
    companies = money_pages.list_advertiser_names(session, ids["advertiser"])
    named = {f"creator:{uuid}": f"Creator {email}" for uuid, email in emails.items()}
    named |= {f"advertiser:{uuid}": f"Advertiser {name}" for uuid, name in companies.items()}
    return {account: named.get(account) or HOUSE.get(account, account.partition(":")[0]) for account in known}


# -- the audit trail -------------------------------------------------------------------------------------------------


def trail(
    subject: str | None, user_id: int | None, since: datetime | None, before: int | None = None
) -> list[TrailEntry]:
    """A page of entries, the last one first."""
    with store.read() as session:
        rows = money_pages.list_trail(
            session, subject=subject, user_id=user_id, since=since, before=before, limit=PAGE
        )  # fmt: skip
        return _named(session, rows)


def history(subject: str, uuid: UUID) -> list[TrailEntry]:
    """What was done to one thing, the last first."""
    with store.read() as session:
        rows = audit_trail.list_audit_entries(session, subject=subject, subject_uuid=uuid, before=None, limit=PAGE)
        return _named(session, rows)


def actors() -> list[User]:
    """Who did anything to money."""
    with store.read() as session:
        return money_pages.list_actors(session)


def _named(session: Session, rows: list[tuple[AuditEntry, User | None]]) -> list[TrailEntry]:
    ids: dict[str, set[UUID]] = defaultdict(set)
    for entry, _ in rows:
        ids[entry.subject].add(entry.subject_uuid)
    names = {subject: _names_of(session, subject, uuids) for subject, uuids in ids.items()}
    return [
        TrailEntry(
            entry,
            user.email if user else COMMAND_LINE,
            names[entry.subject].get(entry.subject_uuid, ""),
            json.loads(entry.detail),
        )
        for entry, user in rows
    ]


def _names_of(session: Session, subject: str, uuids: Collection[UUID]) -> dict[UUID, str]:
    ask = _NAMES.get(subject)
    return ask(session, uuids) if ask is not None else {}


def _statements(session: Session, uuids: Collection[UUID]) -> dict[UUID, str]:
    found = money_pages.list_statements_named(session, uuids)
    return {uuid: f"{month:%b %Y}, {currency}, {email}" for uuid, (month, currency, email) in found.items()}


def _holds(session: Session, uuids: Collection[UUID]) -> dict[UUID, str]:
    found = money_pages.list_hold_names(session, uuids)
    return {uuid: f"{hold_texts.title_of(rule)}, {day.day} {day:%b %Y}" for uuid, (rule, day) in found.items()}


def _placements(session: Session, uuids: Collection[UUID]) -> dict[UUID, str]:
    found = money_pages.list_placement_campaigns(session, uuids)
    return {uuid: f"{campaign} in {show}" for uuid, (campaign, show) in found.items()}


_NAMES: dict[str, Callable[[Session, Collection[UUID]], dict[UUID, str]]] = {
    "statement": _statements,
    "hold": _holds,
    "placement": _placements,
    "campaign": money_pages.list_campaign_names,
    "advertiser": money_pages.list_advertiser_names,
    "rate_plan": money_pages.list_plan_shows,
    "payee": money_pages.list_emails,
}
