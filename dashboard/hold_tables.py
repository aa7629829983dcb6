"""Tables of holds: their cells, and how Streamlit shows them. Pure."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import formats, hold_data, hold_texts
from dashboard.hold_data import HoldDetail, HoldRow, Kept

OPEN_KEY = "open_hold"
SHOW_LETTERS = 25


def holds(rows: Sequence[HoldRow]) -> pd.DataFrame:
    """One row per hold, in the order given."""
    return pd.DataFrame(
        {
            "uuid": [str(row.hold.uuid) for row in rows],
            "rule": [hold_texts.title_of(row.hold.rule) for row in rows],
            "day": [row.hold.day for row in rows],
            "state": [hold_texts.state_of(row.hold.state) for row in rows],
            "shows": [shows(row.shows) for row in rows],
            "playbacks": [row.playbacks for row in rows],
            "devices": [row.devices for row in rows],
            "downloads": [row.downloads for row in rows],
            "reason": [row.reason or formats.DASH for row in rows],
            "decided": [row.hold.decided_at for row in rows],
        }
    )


def shows(titles: Sequence[str]) -> str:
    """`Kettle Physics`, `Kettle Physics and 2 more`."""
    if len(titles) <= 1:
        return formats.shorten(titles[0], SHOW_LETTERS) if titles else formats.DASH
    return f"{formats.shorten(titles[0], SHOW_LETTERS - 9)} and {len(titles) - 1} more"


def hold_columns(*, is_admin: bool) -> dict[str, Any]:
    """How each column looks. A click on a rule is in the session state under `OPEN_KEY` for one run."""
    column = st.column_config
    rule = (
        column.ButtonColumn("Rule", type="tertiary", alignment="left", width=240, pinned=True, key=OPEN_KEY)
        if is_admin
        else column.TextColumn("Why", width=240, pinned=True)
    )
    return {
        "uuid": None,
        "rule": rule,
        "day": column.DateColumn("Day (UTC)", format="D MMM YYYY"),
        "state": column.TextColumn("State"),
        "shows": column.TextColumn("Shows", width=180),
        "playbacks": column.NumberColumn("Playbacks", format="%,d", help="That it flags."),
        # A creator learns nothing of devices.
        "devices": column.NumberColumn("Devices", format="%,d") if is_admin else None,
        "downloads": column.NumberColumn("Downloads", format="%,d", help="Days of podcast apps that it flags."),
        "reason": column.TextColumn("Reason", help="Of the last decision.", width=220),
        "decided": column.DatetimeColumn("Decided (UTC)", format="D MMM YYYY, HH:mm", timezone="UTC"),
    }


def kept(rows: Sequence[Kept]) -> pd.DataFrame:
    """One row per day and rule, in the order given."""
    return pd.DataFrame(
        {
            "day": [row.day for row in rows],
            "rule": [hold_texts.title_of(row.rule) for row in rows],
            "state": [hold_texts.state_of(row.state) for row in rows],
            "listens": [row.listens for row in rows],
            "impressions": [row.impressions for row in rows],
        }
    )


def kept_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "day": column.DateColumn("Day (UTC)", format="D MMM YYYY", pinned=True),
        "rule": column.TextColumn("Under the rule", width=240),
        "state": column.TextColumn("State"),
        "listens": column.NumberColumn("Listens", format="%,d"),
        "impressions": column.NumberColumn("Impressions", format="%,d", help="As the campaigns are billed."),
    }


def measured(detail: HoldDetail) -> pd.DataFrame:
    """What was measured, and the rule's parameters."""
    rows = [(hold_data.measured_name(name), hold_data.measured_value(name, value), "measured")
            for name, value in sorted(detail.measured.items())]  # fmt: skip
    rows += [
        (hold_data.parameter_name(name), hold_data.measured_value(name, value), "the rule's limit")
        for name, value in sorted(detail.parameters.items())
    ]
    return pd.DataFrame(rows, columns=["what", "value", "is"])


def measured_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "what": column.TextColumn("What"),
        "value": column.TextColumn("Value", alignment="right"),
        "is": column.TextColumn(""),
    }


def episodes(detail: HoldDetail) -> pd.DataFrame:
    """What it flags by episode, most first."""
    return pd.DataFrame(detail.episodes, columns=["episode", "playbacks", "devices", "downloads"])


def episode_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "episode": column.TextColumn("Episode", width=300),
        "playbacks": column.NumberColumn("Playbacks", format="%,d"),
        "devices": column.NumberColumn("Devices", format="%,d"),
        "downloads": column.NumberColumn("Downloads", format="%,d", help="Days of consumers with downloads."),
    }
