"""What the planner asks of the store: reach, overlap and forecast of shows."""

from dataclasses import dataclass
from datetime import date

import pandas as pd
import streamlit as st

from dashboard import campaign_data, cells, plan_frames, store
from dashboard.cells import Reached
from dashboard.data import CACHE_SECONDS
from models import planning
from models.periods import Period
from models.tables import User


@dataclass(frozen=True, slots=True)
class Plan:
    """Chosen shows over some days."""

    shows: tuple[int, ...]
    titles: list[str]
    each: list[Reached]
    together: Reached
    overlap: pd.DataFrame
    """row, column, shared, share, text; by places in `titles`."""


def shows() -> dict[int, str]:
    """Shows that can be planned with, by their small keys."""
    return {show.id: show.title for show in campaign_data.catalogue()}


def plan(user: User, wanted: tuple[int, ...], first: date, last: date) -> Plan:
    """All that the planner shows of these shows."""
    return _plan(wanted, first, last, campaign_data.is_guarded(user), shows())


@st.cache_data(ttl=CACHE_SECONDS, max_entries=100, show_spinner=False)
def _plan(wanted: tuple[int, ...], first: date, last: date, is_guarded: bool, _titles: dict[int, str]) -> Plan:
    period = Period(first, last)
    with store.read() as session:
        together = planning.reach_of(session, wanted, period, is_guarded=is_guarded)
        matrix = planning.overlap_of(session, wanted, period, is_guarded=is_guarded)
    told = [[cells.reached_of(cell) for cell in row] for row in matrix]
    return Plan(
        shows=wanted,
        titles=[_titles[show] for show in wanted],
        each=[told[place][place] for place in range(len(wanted))],
        together=cells.reached_of(together),
        overlap=plan_frames.overlap(told),
    )


def increments(user: User, plan: Plan, more: tuple[int, ...], first: date, last: date) -> pd.DataFrame:
    """What each of these shows would add: title, adds, low, high, text; best first."""
    return _increments(plan.shows, more, first, last, campaign_data.is_guarded(user), shows())


@st.cache_data(ttl=CACHE_SECONDS, max_entries=100, show_spinner=False)
def _increments(
    wanted: tuple[int, ...], more: tuple[int, ...], first: date, last: date, is_guarded: bool, _titles: dict[int, str]
) -> pd.DataFrame:
    with store.read() as session:
        found = planning.increments_of(session, wanted, more, Period(first, last), is_guarded=is_guarded)
    adds = [(_titles[show], cells.reached_of(cell)) for show, cell in zip(more, found.adds, strict=True)]
    return plan_frames.increments(adds)


def listed(plan: Plan) -> pd.DataFrame:
    """Each pair of shows once: what they share."""
    return plan_frames.pairs(plan.overlap, plan.titles)
