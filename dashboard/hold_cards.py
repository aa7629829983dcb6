"""What holds keep from being paid, as a card."""

from collections.abc import Sequence

import streamlit as st

from dashboard import hold_tables, tables
from dashboard.hold_data import Kept

ONCE = (
    "Each listen and impression once: where several rules flag it, under one of them. Refused ones are never "
    "paid; held ones are, once they are released."
)


def not_paid(rows: Sequence[Kept]) -> None:
    """By day and rule."""
    with st.container(border=True, key="card-not-paid"):
        st.subheader("What is not paid")
        if not rows:
            st.write("Nothing: what was flagged is released, or would not have been paid anyway.")
            return
        st.caption(ONCE)
        table = hold_tables.kept(rows)
        st.dataframe(
            table, hide_index=True, height=tables.height(table), column_config=hold_tables.kept_columns()
        )  # fmt: skip
