"""What shows are expected to bring, from their own past: as `GET /v1/shows/{id}/forecast?covers=all` says it."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from dashboard import campaign_data, clock, store
from models.forecast import HISTORY_DAYS, Answer, NotEnough, forecast_show, tell
from models.queries import show_history
from models.tables import User

CACHE_SECONDS = 300
"""A forecast leaves the last days out: it changes once a day."""


def shows(user: User, wanted: tuple[int, ...], first: date, last: date) -> pd.DataFrame:
    """For each show: title, expected, low and high; or the reason why there is no forecast."""
    titles = {show.id: show.title for show in campaign_data.catalogue()}
    answers = [(titles[show], _show(show, first, last, clock.today())) for show in wanted]
    return frame(answers, is_guarded=campaign_data.is_guarded(user))


def frame(answers: list[tuple[str, Answer]], *, is_guarded: bool) -> pd.DataFrame:
    """A row for each answer; guarded, in whole fifties."""
    rows = [(title, *_told(answer, is_guarded=is_guarded)) for title, answer in answers]
    return pd.DataFrame(rows, columns=["title", "expected", "low", "high", "reason"])


def _told(answer: Answer, *, is_guarded: bool) -> tuple[int, int, int, str]:
    told = tell(answer, hides_few=is_guarded)
    return (0, 0, 0, told.reason) if isinstance(told, NotEnough) else (told.expected, told.low, told.high, "")


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def _show(show_id: int, first: date, last: date, today: date) -> Answer:
    with store.read() as session:
        episodes = show_history.list_released(session, show_id, clock.now())
        histories = show_history.list_listens(session, episodes, today - timedelta(days=HISTORY_DAYS))
    return forecast_show(histories, first, last, today, only_new=False)
