"""The card that says how late a show's listens arrive."""

import streamlit as st

from dashboard import charts, provisional
from models.lags import Distribution


def show(lags: Distribution | None) -> None:
    """The chart, or what it takes to have one."""
    with st.container(border=True, key="card-lags"):
        st.subheader("How late listens arrive")
        if lags is None:
            st.write(
                "Not enough history yet: this needs about two and a half weeks of listens that arrived here as they "
                "were heard. Until then, no day is said to be complete or provisional."
            )
            return
        st.caption(f"{provisional.lag_sentence(lags)} From the last {lags.days} days.")
        alt = "Share of a day's listens that has arrived, by the time since the day began"
        st.plotly_chart(charts.arrival_lags(lags), theme=None, config=charts.CONFIG, alt=alt)
