"""The tables about downloads: their cells, and how Streamlit shows them."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import download_data, formats, tables
from models import metrics

FIRST_TITLES = ("First 7 days", "First 30 days", "First 90 days")
FIRST_HELP = "Downloads from the hour of publication on, for so many times 24 hours. Empty: not so old yet."


def episodes(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per episode, most downloaded first."""
    return pd.DataFrame(
        {
            "uuid": frame["uuid"],
            "title": [tables.title_of(row) for row in frame.itertuples()],
            "published": [None if pd.isna(when) else when.date() for when in frame["published_at"]],
            "downloads": frame["downloads"],
            **{column: frame[column] for column in download_data.FIRST_COLUMNS},
        }
    ).reset_index(drop=True)


def episode_columns(days: int) -> dict[str, Any]:
    """How each column looks. A click on a title is in the session state under `tables.OPEN_KEY` for one run."""
    column = st.column_config
    named = zip(download_data.FIRST_COLUMNS, FIRST_TITLES, strict=True)
    return {
        "title": tables.title_column(),
        "published": column.DateColumn("Published", format="D MMM YYYY", help="UTC. Empty: a draft."),
        "downloads": column.NumberColumn(
            f"Last {days} days", format="%,d", help=metrics.DOWNLOADS.definition, width="small"
        ),
        **{key: column.NumberColumn(name, format="%,d", help=FIRST_HELP, width="small") for key, name in named},
    }


def outcomes(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for each outcome, and one for all hits together."""
    rows = pd.DataFrame(
        {
            "outcome": frame["name"],
            "hits": frame["hits"],
            "share": frame["share"],
            "sent": [formats.size(value) for value in frame["sent_bytes"]],
        }
    )
    total = ("All hits", frame["hits"].sum(), round(frame["share"].sum(), 1), formats.size(frame["sent_bytes"].sum()))
    return pd.concat([rows, pd.DataFrame([total], columns=list(rows.columns))], ignore_index=True)


def outcome_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "outcome": column.TextColumn("What became of it", pinned=True),
        "hits": column.NumberColumn("Hits", format="%,d", help=metrics.HITS.definition),
        "share": column.NumberColumn("Share", format="%.1f %%"),
        "sent": column.TextColumn("Sent", help=metrics.SENT_BYTES.definition, alignment="right"),
    }
