"""A creator's tables: what is pending, rate plans, ads in her shows. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import clock, formats, hold_texts, money, positions
from dashboard.earnings_data import Months
from models.queries.money_pages import NamedPlan
from models.queries.placements import InShow
from models.statements import round_half_up

CELLS = ("counted", "settled", "pending", "held", "void", "unbilled", "unplanned")
TITLE_LETTERS = 32


def months(found: Months) -> pd.DataFrame:
    """One row per month, the last first."""
    return pd.DataFrame(
        {
            "month": [f"{month:%b %Y}" for month in found.cells],
            **{name: [getattr(cell, name) for cell in found.cells.values()] for name in CELLS},
            "amount": [
                " + ".join(money.said(round_half_up(exact), currency) for currency, exact in sorted(cell.exact.items()))
                or formats.DASH
                for cell in found.cells.values()
            ],
        }
    )


def month_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    number = column.NumberColumn
    return {
        "month": column.TextColumn("Heard in", pinned=True),
        "counted": number("Counted", format="%,d", help="Listens, and impressions as the campaigns are billed."),
        "settled": number("= In statements", format="%,d", help="Drafts too; not those that are void."),
        "pending": number("+ Pending", format="%,d", help="The next close settles it. Below zero: takes it back."),
        "held": number("+ Held", format="%,d", help="Kept back until somebody has looked at why."),
        "void": number("+ Refused", format="%,d", help="Looked at, and never paid."),
        "unbilled": number("+ Beyond budget", format="%,d", help="More than campaigns' budgets or caps pay for."),
        "unplanned": number("+ No rate plan", format="%,d", help="The show had no rate plan for these days yet."),
        "amount": column.TextColumn("Pending, in money", alignment="right"),
    }


def held_by_rule(found: Months) -> list[tuple[str, int]]:
    """What is held of all months, by the name of the rule, most first."""
    rows = [(hold_texts.title_of(rule), number) for rule, number in found.total.held_by_rule.items() if number]
    return sorted(rows, key=lambda row: -row[1])


# -- rate plans ------------------------------------------------------------------------------------------------------


def plans(rows: Sequence[NamedPlan], today: date) -> pd.DataFrame:
    """One row per plan, in the order given."""
    return pd.DataFrame(
        {
            "show": [formats.shorten(row.show.title, TITLE_LETTERS) for row in rows],
            "owner": [row.owner.name or row.owner.email for row in rows],
            "from_day": [row.plan.from_day for row in rows],
            "state": _states(rows, today),
            "price": [money.said(row.plan.listen_price_cents, row.plan.currency) for row in rows],
            "share": [row.plan.ad_share_bp / 100 for row in rows],
            "minimum": [money.said(row.plan.minimum_cents, row.plan.currency) for row in rows],
        }
    )


def _states(rows: Sequence[NamedPlan], today: date) -> list[str]:
    words, current = [], set()
    for row in rows:
        if row.plan.from_day > today:
            words.append("To come")
        elif row.show.id in current:
            words.append("Succeeded")
        else:
            current.add(row.show.id)
            words.append("In force")
    return words


def plan_columns(*, is_admin: bool) -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "show": column.TextColumn("Show", width=240, pinned=True),
        "owner": column.TextColumn("Creator", width=160) if is_admin else None,
        "from_day": column.DateColumn("From (UTC)", format="D MMM YYYY"),
        "state": column.TextColumn("State"),
        "price": column.TextColumn("For 1,000 listens", alignment="right"),
        "share": column.NumberColumn("Share of ad revenue", format="%.4g %%"),
        "minimum": column.TextColumn("Minimum payout", alignment="right", help="Less than this is carried over."),
    }


# -- ads in a creator's shows ----------------------------------------------------------------------------------------


def placements(rows: Sequence[InShow]) -> pd.DataFrame:
    """One row per placement, in the order given."""
    return pd.DataFrame(
        {
            "advertiser": [formats.shorten(row.advertiser.name, TITLE_LETTERS) for row in rows],
            "campaign": [formats.shorten(row.campaign.name, TITLE_LETTERS) for row in rows],
            "where": [
                formats.shorten(row.episode.title, TITLE_LETTERS) if row.episode else "All new episodes" for row in rows
            ],
            "delivered": [row.delivered for row in rows],
            "confirmed": [row.confirmed for row in rows],
            "offline": [
                formats.share(row.offline_confirmed / row.confirmed) if row.confirmed else formats.DASH for row in rows
            ],
            "part": [positions.span(row.placement.start_ms, row.placement.end_ms) for row in rows],
            "days": [_days(row) for row in rows],
            "state": [_state(row, clock.today()) for row in rows],
            "creative": [row.creative.name if row.creative else formats.DASH for row in rows],
        }
    )


def _days(row: InShow) -> str:
    first, last = row.placement.from_day, row.placement.to_day
    return positions.days(first, last) if first <= last else "never"


def _state(row: InShow, today: date) -> str:
    if row.placement.removed_at is not None:
        return "Removed"
    if row.placement.from_day > today:
        return "To come"
    return "Running" if row.placement.to_day >= today else "Over"


def placement_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "advertiser": column.TextColumn("Advertiser", width=195, pinned=True),
        "campaign": column.TextColumn("Campaign", width=125),
        "where": column.TextColumn("Episode", width=150),
        "part": column.TextColumn("Part"),
        "days": column.TextColumn("Counts (UTC)"),
        "state": column.TextColumn("State"),
        "creative": column.TextColumn("What is said", width=160),
        "delivered": column.NumberColumn("Delivered", format="%,d"),
        "confirmed": column.NumberColumn("Confirmed", format="%,d"),
        "offline": column.TextColumn(
            "Offline", alignment="right", help="The share of the confirmed ones that was heard offline."
        ),
    }
