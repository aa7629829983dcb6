"""What pages ask of the store about downloads, as frames. The numbers are those of `GET /v1/shows/{id}/downloads`."""

from datetime import date

import pandas as pd
import streamlit as st

from dashboard import clock, countries, download_shares, outcome_texts, store
from dashboard.data import CACHE_SECONDS
from models.downloads import DOWNLOAD
from models.periods import Period
from models.queries import download_consumers, downloads, first_days
from models.queries.download_consumers import DayConsumers
from models.queries.downloads import APP, COUNTRY, DEVICE, DayHits, Of, Rules

UNKNOWN = "Unknown"
FIRST_COLUMNS = [f"first_{days}" for days in first_days.FIRST_DAYS]


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def days(of: Of, first: date, last: date) -> pd.DataFrame:
    """Downloads, hits and bytes for every day of a period up to today, zeros where there was nothing."""
    period, today = Period(first, last), clock.today()
    with store.read() as session:
        found = {row.day: row for row in downloads.list_hit_days(session, of, period)}
    rows = [found.get(day, DayHits(day, 0, 0, 0)) for day in period.each_day() if day <= today or day in found]
    return pd.DataFrame(rows, columns=list(DayHits._fields))


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def episodes(of: Of, first: date, last: date) -> pd.DataFrame:
    """Episodes with their downloads in a period and in their own first days, absent where they are too young."""
    with store.read() as session:
        rows = downloads.list_episodes(session, of, Period(first, last))
        early = {row.episode_id: row.downloads for row in first_days.list_first_days(session, of, clock.now())}
    kept = [row for row in rows if row.deleted_at is None or row.downloads]
    nothing = (None,) * len(FIRST_COLUMNS)
    frame = pd.DataFrame(kept, columns=list(downloads.EpisodeDownloads._fields))
    for place, column in enumerate(FIRST_COLUMNS):
        frame[column] = pd.array([early.get(row.episode_id, nothing)[place] for row in kept], dtype="Int64")
    return frame


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def split(of: Of, first: date, last: date, kind: str) -> pd.DataFrame:
    """Downloads by app, device class or country: name, downloads; most first."""
    with store.read() as session:
        rows = downloads.list_split(session, of, Period(first, last), kind)
    return pd.DataFrame([(_name(kind, row.value), row.downloads) for row in rows], columns=["name", "downloads"])


def _name(kind: str, value: str) -> str:
    if not value:
        return UNKNOWN
    return {APP: str, DEVICE: outcome_texts.device_name, COUNTRY: countries.name_of}[kind](value)


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def outcomes(of: Of, first: date, last: date) -> pd.DataFrame:
    """All hits of a period by what became of them, downloads first; the shares add up to 100."""
    with store.read() as session:
        rows = downloads.list_outcomes(session, of, Period(first, last))
    rows.sort(key=lambda row: (row.outcome != DOWNLOAD, -row.hits))
    return pd.DataFrame(
        {
            "outcome": [row.outcome for row in rows],
            "name": [outcome_texts.text_of(row.outcome).title for row in rows],
            "hits": [row.hits for row in rows],
            "share": download_shares.percentages([row.hits for row in rows]),
            "sent_bytes": [row.sent_bytes for row in rows],
        }
    )


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def consumers(of: Of, last: date) -> DayConsumers:
    """Unique consumers over the 1, 7 and 30 days that end with this one."""
    with store.read() as session:
        (row,) = download_consumers.list_consumers(session, of, Period(last, last))
    return row


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def last_day(of: Of) -> date | None:
    """The newest day with a hit, of all time."""
    with store.read() as session:
        return downloads.get_last_day(session, of)


@st.cache_data(ttl=CACHE_SECONDS, max_entries=1, show_spinner=False)
def rules() -> Rules:
    """What the numbers were counted with."""
    with store.read() as session:
        return downloads.get_rules(session)
