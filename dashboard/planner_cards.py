"""The planner's cards."""

from datetime import timedelta
from html import escape

import streamlit as st

from dashboard import cells, charts, clock, forecast_data, formats, planner_charts, planner_data
from dashboard.planner_data import Plan
from models.periods import Period
from models.tables import User

AHEAD_DAYS = (7, 14, 28, 60, 90)
DEFAULT_AHEAD = 14
SOME_MORE, MOST_MORE = 8, 20
"""Shows that might be added: at first, and at most."""


def reach(plan: Plan, period: Period) -> None:
    """How many devices, together and by show."""
    with st.container(border=True, key="card-plan-reach"):
        st.subheader("Reach")
        st.caption(f"Different devices with a listen in the last {period.days} days. Who hears several shows is one.")
        left, right = st.columns([1, 2], gap="medium")
        with left:
            title = "Together" if len(plan.titles) > 1 else formats.plain(plan.titles[0])
            st.metric(title, cells.short(plan.together.value))
            st.caption(cells.certainty(plan.together))
        if len(plan.titles) > 1:
            right.html(by_show(plan))


def by_show(plan: Plan) -> str:
    """Each show's own reach, with how sure it is, as an HTML table."""
    rows = "".join(
        f"<tr><td>{escape(title)}</td><td><b>{cells.number(reached.value)}</b></td>"
        f"<td>{cells.certainty(reached)}</td></tr>"
        for title, reached in zip(plan.titles, plan.each, strict=True)
    )
    return f'<table class="es-path es-reach"><tr><th>Show</th><th>Devices</th><th></th></tr>{rows}</table>'


def overlap(plan: Plan) -> None:
    """How far the shows reach the same devices."""
    with st.container(border=True, key="card-overlap"):
        st.subheader("Overlap")
        st.caption(
            "Read along a row: of this show's devices, the share that heard the other show too. On the diagonal, how "
            "many devices the show has. Point at a cell for the number with its range."
        )
        st.markdown(" · ".join(f"**{place}** {formats.plain(title)}" for place, title in enumerate(plan.titles, 1)))
        figure = planner_charts.overlap(plan.overlap, plan.titles)
        st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt="Overlap of the shows' devices")
        with st.expander("As a list, with ranges"):
            st.dataframe(
                planner_data.listed(plan), hide_index=True, height="content",
                column_config={"one": "Show", "other": "and", "shared": "Devices that heard both"},
            )  # fmt: skip


def increments(user: User, plan: Plan, period: Period) -> None:
    """What each other show would add."""
    others = {show: title for show, title in planner_data.shows().items() if show not in plan.shows}
    with st.container(border=True, key="card-increments"):
        st.subheader("What another show brings")
        if not others:
            st.write("All shows are chosen. Take one away to see what it brings.")
            return
        # Another choice above is another question: what it left out is offered again.
        more = st.multiselect(
            f"Shows that might be added, {MOST_MORE} at most", list(others), format_func=others.get,
            default=list(others)[:SOME_MORE], max_selections=MOST_MORE, key=f"more-{plan.shows}",
        )  # fmt: skip
        if not more:
            st.write("Choose a show that might be added.")
            return
        st.caption(
            "Devices that heard the other show and none of the chosen ones: dark, on top of those that are reached "
            "already. The thin line is the range, which holds 19 times of 20."
        )
        frame = planner_data.increments(user, plan, tuple(more), period.first, period.last)
        figure = planner_charts.increments(frame, float(plan.together.value or 0))
        st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt="What each other show adds to the reach")


def forecast(user: User, plan: Plan) -> None:
    """What the chosen shows are expected to bring."""
    with st.container(border=True, key="card-forecast"):
        st.subheader("Forecast")
        days = st.segmented_control(
            "Listens in the next days, from tomorrow on (UTC)", AHEAD_DAYS, default=DEFAULT_AHEAD, required=True,
            key="ahead", format_func=lambda days: f"{days} days",
        )  # fmt: skip
        first = clock.today() + timedelta(days=1)
        found = forecast_data.shows(user, plan.shows, first, first + timedelta(days=(days or DEFAULT_AHEAD) - 1))
        st.caption(
            "From each show's own past: what as many days brought before. In eight cases of ten it comes to lie in the "
            "range, drawn as the thin line."
        )
        known = found[found["reason"] == ""]
        if not known.empty:
            figure = planner_charts.forecast(known)
            st.plotly_chart(figure, theme=None, config=charts.CONFIG, alt="Listens expected of each show")
        for row in found[found["reason"] != ""].itertuples():
            st.write(f"**{formats.plain(row.title)}**: {row.reason}")
