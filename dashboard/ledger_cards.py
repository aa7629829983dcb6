"""Bookings and history of a statement, as cards."""

from typing import cast

import streamlit as st

from dashboard import ledger_data, tables
from dashboard import ledger_tables as shown
from dashboard.statement_data import Detail


def of_statement(detail: Detail) -> None:
    """What was booked of it, and who did what to it."""
    booked = ledger_data.bookings_of(cast("int", detail.statement.id))
    with st.container(border=True, key="card-bookings"):
        st.subheader("Bookings")
        if booked:
            st.dataframe(
                shown.entries(booked).drop(columns=["about"]), hide_index=True, column_config=shown.entry_columns()
            )
        else:
            st.write("None yet: approving a statement books it.")
    with st.container(border=True, key="card-history"):
        st.subheader("Who did what")
        table = shown.trail(ledger_data.history("statement", detail.statement.uuid))
        if table.empty:
            st.write("Nothing is known of it.")
            return
        st.dataframe(
            table.drop(columns=["about"]), hide_index=True, height=tables.height(table),
            column_config=shown.trail_columns(),
        )  # fmt: skip
