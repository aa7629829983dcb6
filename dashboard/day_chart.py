"""The card with listens per day, as Overview and an episode's page both show it."""

from datetime import datetime

import pandas as pd
import streamlit as st

from dashboard import charts, clock, provisional


def show(days: pd.DataFrame, growing: pd.DataFrame, published_at: datetime | None = None) -> None:
    """The chart, or one sentence when nothing was heard; `growing` has the provisional days."""
    with st.container(border=True, key="card-days"):
        st.subheader("Listens per day")
        if not days["listens"].any():
            st.write("No listen in these days. Choose a longer period, or wait for phones that were offline.")
            return
        said = provisional.caption(growing, clock.today())
        st.caption(said)
        figure = charts.listens_per_day(days, published_at, growing)
        st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt=f"Listens per UTC day. {said}")
