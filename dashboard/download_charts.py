"""Downloads as Plotly figures: columns per day, and lying bars. Pure."""

from html import escape

import pandas as pd
import plotly.graph_objects as go

from dashboard import charts, formats, theme

HEIGHT = 300
NAME_LETTERS = 30
"""What of a name fits above a bar in a third of the page."""


def per_day(frame: pd.DataFrame) -> go.Figure:
    """A column for each UTC day."""
    figure = go.Figure(layout={"template": charts.TEMPLATE, "showlegend": False, "height": HEIGHT})
    figure.add_bar(
        x=frame["day"], y=frame["downloads"], marker_color=theme.FETCHED,
        hovertemplate="%{x|%a %-d %b %Y}: %{y:,d} downloads<extra></extra>",
    )  # fmt: skip
    highest = max(1.0, float(frame["downloads"].max()))
    figure.update_xaxes(tickformat="%-d %b", type="date", nticks=9, fixedrange=True)
    # Plotly would label 0, 0.5, 1, and there is no half a download.
    figure.update_yaxes(tickformat=",d", nticks=5, fixedrange=True, range=[0, highest * 1.1])
    figure.update_yaxes(**({"dtick": 1} if highest < 5 else {}))
    return figure


def bars(names: pd.Series, values: pd.Series, shares: list[str], colours: list[str] | None = None) -> go.Figure:
    """Lying bars in the order given, name and number above each with its share of all."""
    places = list(range(len(names)))[::-1]
    figure = go.Figure(layout={"template": charts.TEMPLATE, "showlegend": False})
    said = [
        f"{escape(name)}<br>{formats.number(value)} · {share}"
        for name, value, share in zip(names, values, shares, strict=True)
    ]
    figure.add_bar(
        x=values, y=places, orientation="h", width=0.3, marker_color=colours or theme.FETCHED, hovertext=said,
        hoverinfo="text",
    )  # fmt: skip
    for place, name, value, share in zip(places, names, values, shares, strict=True):
        label = {"y": place, "yshift": 17, "showarrow": False, "xref": "paper"}
        number = f"<b>{formats.number(value)}</b>  {share}"
        figure.add_annotation(x=0, xanchor="left", text=escape(formats.shorten(name, NAME_LETTERS)), **label)
        figure.add_annotation(x=1, xanchor="right", text=number, **label)
    figure.update_xaxes(visible=False, fixedrange=True, range=[0, max(1.0, float(values.max()))])
    figure.update_yaxes(visible=False, fixedrange=True, range=[-0.5, len(names) - 0.1])
    figure.update_layout(height=10 + charts.ROW_PIXELS * len(names), margin={"l": 0, "r": 0, "t": 0, "b": 0})
    return figure
