"""Tables of the ledger and the audit trail: their cells, and how Streamlit shows them. Pure."""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import formats, money, trail_texts
from dashboard.ledger_data import Booked, TrailEntry
from models.queries.ledger import Balance

OPEN_KEY = "open_account"
KINDS = {"approved": "Approved", "paid": "Paid", "reversed": "Reversed"}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def accounts(rows: Sequence[tuple[Balance, str]]) -> pd.DataFrame:
    """One row per account and currency."""
    return pd.DataFrame(
        {
            "account": [balance.account for balance, _ in rows],
            "name": [name for _, name in rows],
            "balance": [money.said(abs(balance.amount_cents), balance.currency) for balance, _ in rows],
            "side": [side(balance.amount_cents) for balance, _ in rows],
        }
    )


def side(cents: int) -> str:
    """`debit` above zero, `credit` below."""
    return "debit" if cents > 0 else "credit" if cents < 0 else "even"


def account_columns() -> dict[str, Any]:
    """How each column looks. A click on a name is in the session state under `OPEN_KEY` for one run."""
    column = st.column_config
    return {
        "account": None,
        "name": column.ButtonColumn("Account", type="tertiary", alignment="left", width=330, pinned=True, key=OPEN_KEY),
        "balance": column.TextColumn("Balance", alignment="right"),
        "side": column.TextColumn(
            "Side", help="Debit: paid for, or owed to us. Credit: we owe it, or it left the bank."
        ),
    }


def sums(rows: Sequence[tuple[Balance, str]]) -> dict[str, int]:
    """Currency -> what all accounts come to together; zero, always."""
    found: dict[str, int] = defaultdict(int)
    for balance, _ in rows:
        found[balance.currency] += balance.amount_cents
    return dict(sorted(found.items()))


def entries(rows: Sequence[Booked]) -> pd.DataFrame:
    """One row per entry: the bookings in the order given, each with all its sides."""
    found = [(booked, side_of) for booked in rows for side_of in booked.entries]
    return pd.DataFrame(
        {
            "number": [booked.transaction.id for booked, _ in found],
            "at": [booked.transaction.at for booked, _ in found],
            "kind": [KINDS.get(booked.transaction.kind, booked.transaction.kind) for booked, _ in found],
            "about": [booked.about for booked, _ in found],
            "account": [side_of.account for _, side_of in found],
            "debit": [_amount(side_of.entry.amount_cents, side_of.entry.currency) for _, side_of in found],
            "credit": [_amount(-side_of.entry.amount_cents, side_of.entry.currency) for _, side_of in found],
            "description": [_UUID.sub("…", booked.transaction.description) for booked, _ in found],
            "by": [booked.by for booked, _ in found],
        }
    )


def _amount(cents: int, currency: str) -> str:
    return money.said(cents, currency) if cents > 0 else ""


def entry_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "number": column.NumberColumn("No.", format="%d", width=60, pinned=True),
        "at": column.DatetimeColumn("Booked (UTC)", format="D MMM YYYY, HH:mm", timezone="UTC"),
        "kind": column.TextColumn("Booking"),
        "about": column.TextColumn("Statement", width=210),
        "account": column.TextColumn("Account", width=250),
        "debit": column.TextColumn("Debit", alignment="right"),
        "credit": column.TextColumn("Credit", alignment="right"),
        "description": column.TextColumn("What for", width=240),
        "by": column.TextColumn("By", width=180),
    }


def trail(rows: Sequence[TrailEntry]) -> pd.DataFrame:
    """One row per entry, in the order given."""
    return pd.DataFrame(
        {
            "at": [row.entry.at for row in rows],
            "by": [row.by for row in rows],
            "action": [trail_texts.action(row.entry.action) for row in rows],
            "about": [row.about or formats.DASH for row in rows],
            "why": [trail_texts.why(row.entry.action, row.detail) for row in rows],
        }
    )


def trail_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "at": column.DatetimeColumn("When (UTC)", format="D MMM YYYY, HH:mm", timezone="UTC", pinned=True),
        "by": column.TextColumn("Who", width=160),
        "action": column.TextColumn("What", width=170),
        "about": column.TextColumn("Of", width=220),
        "why": column.TextColumn("Why, and what changed", width=420),
    }
