"""The episodes table: its cells and how Streamlit shows them."""

from typing import Any, Literal

import pandas as pd
import streamlit as st

from dashboard import formats, summary, theme
from models import metrics

OPEN_KEY = "open_episode"
ROW_PIXELS = 42
MAX_ROWS_SHOWN = 15
TITLE_LETTERS = 36
"""What of a title fits into its column."""


def episodes(frame: pd.DataFrame, trends: dict[int, list[int]]) -> pd.DataFrame:
    """One row per episode, newest first, drafts on top; shares in per cent, absent where there is nothing to divide."""
    newest_first = frame.sort_values(["published_at", "episode_id"], ascending=False, na_position="first")
    titles = [title_of(row) for row in newest_first.itertuples()]
    return pd.DataFrame(
        {
            "uuid": newest_first["uuid"],
            "title": titles,
            "published": [None if pd.isna(when) else when.date() for when in newest_first["published_at"]],
            "trend": [trends.get(episode_id, []) for episode_id in newest_first["episode_id"]],
            "starts": newest_first["starts"],
            "listens": newest_first["listens"],
            "offline_share": summary.each(newest_first, metrics.OFFLINE_SHARE) * 100,
            "completion_rate": summary.each(newest_first, metrics.COMPLETION_RATE) * 100,
            "hours": newest_first["heard_seconds"] / formats.SECONDS_PER_HOUR,
        }
    ).reset_index(drop=True)


def episode_columns() -> dict[str, Any]:
    """How each column looks. A click on a title is in the session state under `OPEN_KEY` for one run."""
    column = st.column_config
    return {
        "title": title_column(),
        "published": column.DateColumn("Published", format="D MMM YYYY", help="UTC. Empty: a draft."),
        "trend": column.AreaChartColumn(
            "Trend", width=120, help="Listens over the period.", y_min=0, color=theme.ONLINE
        ),
        "starts": _count(metrics.STARTS),
        "listens": _count(metrics.LISTENS),
        "offline_share": _share(metrics.OFFLINE_SHARE),
        "completion_rate": _share(metrics.COMPLETION_RATE),
        "hours": column.NumberColumn("Hours", format="%,.1f", help=metrics.HEARD_SECONDS.definition),
    }


def retention_columns() -> dict[str, Any]:
    """How the rows of a retention curve look."""
    titles = {"heard": "Listening", "skipped": "Skipped", "replayed": "Played again", "typical": "Typical of the show"}
    numbers = {name: st.column_config.NumberColumn(title, format="%.1f %%") for name, title in titles.items()}
    return {"from": "From", **numbers}


def height(table: pd.DataFrame) -> int | Literal["content"]:
    """All rows, or a screenful of them in pixels."""
    return "content" if len(table) <= MAX_ROWS_SHOWN else ROW_PIXELS * (MAX_ROWS_SHOWN + 1)


def title_column() -> Any:
    """A title that opens the episode's own page."""
    return st.column_config.ButtonColumn(
        "Episode", type="tertiary", alignment="left", width=290, pinned=True, key=OPEN_KEY
    )


def title_of(row: Any) -> str:
    """A title as short as its column, marked when it is a draft's or a deleted episode's."""
    mark = " (deleted)" if not pd.isna(row.deleted_at) else " (draft)" if pd.isna(row.published_at) else ""
    return formats.shorten(row.title, TITLE_LETTERS - len(mark)) + mark


def _count(metric: metrics.Metric) -> Any:
    return st.column_config.NumberColumn(metric.title, format="%,d", help=metric.definition)


def _share(metric: metrics.Metric) -> Any:
    return st.column_config.NumberColumn(metric.title, format="%.0f %%", help=metric.definition)
