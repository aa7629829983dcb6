"""Tables of statements: their cells, and how Streamlit shows them. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import formats, money
from dashboard.statement_data import Detail, Listed, NamedLine, month, payable_cents
from models.payouts import Statement, StatementState
from models.queries.money_pages import Settled

OPEN_KEY, OPEN_ALL_KEY = "open_statement", "open_any_statement"
"""Of the table of what waits, and of the one of all."""
TITLE_LETTERS, SHOW_LETTERS, CAMPAIGN_LETTERS = 34, 24, 24
LISTENS = "Listens"
STEPS = {"approve": "Approve it", "release": "Release or void it", "pay": "Pay it"}
KEPT = ("held", "void", "unbilled")
COUNTS = ("quantity", "counted", *KEPT)


def state_words(statement: Statement) -> str:
    """`Approved, carried over`."""
    word = money.BADGES[statement.state][1]
    if statement.state in (StatementState.VOID, StatementState.PAID):
        return word
    return f"{word}, carried over" if statement.is_carried else word


def to_pay(statement: Statement) -> str:
    """`€89.00`, or that it waits for the next one."""
    if statement.state == StatementState.VOID:
        return formats.DASH
    if statement.is_carried:
        return "carried over"
    return money.said(payable_cents(statement), statement.currency)


def statements(rows: Sequence[Listed]) -> pd.DataFrame:
    """One row per statement, in the order given."""
    return pd.DataFrame(
        {
            "uuid": [str(row.statement.uuid) for row in rows],
            "month": [month(row.statement.month) for row in rows],
            "creator": [row.creator.name or row.creator.email for row in rows],
            "to_pay": [to_pay(row.statement) for row in rows],
            "state": [state_words(row.statement) for row in rows],
            "total": [money.said(row.statement.total_cents, row.statement.currency) for row in rows],
            "brought": [_or_dash(row.statement.brought_forward_cents, row.statement.currency) for row in rows],
            "drafted": [row.statement.drafted_at for row in rows],
            "reference": [row.statement.paid_reference or formats.DASH for row in rows],
        }
    )


def statement_columns(*, is_admin: bool, key: str = OPEN_KEY) -> dict[str, Any]:
    """How each column looks. A click on a month is in the session state under `key` for one run."""
    column = st.column_config
    return {
        "uuid": None,
        "month": column.ButtonColumn("Month", type="tertiary", alignment="left", width=140, pinned=True, key=key),
        "creator": column.TextColumn("Creator", width=130) if is_admin else None,
        "state": column.TextColumn("State", width=150),
        "step": column.TextColumn("What to do"),
        "total": column.TextColumn("Total", alignment="right"),
        "brought": column.TextColumn(
            "Brought forward", alignment="right", help="Of earlier statements that were below the minimum payout."
        ),
        "to_pay": column.TextColumn("To pay", alignment="right"),
        "drafted": column.DatetimeColumn("Drafted (UTC)", format="D MMM YYYY, HH:mm", timezone="UTC"),
        "reference": column.TextColumn("Paid with"),
    }


def lines(rows: Sequence[NamedLine], detail: Detail, *, is_admin: bool) -> pd.DataFrame:
    """One row per line, in the statement's order; what advertisers pay is for admins."""
    currency = detail.statement.currency
    table = pd.DataFrame(
        {
            "episode": [formats.shorten(row.episode.title, TITLE_LETTERS) for row in rows],
            "show": [formats.shorten(row.episode.show_title, SHOW_LETTERS) for row in rows],
            "pays": [formats.shorten(row.campaign, CAMPAIGN_LETTERS) if row.is_ads else LISTENS for row in rows],
            "month": [late_month(row.line.month, detail.statement.month) for row in rows],
            "amount": [money.said(row.line.amount_cents, currency) for row in rows],
            **{name: [getattr(row.line, name) for row in rows] for name in COUNTS},
            "gross": [_or_dash(row.line.gross_cents, currency) for row in rows],
        }
    )
    return table if is_admin else table.drop(columns=["gross"])


def line_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "episode": column.TextColumn("Episode", width=220, pinned=True),
        "show": column.TextColumn("Show", width=150),
        "pays": column.TextColumn("For", width=130, help="Listens, or impressions of a campaign."),
        "month": column.TextColumn("Heard in"),
        **count_columns(),
        "amount": column.TextColumn("Amount", alignment="right"),
        "gross": column.TextColumn("Advertiser pays", alignment="right"),
    }


def count_columns() -> dict[str, Any]:
    """How what became of counts looks."""
    number = st.column_config.NumberColumn
    return {
        "quantity": number("Paid", format="%,d", help="Below zero: taken back."),
        "counted": number("Counted", format="%,d", help="All there are of these days, settled before or not."),
        "held": number("Held", format="%,d", help="Kept back until somebody has looked at why."),
        "void": number("Refused", format="%,d", help="Looked at, and never paid."),
        "unbilled": number("Beyond budget", format="%,d", help="More than the campaign's budget or caps pay for."),
    }


def late_month(value: date, of_statement: date) -> str:
    """`Oct 2026`, `Sep 2026, late`."""
    return f"{value:%b %Y}, late" if value < of_statement else f"{value:%b %Y}"


def by_month(detail: Detail) -> pd.DataFrame:
    """The lines summed by the month in which it was heard and by what is paid, the last month first."""
    sums: dict[tuple[date, bool], list[int]] = defaultdict(lambda: [0] * (len(COUNTS) + 1))
    for row in detail.lines:
        found = sums[row.line.month, row.is_ads]
        for place, name in enumerate((*COUNTS, "amount_cents")):
            found[place] += getattr(row.line, name)
    ordered = sorted(sums.items(), key=lambda item: (-item[0][0].toordinal(), item[0][1]))
    table = pd.DataFrame(
        {
            "month": [late_month(when, detail.statement.month) for (when, _), _ in ordered],
            "pays": ["Impressions" if is_ads else LISTENS for (_, is_ads), _ in ordered],
        }
    )
    for place, name in enumerate(COUNTS):
        table[name] = [numbers[place] for _, numbers in ordered]
    table["amount"] = [money.said(numbers[-1], detail.statement.currency) for _, numbers in ordered]
    return table


def month_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "month": column.TextColumn("Heard in", width=140, pinned=True),
        "pays": column.TextColumn("For"),
        **count_columns(),
        "amount": column.TextColumn("Amount", alignment="right"),
    }


def late_lines(rows: Iterable[tuple[NamedLine, Statement]]) -> pd.DataFrame:
    """One row per line for days before its statement's month."""
    listed = list(rows)
    return pd.DataFrame(
        {
            "episode": [formats.shorten(row.episode.title, TITLE_LETTERS) for row, _ in listed],
            "pays": [formats.shorten(row.campaign, CAMPAIGN_LETTERS) if row.is_ads else LISTENS for row, _ in listed],
            "heard": [f"{row.line.month:%b %Y}" for row, _ in listed],
            "settled": [f"{statement.month:%b %Y}" for _, statement in listed],
            "quantity": [row.line.quantity for row, _ in listed],
            "amount": [money.said(row.line.amount_cents, statement.currency) for row, statement in listed],
        }
    )


def late_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "episode": column.TextColumn("Episode", width=240, pinned=True),
        "pays": column.TextColumn("For", width=150),
        "heard": column.TextColumn("Heard in"),
        "settled": column.TextColumn("In the statement of"),
        "quantity": column.NumberColumn("Number", format="%,d", help="Below zero: taken back."),
        "amount": column.TextColumn("Amount", alignment="right"),
    }


def days(settled: Iterable[Settled], of_statement: date, *, is_ads: bool) -> pd.DataFrame:
    """What a statement settles by UTC day, of listens or of impressions; those before its month are late."""
    sums: dict[date, int] = defaultdict(int)
    for row in settled:
        if bool(row.campaign_id) == is_ads:
            sums[row.day] += row.quantity
    ordered = sorted(sums)
    return pd.DataFrame(
        {
            "day": pd.Series(ordered, dtype="object"),
            "quantity": pd.Series([sums[day] for day in ordered], dtype="int64"),
            "is_late": pd.Series([day < of_statement for day in ordered], dtype="bool"),
        }
    )


def _or_dash(cents: int, currency: str) -> str:
    return money.said(cents, currency) if cents else formats.DASH
