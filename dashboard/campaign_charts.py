"""A campaign's figures: from a frame to Plotly. Pure. Hidden numbers are absent and get a mark of their own."""

from datetime import date
from decimal import Decimal
from html import escape

import pandas as pd
import plotly.graph_objects as go

from dashboard import cells, charts, formats, money, theme
from models.privacy_cells import LEAST

HEIGHT = 320
HIDDEN_COLOUR = "rgba(92, 105, 103, 0.16)"
HIDDEN_NAME = cells.FEWER.capitalize()
BAND = "rgba(37, 101, 91, 0.16)"
NAME_LETTERS = 30
"""What of a name fits above a bar in a third of the page."""


def impressions_per_day(frame: pd.DataFrame) -> go.Figure:
    """Columns of confirmed impressions, online below offline, and a line of delivered ones, by UTC day."""
    online = [
        0.0
        if cells.is_hidden(row.confirmed) or cells.is_hidden(row.offline)
        else max(0.0, float(row.confirmed - row.offline))
        for row in frame.itertuples()
    ]
    # A day whose offline part alone is hidden still has its whole column, of neither colour.
    whole = [
        float(row.confirmed) if cells.is_hidden(row.offline) and not cells.is_hidden(row.confirmed) else 0.0
        for row in frame.itertuples()
    ]
    figure = go.Figure(layout={"template": charts.TEMPLATE, "barmode": "stack", "hovermode": "x unified"})
    figure.add_bar(x=frame["day"], y=online, name="Confirmed, online", marker_color=theme.ONLINE)
    figure.add_bar(
        x=frame["day"], y=cells.heights(frame["offline"]), name="Confirmed, offline", marker_color=theme.OFFLINE
    )
    if any(whole):
        name = "Confirmed, offline part too small to tell"
        figure.add_bar(x=frame["day"], y=whole, name=name, marker_color=theme.PINE_PALE)
    _add_hidden_days(figure, frame)
    figure.add_scatter(
        x=frame["day"], y=[None if cells.is_hidden(value) else float(value) for value in frame["delivered"]],
        name="Delivered", mode="lines+markers", line={"color": theme.FETCHED, "width": 2.2}, marker={"size": 5},
    )  # fmt: skip
    highest = max([*cells.heights(frame["delivered"]), *cells.heights(frame["confirmed"]), 1.0])
    _days_axis(figure)
    _count_axis(figure, highest)
    figure.update_layout(height=HEIGHT)
    return figure


def quartiles(frame: pd.DataFrame) -> go.Figure:
    """A column for each share of the ad that was heard; the one that confirms an impression is the darkest."""
    figure = go.Figure(layout={"template": charts.TEMPLATE, "showlegend": False, "height": 290})
    colours = [theme.PINE if confirms else theme.PINE_PALE for confirms in frame["confirms"]]
    figure.add_bar(
        x=frame["name"], y=cells.heights(frame["impressions"]), marker_color=colours, hoverinfo="skip",
        text=[f"<b>{cells.number(row.impressions)}</b><br>{row.share}" for row in frame.itertuples()],
        textposition="outside", cliponaxis=False, textfont={"size": 13},
    )  # fmt: skip
    highest = max([*cells.heights(frame["impressions"]), 1.0])
    figure.update_xaxes(fixedrange=True, type="category", tickangle=0)
    figure.update_yaxes(visible=False, fixedrange=True, range=[0, highest * 1.25])
    return figure


def reach_curve(frame: pd.DataFrame) -> go.Figure:
    """Devices reached by the end of each day, in the band that says from where to where the number may be."""
    seen = frame[[not cells.is_hidden(value) for value in frame["reach"]]]
    figure = go.Figure(layout={"template": charts.TEMPLATE, "showlegend": False, "height": 290})
    if not seen.empty:
        edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        figure.add_scatter(x=seen["day"], y=seen["high"].astype(float), name="High", **edge)
        figure.add_scatter(
            x=seen["day"], y=seen["low"].astype(float), name="Low", fill="tonexty", fillcolor=BAND, **edge
        )
    words = [
        cells.reach(cells.Reached(row.reach, row.low, row.high, bool(row.is_exact), bool(row.is_rounded)))
        for row in seen.itertuples()
    ]
    figure.add_scatter(
        x=seen["day"], y=seen["reach"].astype(float), name="Reach", mode="lines+markers", text=words,
        line={"color": theme.ONLINE, "width": 2.5}, marker={"size": 5},
        hovertemplate="%{x|%a %-d %b %Y}<br>%{text}<extra></extra>",
    )  # fmt: skip
    _days_axis(figure)
    # Hidden days have no point, but their place on the axis.
    if len(frame):
        figure.update_xaxes(range=[_noon_before(frame["day"].iloc[0]), _noon_after(frame["day"].iloc[-1])])
    _count_axis(figure, max([*cells.heights(seen["high"]), 1.0]))
    return figure


def bars(names: pd.Series, values: pd.Series, shares: list[str], colour: str = theme.FETCHED) -> go.Figure:
    """Lying bars in the order given, name and number above each; a hidden number has a short pale bar and says so."""
    places = list(range(len(names)))[::-1]
    heights = cells.heights(values)
    longest = max([*heights, 1.0])
    hidden = set(cells.hidden_places(values))
    figure = go.Figure(layout={"template": charts.TEMPLATE, "showlegend": False, "barmode": "overlay"})
    figure.add_bar(
        x=[longest * 0.03 if place in hidden else height for place, height in enumerate(heights)], y=places,
        orientation="h", width=0.3, hoverinfo="skip",
        marker_color=[HIDDEN_COLOUR if place in hidden else colour for place in range(len(heights))],
    )  # fmt: skip
    for row, (place, name, value, share) in enumerate(zip(places, names, values, shares, strict=True)):
        label = {"y": place, "yshift": 17, "showarrow": False, "xref": "paper"}
        said = cells.FEWER if row in hidden else f"<b>{formats.number(value)}</b>  {share}"
        figure.add_annotation(x=0, xanchor="left", text=escape(formats.shorten(name, NAME_LETTERS)), **label)
        figure.add_annotation(x=1, xanchor="right", text=said, **label)
    figure.update_xaxes(visible=False, fixedrange=True, range=[0, longest])
    figure.update_yaxes(visible=False, fixedrange=True, range=[-0.5, len(names) - 0.1])
    figure.update_layout(height=10 + charts.ROW_PIXELS * len(names), margin={"l": 0, "r": 0, "t": 0, "b": 0})
    return figure


def spend(frame: pd.DataFrame, budget_cents: int, currency: str, today: date) -> go.Figure:
    """What was spent by the end of each day, the even pace towards the budget, and the budget itself."""
    past = frame[frame["day"] <= today]
    figure = go.Figure(layout={"template": charts.TEMPLATE, "height": 280})
    figure.add_scatter(
        x=frame["day"], y=_major(frame["even"], currency), name="Even pace", mode="lines", hoverinfo="skip",
        line={"color": theme.MUTED, "width": 1.5, "dash": "dot"},
    )  # fmt: skip
    figure.add_scatter(
        x=past["day"], y=_major(past["spent"], currency), name="Spent", mode="lines", fill="tozeroy", fillcolor=BAND,
        line={"color": theme.PINE, "width": 2.5, "shape": "hv"},
        text=[money.said(round(value), currency) for value in past["spent"]],
        hovertemplate="%{x|%a %-d %b %Y}<br>%{text}<extra></extra>",
    )  # fmt: skip
    budget = float(money.major(budget_cents, currency))
    figure.add_hline(y=budget, line={"color": theme.APRICOT_DEEP, "width": 1.5})
    figure.add_annotation(
        x=0, xref="paper", y=budget, text=f"Budget {money.said(budget_cents, currency)}", showarrow=False,
        xanchor="left", yanchor="bottom", font={"color": theme.APRICOT_DEEP, "size": 13},
    )  # fmt: skip
    _days_axis(figure)
    symbol = money.symbol(currency)
    figure.update_yaxes(tickprefix=symbol if len(symbol) == 1 else f"{symbol} ", tickformat=",~f", nticks=5)
    figure.update_yaxes(fixedrange=True, range=[0, budget * 1.16])
    return figure


def _add_hidden_days(figure: go.Figure, frame: pd.DataFrame) -> None:
    places = cells.hidden_places(frame["confirmed"])
    if places:
        figure.add_bar(
            x=[frame["day"].iloc[place] for place in places], y=[LEAST] * len(places), name=HIDDEN_NAME,
            marker={"color": HIDDEN_COLOUR, "line": {"color": theme.MUTED, "width": 1}},
            hovertemplate=f"{cells.FEWER}<extra>Confirmed</extra>",
        )  # fmt: skip


def _days_axis(figure: go.Figure) -> None:
    figure.update_xaxes(tickformat="%-d %b", hoverformat="%a %-d %b %Y", type="date", nticks=9, fixedrange=True)


def _count_axis(figure: go.Figure, highest: float) -> None:
    figure.update_yaxes(tickformat=",d", hoverformat=",d", nticks=5, fixedrange=True, range=[0, highest * 1.14])
    # Plotly would label 0, 0.5, 1, and there is no half an impression.
    figure.update_yaxes(**({"dtick": 1} if highest < 5 else {}))


def _major(cents: pd.Series, currency: str) -> list[float]:
    unit = money.major(1, currency)
    return [float(Decimal(str(value)) * unit) for value in cents]


def _noon_before(day: date) -> str:
    return (pd.Timestamp(day) - pd.Timedelta(hours=12)).isoformat()


def _noon_after(day: date) -> str:
    return (pd.Timestamp(day) + pd.Timedelta(hours=12)).isoformat()
