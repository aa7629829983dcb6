"""What shows are expected to bring, from their own past."""

from datetime import date

import pandas as pd
import streamlit as st

from dashboard import campaign_data, clock, store
from models.forecast import Answer, Forecast, forecast_show
from models.queries import campaign_pages

CACHE_SECONDS = 300
"""A forecast leaves the last days out: it changes once a day."""


def shows(wanted: tuple[int, ...], first: date, last: date) -> pd.DataFrame:
    """For each show: title, expected, low and high; or the reason why there is no forecast."""
    titles = {show.id: show.title for show in campaign_data.catalogue()}
    answers = [(titles[show], _show(show, first, last, clock.today())) for show in wanted]
    return frame(answers)


def frame(answers: list[tuple[str, Answer]]) -> pd.DataFrame:
    """A row for each answer."""
    rows = [
        (title, answer.expected, answer.low, answer.high, "")
        if isinstance(answer, Forecast)
        else (title, 0.0, 0.0, 0.0, answer.reason)
        for title, answer in answers
    ]
    return pd.DataFrame(rows, columns=["title", "expected", "low", "high", "reason"])


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def _show(show_id: int, first: date, last: date, today: date) -> Answer:
    with store.read() as session:
        histories = campaign_pages.list_histories(session, show_id)
    return forecast_show(histories, first, last, today, only_new=False)
