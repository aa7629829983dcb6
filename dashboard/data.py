"""Everything the pages ask of the store, as frames. The sums are those of `GET /v1/shows/{id}/stats`."""

from datetime import date
from typing import cast
from uuid import UUID

import pandas as pd
import streamlit as st

from dashboard import clock, provisional, store
from dashboard.retention import Course, course_of
from models import completeness, lags
from models.metrics import ADDITIVE_SLUGS
from models.periods import Period
from models.queries import catalogue, live, retention, stats
from models.queries.arrivals import list_arrivals
from models.tables import Episode, Role, Show, User

CACHE_SECONDS = 5
"""How old a page's numbers may be. The live strip is never cached."""

MAX_SHOWS = 500
TREND_POINTS = 20
"""A trend has at most this many stretches: a column of a table shows no more."""


def owner_id(user: User) -> int | None:
    """Whose shows this user may see: an admin everybody's, which is None."""
    return None if user.role == Role.ADMIN else user.id


def key(row: Show | Episode) -> int:
    """The small key that the counting tables know a stored row by."""
    return cast("int", row.id)


def shows(user: User) -> list[Show]:
    """The shows this user may see. Never cached: a session or a show may end between two runs."""
    with store.read() as session:
        return catalogue.list_shows(session, owner_id(user), limit=MAX_SHOWS, offset=0)


def episode(user: User, uuid: str) -> tuple[Episode, Show] | None:
    """An episode of one of the user's shows, by the id in a page's address; None for anything else."""
    try:
        wanted = UUID(uuid)
    except ValueError:
        return None
    with store.read() as session:
        return catalogue.get_episode(session, wanted, owner_id(user))


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def days(show_id: int, first: date, last: date, arrived: int = 0) -> pd.DataFrame:
    """A show's sums for every day of a period, zeros where nothing was counted. Another `arrived`, a new look."""
    period = Period(first, last)
    with store.read() as session:
        rows = stats.list_day_sums(session, show_id, period)
    return _day_frame(rows, period)


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def growing_days(show_id: int, first: date, last: date, arrived: int = 0) -> pd.DataFrame:
    """Those of a show's days that are provisional, with what is expected of them."""
    heard = days(show_id, first, last, arrived)
    with store.read() as session:
        rows = list_arrivals(session, show_id, clock.today())
    counts = {day: int(count) for day, count in zip(heard["day"], heard["listens"], strict=True)}
    return provisional.frame(completeness.estimate(rows, counts, clock.now()))


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def lags_of_show(show_id: int) -> lags.Distribution | None:
    """How late a show's listens arrive, when it is known."""
    with store.read() as session:
        return lags.distribute(list_arrivals(session, show_id, clock.today()), clock.now())


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def days_of_episode(episode_id: int, first: date, last: date) -> pd.DataFrame:
    """One episode's sums for every day of a period, zeros where nothing was counted."""
    period = Period(first, last)
    with store.read() as session:
        rows = stats.list_day_sums_of_episode(session, episode_id, period)
    return _day_frame(rows, period)


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def episodes(show_id: int, first: date, last: date, arrived: int = 0) -> pd.DataFrame:
    """A show's episodes with their sums over a period, most heard first; deleted ones where they were heard."""
    with store.read() as session:
        rows = stats.list_episode_sums(session, show_id, Period(first, last))
    kept = [row for row in rows if row.deleted_at is None or row.is_counted]
    return pd.DataFrame(kept, columns=list(stats.EpisodeSums._fields))


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def trends(show_id: int, first: date, last: date) -> dict[int, list[int]]:
    """Each heard episode's listens over a period, in equal stretches of days."""
    period = Period(first, last)
    step = -(-period.days // TREND_POINTS)
    stretches = -(-period.days // step)
    lines: dict[int, list[int]] = {}
    with store.read() as session:
        for point in stats.list_trends(session, show_id, period, step):
            lines.setdefault(point.episode_id, [0] * stretches)[point.stretch] = point.listens
    return lines


@st.cache_data(ttl=CACHE_SECONDS, max_entries=500, show_spinner=False)
def retention_of_episode(episode_id: int) -> Course:
    """How an episode's seconds were heard, over all days, beside what is typical of its show."""
    with store.read() as session:
        return course_of(retention.get_retention(session, session.get_one(Episode, episode_id), clock.now()))


def arrivals(show_id: int) -> live.Arrivals:
    """What has arrived for a show since the UTC day began; asked of the store each time."""
    with store.read() as session:
        return live.get_arrivals(session, show_id, clock.today())


def _day_frame(rows: list[stats.DaySums], period: Period) -> pd.DataFrame:
    filled = stats.fill_days(rows, period, clock.today())
    return pd.DataFrame(filled, columns=["day", *ADDITIVE_SLUGS])
