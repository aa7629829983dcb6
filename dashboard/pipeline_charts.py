"""The Pipeline page's figure. Pure: no store, no Streamlit."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard import charts, theme
from models.conservation import DayBalance


def outcomes_per_day(days: Sequence[DayBalance]) -> go.Figure:
    """Stacked columns, one per UTC day of receipt: counted below, then duplicates, then what was set aside."""
    figure = go.Figure(
        layout={"template": charts.TEMPLATE, "barmode": "stack", "hovermode": "x unified", "height": 280}
    )
    dates = [day.received_day for day in days]
    for name, values, colour in (
        ("Counted", [day.counted for day in days], theme.PINE),
        ("Duplicates", [day.duplicate for day in days], theme.PINE_PALE),
        ("Set aside", [day.aside for day in days], theme.FALL),
    ):
        figure.add_bar(x=dates, y=values, name=name, marker_color=colour)
    figure.update_xaxes(tickformat="%-d %b", hoverformat="%a %-d %b %Y", type="date", nticks=9, fixedrange=True)
    figure.update_yaxes(tickformat=",d", hoverformat=",d", nticks=5, fixedrange=True, rangemode="tozero")
    return figure
