"""From a frame to a Plotly figure. Pure: no store, no Streamlit."""

from base64 import b64encode
from datetime import datetime
from html import escape

import pandas as pd
import plotly.graph_objects as go

from dashboard import formats, provisional, theme
from models.lags import Distribution
from models.metrics import FETCHED, OFFLINE_LISTENS, OFFLINE_SHARE, Metric

ROW_PIXELS = 46
"""Height of one bar with its title above it."""

SPARK_HEIGHT = 30

TITLE_LETTERS = 44
"""What of a title fits above a bar on a phone."""

HATCHED = "/"
"""Plotly's name for the pattern of a provisional day."""

OFFLINE_METRICS = (OFFLINE_LISTENS, OFFLINE_SHARE)
"""Drawn in the accent colour, which always means "heard offline"."""

TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": theme.SANS, "size": 14, "color": theme.INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "colorway": [theme.ONLINE, theme.OFFLINE],
        "margin": {"l": 8, "r": 8, "t": 30, "b": 8},
        "xaxis": {"automargin": True, "showgrid": False, "zeroline": False, "linecolor": theme.LINE},
        "yaxis": {"automargin": True, "gridcolor": theme.LINE, "zeroline": False},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "xanchor": "left",
            "yanchor": "bottom",
            "traceorder": "normal",
        },
        "hoverlabel": {"bgcolor": theme.CARD, "bordercolor": theme.LINE, "font": {"color": theme.INK}},
        "bargap": 0.28,
    }
)

CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}
"""How every chart is handed to the browser: to be read, not to be edited."""


def sparkline(metric: Metric, values: list[float]) -> str:
    """A metric's course as an image element as wide as its place; from zero, so that its height can be compared."""
    colour = theme.OFFLINE if metric in OFFLINE_METRICS else theme.FETCHED if metric in FETCHED else theme.ONLINE
    highest = max(values, default=0.0)
    if len(values) < 2 or highest <= 0:
        points = f"0,{SPARK_HEIGHT - 1} 100,{SPARK_HEIGHT - 1}"
    else:
        step = 100 / (len(values) - 1)
        scale = (SPARK_HEIGHT - 3) / highest
        points = " ".join(f"{i * step:.2f},{SPARK_HEIGHT - 1 - value * scale:.2f}" for i, value in enumerate(values))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 {SPARK_HEIGHT}" preserveAspectRatio="none">'
        f'<polygon points="0,{SPARK_HEIGHT} {points} 100,{SPARK_HEIGHT}" fill="{colour}" fill-opacity="0.13"/>'
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" '
        'vector-effect="non-scaling-stroke" stroke-linejoin="round"/></svg>'
    )
    # st.html lets no SVG element through, an image of one it does.
    return f'<img class="es-spark" alt="" src="data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}">'


def listens_per_day(
    frame: pd.DataFrame, published_at: datetime | None = None, growing: pd.DataFrame | None = None
) -> go.Figure:
    """Stacked columns, online below offline, one per UTC day; a marker on the day of publication if it is shown.

    Provisional days, those of `growing`, are hatched, with an outline of what is expected above them.
    """
    online = frame["listens"] - frame["offline_listens"]
    shapes = [HATCHED if growing is not None and day in set(growing["day"]) else "" for day in frame["day"]]
    figure = go.Figure(layout={"template": TEMPLATE, "barmode": "stack", "hovermode": "x unified", "height": 320})
    figure.add_bar(x=frame["day"], y=online, name="Online", marker=_hatched(theme.ONLINE, shapes))
    figure.add_bar(x=frame["day"], y=frame["offline_listens"], name="Offline", marker=_hatched(theme.OFFLINE, shapes))
    highest = float(frame["listens"].max()) if len(frame) else 0.0
    if growing is not None and len(growing):
        _add_expected(figure, frame, growing)
        highest = max(highest, float(growing["high"].fillna(0).max()))
    figure.update_xaxes(tickformat="%-d %b", hoverformat="%a %-d %b %Y", type="date", nticks=9, fixedrange=True)
    figure.update_yaxes(tickformat=",d", hoverformat=",d", nticks=5, fixedrange=True)
    # Room above the columns for the marker's text; Plotly would label 0, 0.5, 1, and there is no half a listen.
    figure.update_yaxes(range=[0, max(1.0, highest) * 1.14], **({"dtick": 1} if highest < 5 else {}))
    if published_at is not None and _shows(frame, published_at):
        is_late = (published_at.date() - frame["day"].iloc[0]).days > len(frame) / 2
        _mark(figure, published_at, side="right" if is_late else "left")
    return figure


def arrival_lags(lags: Distribution) -> go.Figure:
    """How much of a day's listens has arrived by the days since it began."""
    days, shares = zip(*((lag / 24, share) for lag, share in lags.points()), strict=True)
    figure = go.Figure(layout={"template": TEMPLATE, "showlegend": False, "height": 230})
    figure.add_scatter(
        x=days, y=shares, mode="lines", line={"color": theme.ONLINE, "width": 2.5}, fill="tozeroy",
        fillcolor="rgba(37, 101, 91, 0.13)", hovertemplate="%{y:.1%} after %{x:.1f} days<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=1, line={"color": theme.MUTED, "width": 1.5, "dash": "dot"})
    figure.add_annotation(
        x=1, yref="paper", y=0, text="the day is over", showarrow=False, xanchor="left", xshift=6, yanchor="bottom",
        font={"color": theme.MUTED, "size": 13},
    )  # fmt: skip
    figure.update_xaxes(title={"text": "Days since the day began", "font": {"size": 13, "color": theme.MUTED}})
    figure.update_xaxes(range=[0, days[-1]], nticks=8, fixedrange=True)
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02], nticks=5, fixedrange=True)
    return figure


def top_episodes(frame: pd.DataFrame) -> go.Figure:
    """Lying bars, longest on top, the title above each: a title beside its bar would be cut off on a phone."""
    rows = frame.iloc[::-1]
    longest = float(rows["listens"].max()) if len(rows) else 1.0
    figure = go.Figure(layout={"template": TEMPLATE, "barmode": "stack", "showlegend": False})
    _add_lying_bars(figure, rows, "Online", rows["listens"] - rows["offline_listens"], theme.ONLINE)
    _add_lying_bars(figure, rows, "Offline", rows["offline_listens"], theme.OFFLINE)
    for place, (title, listens) in enumerate(zip(rows["title"], rows["listens"], strict=True)):
        label = {"y": place, "yshift": 17, "showarrow": False, "xref": "paper"}
        figure.add_annotation(x=0, xanchor="left", text=escape(formats.shorten(title, TITLE_LETTERS)), **label)
        figure.add_annotation(x=1, xanchor="right", text=f"<b>{formats.number(listens)}</b>", **label)
    figure.update_xaxes(visible=False, fixedrange=True, range=[0, max(1.0, longest)])
    figure.update_yaxes(visible=False, fixedrange=True, range=[-0.5, len(rows) - 0.1])
    figure.update_layout(height=10 + ROW_PIXELS * len(rows), margin={"l": 0, "r": 0, "t": 0, "b": 0})
    return figure


def _add_lying_bars(figure: go.Figure, rows: pd.DataFrame, name: str, values: pd.Series, colour: str) -> None:
    hover = [
        f"{escape(title)}<br>{name}: {formats.number(value)}"
        for title, value in zip(rows["title"], values, strict=True)
    ]
    figure.add_bar(
        x=values,
        y=list(range(len(rows))),
        name=name,
        orientation="h",
        width=0.3,
        marker_color=colour,
        hovertext=hover,
        hoverinfo="text",
    )


def _hatched(colour: str, shapes: list[str]) -> dict[str, object]:
    pattern = {
        "shape": shapes,
        "fillmode": "overlay",
        "fgcolor": theme.CARD,
        "fgopacity": 1,
        "size": 6,
        "solidity": 0.4,
    }
    return {"color": colour, "pattern": pattern}


def _add_expected(figure: go.Figure, frame: pd.DataFrame, growing: pd.DataFrame) -> None:
    """What is still to come, as an outline with its range; and the words, in the legend and under the pointer."""
    rows = growing.merge(frame[["day", "listens"]], on="day")
    if rows["expected_listens"].notna().any():
        spread = {"array": rows["high"] - rows["expected_listens"], "color": theme.MUTED, "thickness": 1.2, "width": 3}
        figure.add_bar(
            x=rows["day"],
            y=rows["expected_listens"] - rows["listens"],
            name="Expected",
            marker={"color": "rgba(0,0,0,0)", "line": {"color": theme.MUTED, "width": 1.2}},
            error_y={**spread, "symmetric": False, "arrayminus": rows["expected_listens"] - rows["low"]},
            hoverinfo="skip",
        )
    figure.add_bar(
        x=rows["day"],
        y=[0] * len(rows),
        name="Still arriving",
        marker=_hatched(theme.MUTED, [HATCHED] * len(rows)),
        hovertemplate=[f"{provisional.say(row)}<extra></extra>" for row in rows.itertuples()],
    )


def _shows(frame: pd.DataFrame, published_at: datetime) -> bool:
    return len(frame) > 0 and frame["day"].iloc[0] <= published_at.date() <= frame["day"].iloc[-1]


def _mark(figure: go.Figure, published_at: datetime, side: str) -> None:
    day = published_at.date().isoformat()
    figure.add_shape(
        type="line", x0=day, x1=day, yref="paper", y0=0, y1=1, line={"color": theme.MUTED, "width": 1.5, "dash": "dot"}
    )
    figure.add_annotation(
        x=day, yref="paper", y=1, text="Published", showarrow=False, xanchor=side, xshift=8 if side == "left" else -8,
        yanchor="top",
        font={"color": theme.MUTED, "size": 13}, bgcolor=theme.CARD,
    )  # fmt: skip
