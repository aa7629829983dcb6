"""The Pipeline page's tables: their cells, and how Streamlit shows them."""

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
import streamlit as st

from dashboard import formats
from models.conservation import DayBalance
from models.queries.pipeline import LogTroubles

MAX_ROWS_SHOWN = 10
ROW_PIXELS = 35
TRUE, FALSE = "\N{CHECK MARK}", "\N{BALLOT X}"

HOW_CHECKED = (
    "*Received* is the sum of the other three, so it always fits. The check asks other tables whether the parts are "
    "true: *counted* must be what the rollup of arrivals has for the day, and *set aside* must be the number of events "
    "that are kept and can be looked at, or less once a device was erased: nothing of it is kept but numbers."
)
LOG_WORDS = (
    "A device's events form a chain. **Gap**: a stretch has not come in, and may still. **Fork**: two different events "
    "for one place, as after a restored backup. **Broken**: the events do not give the hash that the device stated. "
    "Nothing of it changes a count."
)


def verdict(days: Sequence[DayBalance]) -> str:
    """One line as HTML: whether all days hold."""
    wrong = [day.received_day for day in days if not day.is_true]
    if not wrong:
        return (
            f'<p class="es-verdict es-holds"><b>{TRUE}</b> Every event of these {len(days)} days is accounted for.</p>'
        )
    noun = "day does" if len(wrong) == 1 else "days do"
    return (
        f'<p class="es-verdict es-fails"><b>{FALSE}</b> {len(wrong)} {noun} not hold, first '
        f"{formats.day(wrong[0])}. The column <i>Check</i> says what differs.</p>"
    )


def balance(days: Sequence[DayBalance]) -> pd.DataFrame:
    """One row per day, newest first."""
    return pd.DataFrame(
        {
            "day": [day.received_day for day in days],
            "check": [check(day) for day in days],
            "received": [day.received for day in days],
            "counted": [day.counted for day in days],
            "duplicate": [day.duplicate for day in days],
            "aside": [day.aside for day in days],
        }
    ).iloc[::-1]


def check(day: DayBalance) -> str:
    """A check mark, or what another table says."""
    if day.is_true:
        return TRUE
    differing = []
    if not day.is_counted_true:
        differing.append(f"{formats.number(day.arrived)} in arrivals")
    if not day.is_aside_true:
        differing.append(f"{formats.number(day.kept)} of {formats.number(day.keepable)} set aside are kept")
    return f"{FALSE} {', '.join(differing)}"


def balance_columns() -> dict[str, Any]:
    """How each column looks."""
    column = st.column_config
    return {
        "day": column.DateColumn("Day", format="D MMM YYYY", pinned=True),
        "check": column.TextColumn("Check"),
        "received": column.NumberColumn("Received", format="%,d"),
        "counted": column.NumberColumn("= Counted", format="%,d"),
        "duplicate": column.NumberColumn("+ Duplicates", format="%,d"),
        "aside": column.NumberColumn("+ Set aside", format="%,d"),
    }


def sample_columns() -> dict[str, Any]:
    """How each column of the samples looks; a sample has only some of them."""
    column = st.column_config
    when = "D MMM YYYY, HH:mm:ss"
    return {
        "received": column.DatetimeColumn("Received (UTC)", format=when, timezone="UTC"),
        "device": column.TextColumn("Device", help="The first eight hex digits of its id."),
        "kind": column.TextColumn("Kind"),
        "episode": column.TextColumn("Episode"),
        "heard_at": column.DatetimeColumn("Device's time (UTC)", format=when, timezone="UTC"),
        "from_seconds": column.NumberColumn("From, s", format="%,.1f"),
        "to_seconds": column.NumberColumn("To, s", format="%,.1f"),
        "wall_seconds": column.NumberColumn("Took, s", format="%,.1f", help="On the device's own clock."),
        "offline": column.CheckboxColumn("Offline"),
        "record": column.TextColumn("Record"),
    }


def log_columns() -> dict[str, Any]:
    """How each column of the devices looks."""
    column = st.column_config
    return {
        "device": column.TextColumn("Device", help="The first eight hex digits of its id."),
        "trouble": column.TextColumn("Trouble"),
        "missing": column.NumberColumn("Events missing", format="%,d"),
        "last_seq": column.NumberColumn("Last event", format="%,d", help="The highest `seq` it told."),
        "heard_from": column.DatetimeColumn("Heard from (UTC)", format="D MMM YYYY, HH:mm", timezone="UTC"),
    }


def log_summary(troubles: LogTroubles) -> str:
    """How many, and how."""
    noun = "device" if troubles.devices == 1 else "devices"
    parts = {"with gaps": troubles.with_gaps, "forked": troubles.forked, "broken": troubles.broken}
    return f"{formats.number(troubles.devices)} {noun}: " + ", ".join(
        f"{formats.number(count)} {name}" for name, count in parts.items() if count
    )


def hit_columns() -> dict[str, Any]:
    """How each column of the requests looks."""
    column = st.column_config
    return {
        "outcome": column.TextColumn("Outcome"),
        "events": column.NumberColumn("Requests", format="%,d"),
        "share": column.NumberColumn("Share", format="%.1f %%"),
    }


def height(table: pd.DataFrame) -> int | Literal["content"]:
    """All rows, or a screenful of them in pixels."""
    return "content" if len(table) <= MAX_ROWS_SHOWN else ROW_PIXELS * (MAX_ROWS_SHOWN + 1)
