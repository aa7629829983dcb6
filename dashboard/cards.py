"""The row of numbers at the top of a page."""

from typing import Literal

import pandas as pd
import streamlit as st

from dashboard import charts, formats, summary
from models.metrics import Metric
from models.periods import Period


def row(
    metrics: tuple[Metric, ...], now: pd.DataFrame, before: pd.DataFrame, period: Period, key: str = "cards"
) -> None:
    """One card per metric, with its change against the period before and its course."""
    with st.container(key=key):
        columns = st.columns(len(metrics), gap="small")
    for column, metric in zip(columns, metrics, strict=True):
        with column, st.container(border=True, key=f"card-{metric.slug}", height="stretch", gap="xsmall"):
            _draw(summary.card(metric, now, before), period)
    notes = " ".join(metric.note for metric in metrics if metric.note)
    st.html(f'<p class="es-note">{notes} Point at a question mark to read how a number is counted.</p>')


def _draw(card: summary.Card, period: Period) -> None:
    st.metric(
        card.metric.title,
        card.value,
        card.change or None,
        delta_color=_colour(card),
        delta_arrow="off" if formats.is_flat(card.change) else "auto",
        delta_description=f"vs prior {period.days} d" if card.change else "nothing before that",
        help=card.metric.definition,
    )
    st.html(charts.sparkline(card.metric, card.spark))


def _colour(card: summary.Card) -> Literal["off", "normal"]:
    return "normal" if card.metric.is_goal and not formats.is_flat(card.change) else "off"
