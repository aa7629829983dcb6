"""Which show and which days the pages are about. Both stand in the address, so a page can be shared and reloaded."""

from collections import Counter
from dataclasses import dataclass

import streamlit as st

from dashboard import clock
from models.periods import Period, ending
from models.tables import Show

PERIODS = {7: "7 days", 28: "28 days", 60: "60 days", 90: "90 days"}
DEFAULT_PERIOD = 28


@dataclass(frozen=True, slots=True)
class Scope:
    """What the frame lets a page see."""

    show: Show
    period: Period
    """Ends today, which is not over yet."""


def choose(shows: list[Show]) -> Scope:
    """Draw the choice of show and period; `shows` must not be empty."""
    left, right = st.columns([3, 2], vertical_alignment="top")
    with left:
        show = choose_show(shows)
    with right:
        period = choose_period()
    return Scope(show, period)


def choose_show(shows: list[Show]) -> Show:
    """Draw the choice of show alone."""
    by_name = _names(shows)
    name = st.selectbox("Show", list(by_name), key="show", bind="query-params")
    return by_name.get(name or "", shows[0])


def _names(shows: list[Show]) -> dict[str, Show]:
    # Streamlit tells choices apart by their text, and two shows may have the same title.
    titles = Counter(show.title for show in shows)
    return {show.title if titles[show.title] == 1 else f"{show.title} ({show.slug})": show for show in shows}


def choose_period() -> Period:
    """Draw the choice of period alone."""
    days = st.segmented_control(
        "Period, up to today (UTC)",
        list(PERIODS),
        format_func=lambda days: PERIODS[days],
        default=DEFAULT_PERIOD,
        required=True,
        key="days",
        bind="query-params",
    )
    return ending(clock.today(), days or DEFAULT_PERIOD)
