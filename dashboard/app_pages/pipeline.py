"""What became of everything that came in, for admins."""

import pandas as pd
import streamlit as st

from dashboard import charts, filters, formats, pipeline_charts, pipeline_data, pipeline_strip, pipeline_tables, replay
from dashboard.pipeline_causes import text_of
from dashboard.pipeline_data import Totals
from models.conservation import ERASED, DayBalance, causes_of
from models.periods import Period


def render() -> None:
    """The whole page."""
    st.title("Pipeline")
    st.caption("What became of everything that came in. Days are UTC days of the receipt.")
    totals = pipeline_strip.begin()
    pipeline_strip.show()
    replay.tell()
    period = filters.choose_period()
    _balance(pipeline_data.days(period.first, period.last, totals), period)
    _set_aside(totals)
    _logs(totals)
    _hits(pipeline_data.hits(period.first, period.last, totals), period)


def _balance(days: list[DayBalance], period: Period) -> None:
    with st.container(border=True, key="card-balance"):
        st.subheader("Received = counted + duplicates + set aside")
        if not any(day.received or day.arrived or day.kept for day in days):
            st.write(f"No event has come in during the last {period.days} days.")
            return
        st.html(pipeline_tables.verdict(days))
        figure = pipeline_charts.outcomes_per_day(days)
        st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt="Events per UTC day of receipt, by outcome")
        table = pipeline_tables.balance(days)
        height = pipeline_tables.height(table)
        st.dataframe(table, hide_index=True, height=height, column_config=pipeline_tables.balance_columns())
        st.caption(pipeline_tables.HOW_CHECKED)


def _set_aside(totals: Totals) -> None:
    causes = causes_of(dict(totals))
    with st.container(border=True, key="card-causes"):
        st.subheader("Set aside")
        if not causes:
            st.write("Nothing is set aside: every event that ever came in was counted, or was a repetition.")
            return
        st.caption("All that is set aside now, whenever it came in.")
        for cause, events in causes.items():
            _cause(cause, events, totals)


def _cause(cause: str, events: int, totals: Totals) -> None:
    text = text_of(cause)
    with st.container(key=f"cause-{cause}"):
        st.markdown(f"**{text.title}** · {formats.number(events)} {'event' if events == 1 else 'events'}")
        st.write(f"{text.meaning} {text.advice}")
        if cause != ERASED:
            with st.expander("Newest samples", key=f"samples-{cause}"):
                table = pipeline_data.samples(cause, totals)
                st.dataframe(table, hide_index=True, column_config=pipeline_tables.sample_columns())
        if text.can_replay:
            replay.offer(cause, events)


def _logs(totals: Totals) -> None:
    with st.container(border=True, key="card-logs"):
        st.subheader("Devices whose log is not whole")
        troubles = pipeline_data.log_troubles(totals)
        if not troubles.devices:
            st.write("None: what every device told fits together without a hole.")
            return
        st.caption(pipeline_tables.LOG_WORDS)
        st.write(pipeline_tables.log_summary(troubles))
        table = pipeline_data.troubled_logs(totals)
        height = pipeline_tables.height(table)
        st.dataframe(table, hide_index=True, height=height, column_config=pipeline_tables.log_columns())


def _hits(hits: pd.DataFrame, period: Period) -> None:
    with st.container(border=True, key="card-hits"):
        st.subheader("Requests for audio")
        if hits.empty:
            st.write(f"Nobody has asked for audio during the last {period.days} days.")
            return
        st.caption(f"{formats.number(hits['events'].sum())} in the last {period.days} days, by what became of them.")
        st.dataframe(hits, hide_index=True, column_config=pipeline_tables.hit_columns())
