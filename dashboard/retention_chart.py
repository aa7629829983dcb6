"""An episode's retention as a Plotly figure over the player's time axis. Pure."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard import charts, formats, retention, theme
from models.retention import Stretch

HEIGHT = 440
TOP = 1.1
"""Where the scale of the curve ends: above 100 % stand the marks' texts."""
LANES = ((2, "skipped", "Skipped", theme.MUTED), (3, "replayed", "Played again", theme.PINE))
"""Row, column of the frame, title and colour of what is drawn below the curve."""
LANE_TOPS = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
"""Where a lane's scale may end."""

MARKS = 3
"""So many drop-offs are marked."""
MARK_DISTANCE = 0.14
"""Of the chart's width: nearer than this, a mark's text would cover that of a greater loss."""

TICKS = 6
LONG_TICKS = 4
"""On a phone no more than these find room beside each other; hours make them longer."""
LAST_TICK = 0.96
TICK_SECONDS = (5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 14_400)


def figure(course: retention.Course) -> go.Figure:
    """The curve, the show's typical one dashed, drop-offs marked; two lanes below: skipped, and played again."""
    drawn = make_subplots(rows=3, shared_xaxes=True, row_heights=[0.66, 0.17, 0.17], vertical_spacing=0.1)
    drawn.update_layout(template=charts.TEMPLATE, height=HEIGHT, hovermode="x", showlegend=course.has_typical)
    drawn.update_layout(hoverlabel={"align": "left", "font": {"family": theme.SANS, "size": 14}})
    frame = _to_the_end(course)
    said = [retention.hover(row) for _, row in frame.iterrows()]
    _add_area(drawn, 1, frame["second"], frame["heard"], said, "This episode", theme.PINE)
    if course.has_typical:
        _add_typical(drawn, frame)
    for row, column, title, colour in LANES:
        _add_area(drawn, row, frame["second"], frame[column], said, title, colour)
    _scale_shares(drawn, frame)
    _scale_time(drawn, course.duration_seconds)
    for stretch in _marked(course):
        _mark(drawn, stretch, course.duration_seconds)
    return drawn


def _to_the_end(course: retention.Course) -> pd.DataFrame:
    # The last row's seconds go on to the end of the recording, and so does its line.
    return pd.concat([course.frame, course.frame.iloc[-1:].assign(second=course.duration_seconds)])


def _add_area(
    drawn: go.Figure, row: int, seconds: pd.Series, values: pd.Series, said: list[str], name: str, colour: str
) -> None:
    drawn.add_scatter(
        x=seconds, y=values, name=name, mode="lines", fill="tozeroy", fillcolor=_pale(colour),
        line={"color": colour, "width": 2.4 if row == 1 else 1.4}, hovertext=said, hoverinfo="text",
        showlegend=row == 1, row=row, col=1,
    )  # fmt: skip


def _add_typical(drawn: go.Figure, frame: pd.DataFrame) -> None:
    drawn.add_scatter(
        x=frame["second"], y=frame["typical"], name="Typical of the show", mode="lines", hoverinfo="skip",
        line={"color": theme.MUTED, "width": 2, "dash": "dash"}, row=1, col=1,
    )  # fmt: skip


def _pale(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.16)"


# -- scales --------------------------------------------------------------------------------------------------------


def _scale_shares(drawn: go.Figure, frame: pd.DataFrame) -> None:
    quarters = [0, 0.25, 0.5, 0.75, 1]
    _label_shares(drawn, 1, quarters, TOP)
    highest = max(frame[column].max() for _, column, _, _ in LANES)
    top = next(top for top in LANE_TOPS if top >= min(highest, 1.0))
    for row, _, title, _ in LANES:
        _label_shares(drawn, row, [0, top], top)
        # A title beside its lane would take the width that a phone has not got.
        drawn.add_annotation(
            text=title, x=0, xref="paper", xanchor="left", y=1, yref=f"y{row} domain", yanchor="bottom",
            showarrow=False, font={"color": theme.MUTED, "size": 13},
        )  # fmt: skip


def _label_shares(drawn: go.Figure, row: int, values: list[float], top: float) -> None:
    texts = [formats.share(value) for value in values]
    drawn.update_yaxes(range=[0, top], tickvals=values, ticktext=texts, fixedrange=True, row=row, col=1)


def _scale_time(drawn: go.Figure, duration_seconds: int) -> None:
    most = TICKS if duration_seconds < formats.SECONDS_PER_HOUR else LONG_TICKS
    step = next((step for step in TICK_SECONDS if step * most >= duration_seconds), TICK_SECONDS[-1])
    # The text of a tick at the very end would be cut off.
    places = [place for place in range(0, duration_seconds, step) if place < duration_seconds * LAST_TICK]
    texts = [retention.position(place) for place in places]
    drawn.update_xaxes(range=[0, duration_seconds], tickvals=places, ticktext=texts, tickangle=0, fixedrange=True)
    drawn.update_xaxes(ticks="outside", ticklen=6, tickcolor=theme.LINE, row=LANES[-1][0], col=1)


# -- marks ---------------------------------------------------------------------------------------------------------


def _marked(course: retention.Course) -> list[Stretch]:
    """The greatest drop-offs whose texts do not cover each other."""
    marked: list[Stretch] = []
    for stretch in course.drop_offs:
        distances = [abs(stretch.from_second - other.from_second) for other in marked]
        if len(marked) < MARKS and all(d >= MARK_DISTANCE * course.duration_seconds for d in distances):
            marked.append(stretch)
    return marked


def _mark(drawn: go.Figure, stretch: Stretch, duration_seconds: int) -> None:
    drawn.add_shape(
        type="rect", x0=stretch.from_second, x1=stretch.to_second, y0=0, y1=1, yref="y domain", layer="below",
        fillcolor=theme.FALL, opacity=0.14, line_width=0, row=1, col=1,
    )  # fmt: skip
    is_late = stretch.from_second > duration_seconds / 2
    drawn.add_annotation(
        x=stretch.to_second if is_late else stretch.from_second, xanchor="right" if is_late else "left",
        y=1, yref="y domain", yanchor="top", text=f"\N{MINUS SIGN}{formats.share(stretch.share)}",
        showarrow=False, font={"color": theme.FALL, "size": 13}, row=1, col=1,
    )  # fmt: skip
