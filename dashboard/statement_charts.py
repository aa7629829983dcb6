"""A statement's figures: from a frame to Plotly. Pure."""

import pandas as pd
import plotly.graph_objects as go

from dashboard import charts, theme

HEIGHT = 280
LATE_COLOUR = theme.MUTED


def settled_per_day(frame: pd.DataFrame, noun: str, colour: str) -> go.Figure:
    """A column for each UTC day; days before the statement's month, which came late, are hatched and grey."""
    figure = go.Figure(layout={"template": charts.TEMPLATE, "barmode": "relative", "height": HEIGHT})
    for is_late, name, shown in ((False, "Of the month", colour), (True, "Late, of earlier months", LATE_COLOUR)):
        rows = frame[frame["is_late"] == is_late]
        if rows.empty:
            continue
        pattern = {"shape": "/" if is_late else "", "fillmode": "overlay", "fgcolor": theme.CARD, "size": 6}
        figure.add_bar(
            x=rows["day"], y=rows["quantity"], name=name, marker={"color": shown, "pattern": pattern},
            hovertemplate=f"%{{x|%a %-d %b %Y}}: %{{y:,d}} {noun}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(showlegend=bool(frame["is_late"].any()))
    highest, lowest = max(1.0, float(frame["quantity"].max())), min(0.0, float(frame["quantity"].min()))
    figure.update_xaxes(tickformat="%-d %b", type="date", nticks=7, tickangle=0, fixedrange=True)
    figure.update_yaxes(tickformat=",d", nticks=5, fixedrange=True, range=[lowest * 1.1, highest * 1.1])
    # Plotly would label 0, 0.5, 1, and there is no half a listen.
    figure.update_yaxes(**({"dtick": 1} if highest - lowest < 5 else {}))
    return figure
