"""Which shows reach whom: reach, overlap, what another show brings, and what to expect."""

import streamlit as st

from dashboard import campaign_data, cells, filters, planner_cards, planner_data
from models.periods import Period
from models.tables import User

MOST_SHOWS = 12
"""A matrix of more could not be read."""


def render(user: User) -> None:
    """The whole page."""
    st.title("Planner")
    st.caption("Whom shows reach, by themselves and together, counted in devices with a listen.")
    shows = planner_data.shows()
    if not shows:
        with st.container(border=True, key="card-empty"):
            st.subheader("There are no shows to plan with yet")
            st.write("As soon as a creator publishes one, its reach is here.")
        return
    chosen, period = _choose(shows)
    if not chosen:
        with st.container(border=True, key="card-empty"):
            st.subheader("Choose shows above")
            st.write(
                "One show has its reach and a forecast. With two or more you see how far they reach the same people."
            )
        return
    plan = planner_data.plan(user, tuple(chosen), period.first, period.last)
    planner_cards.reach(plan, period)
    if len(chosen) > 1:
        planner_cards.overlap(plan)
    planner_cards.increments(user, plan, period)
    if campaign_data.is_guarded(user):
        st.caption(cells.SAMPLED)
    planner_cards.forecast(user, plan)


def _choose(shows: dict[int, str]) -> tuple[list[int], Period]:
    left, right = st.columns([3, 2], vertical_alignment="top")
    with left:
        chosen = st.multiselect(
            f"Shows, {MOST_SHOWS} at most", list(shows), format_func=lambda show: shows[show], key="planned",
            default=list(shows)[:2], max_selections=MOST_SHOWS,
        )  # fmt: skip
    with right:
        period = filters.choose_period()
    return chosen, period
