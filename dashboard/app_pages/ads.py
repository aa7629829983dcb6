"""The ads in a creator's shows: whose, where, when, and what they brought."""

import streamlit as st

from dashboard import data, earnings_data, earnings_tables, filters, tables
from dashboard.app_pages import empty
from models.tables import User


def render(user: User) -> None:
    """The whole page."""
    st.title("Ads in your shows")
    shows = data.shows(user)
    if not shows:
        empty.no_shows(user)
        return
    show = filters.choose_show(shows)
    rows = earnings_data.placements(show)
    with st.container(border=True, key="card-placements"):
        if not rows:
            st.subheader("No ad stands in this show yet")
            st.write(
                "Advertisers choose episodes themselves, among all that are public. As soon as one has placed an ad, "
                "you see here where it is heard, and how often."
            )
            return
        st.caption(
            "An ad is *delivered* with a download that has all of it, and *confirmed* when a device heard it. What you "
            "are paid for it is in your statements."
        )
        table = earnings_tables.placements(rows)
        st.dataframe(
            table, hide_index=True, height=tables.height(table), row_height=tables.ROW_PIXELS,
            column_config=earnings_tables.placement_columns(),
        )  # fmt: skip
