"""An advertiser's tables: their cells, and how Streamlit shows them."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import cells, formats, money, positions

OPEN_KEY = "open_campaign"
NAME_LETTERS, TITLE_LETTERS, SHOW_LETTERS = 32, 34, 26
"""What of a name fits into its column: a campaign's, an episode's, a show's."""

STATES = {
    "upcoming": "Not started",
    "running": "Running",
    "exhausted": "Budget used up",
    "ended": "Ended",
}
BADGES = {"upcoming": "blue", "running": "green", "exhausted": "orange", "ended": "gray"}


def badge(state: str) -> str:
    """A campaign's state as a Markdown badge."""
    return f":{BADGES[state]}-badge[{STATES[state]}]"


def campaigns(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per campaign, in the frame's order."""
    rows = list(frame.itertuples())
    return pd.DataFrame(
        {
            "uuid": [row.uuid for row in rows],
            "name": [formats.shorten(row.name, NAME_LETTERS) for row in rows],
            "advertiser": [row.advertiser for row in rows],
            "state": [STATES[row.state] for row in rows],
            "spent": [100 * row.spent_cents / row.budget_cents for row in rows],
            "pace": [row.pace for row in rows],
            "cost": [money.said(row.spent_cents, row.currency) for row in rows],
            "budget": [money.said(row.budget_cents, row.currency) for row in rows],
            "impressions": [cells.number(row.impressions) for row in rows],
            "days": [positions.days(row.from_day, row.to_day) for row in rows],
        }
    )


def campaign_columns(*, has_several: bool) -> dict[str, Any]:
    """How each column looks. A click on a name is in the session state under `OPEN_KEY` for one run."""
    column = st.column_config
    return {
        "uuid": None,
        "name": column.ButtonColumn(
            "Campaign",
            type="tertiary",
            alignment="left",
            width=160 if has_several else 240,
            pinned=True,
            key=OPEN_KEY,
        ),
        "advertiser": column.TextColumn("Advertiser", width=145) if has_several else None,
        "state": column.TextColumn("State"),
        "spent": column.ProgressColumn(
            "Of the budget",
            format="%.0f %%",
            min_value=0,
            max_value=100,
            width=115 if has_several else None,
            help="Billed so far, as a share of it.",
        ),
        "pace": column.TextColumn("Pace", help="Against spending the budget evenly over the campaign's days."),
        "cost": column.TextColumn("Spent", alignment="right"),
        "budget": column.TextColumn("Budget", alignment="right"),
        "impressions": column.TextColumn(
            "Impressions", alignment="right", help="Of the kind that the campaign pays for."
        ),
        "days": column.TextColumn("Days (UTC)"),
    }


def episodes(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per episode, most impressions first."""
    rows = list(frame.itertuples())
    return pd.DataFrame(
        {
            "title": [formats.shorten(row.title, TITLE_LETTERS) for row in rows],
            "show": [formats.shorten(row.show, SHOW_LETTERS) for row in rows],
            "delivered": [cells.number(row.delivered) for row in rows],
            "confirmed": [cells.number(row.confirmed) for row in rows],
            "offline": [cells.share(row.offline, row.confirmed) for row in rows],
            "whole": [cells.share(row.heard_100, row.started) for row in rows],
        }
    )


def episode_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "title": column.TextColumn("Episode", width=240),
        "show": column.TextColumn("Show", width=190),
        "delivered": column.TextColumn("Delivered", alignment="right"),
        "confirmed": column.TextColumn("Confirmed", alignment="right"),
        "offline": column.TextColumn("Offline share", alignment="right", help="Of the confirmed ones."),
        "whole": column.TextColumn(
            "Heard to the end", alignment="right", help="Of those that began to hear the ad, who heard all of it."
        ),
    }


def placements(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per placement, in the order they were made; removed ones too."""
    rows = list(frame.itertuples())
    return pd.DataFrame(
        {
            "show": [formats.shorten(row.show, SHOW_LETTERS) for row in rows],
            "where": [formats.shorten(row.where, TITLE_LETTERS) for row in rows],
            "part": [positions.span(row.start_ms, row.end_ms) for row in rows],
            "days": [row.days for row in rows],
            "creative": [formats.shorten(row.creative, SHOW_LETTERS) for row in rows],
            "state": [row.state for row in rows],
        }
    )


def placement_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "show": column.TextColumn("Show", width=190),
        "where": column.TextColumn("Episode", width=240),
        "part": column.TextColumn("Part"),
        "days": column.TextColumn("Counts (UTC)"),
        "creative": column.TextColumn("Creative"),
        "state": column.TextColumn("State"),
    }


def creative_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "name": column.TextColumn("Creative"),
        "click_url": column.TextColumn("Click address"),
        "placements": column.NumberColumn("Placements", format="%,d"),
    }
