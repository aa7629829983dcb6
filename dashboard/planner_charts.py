"""The planner's figures: overlap of shows, what more shows bring, and what to expect. Pure."""

from html import escape

import pandas as pd
import plotly.graph_objects as go

from dashboard import cells, charts, formats, theme

CELL_PIXELS = 58
ROW_PIXELS = 62
"""Height of one bar with its title and its number above it, on two lines: they would not fit beside each other."""
MANY = 6
"""Shows from which on the matrix is written smaller."""
SCALE = [[0.0, theme.CARD], [0.02, "#EAF1EC"], [1.0, theme.PINE]]


def overlap(frame: pd.DataFrame, titles: list[str]) -> go.Figure:
    """A square: of the devices of a row's show, the share that the column's show has too.

    `frame` has row, column, shared, share and text, by places in `titles`; hidden shares are absent.
    """
    size = len(titles)
    values = [[None] * size for _ in range(size)]
    words = [[""] * size for _ in range(size)]
    said = [[""] * size for _ in range(size)]
    for cell in frame.itertuples():
        values[cell.row][cell.column] = None if cells.is_hidden(cell.share) else float(cell.share)
        words[cell.row][cell.column] = cell.text
        said[cell.row][cell.column] = _hover(cell, titles)
    # Numbers name rows and columns: titles would be cut off on a phone. The page says whose number is which.
    names = [f"<b>{place}</b>" for place in range(1, size + 1)]
    letters = 13 if size < MANY else 11
    figure = go.Figure(layout={"template": charts.TEMPLATE})
    figure.add_heatmap(
        z=values, x=list(range(size)), y=list(range(size)), text=said, hovertemplate="%{text}<extra></extra>",
        colorscale=SCALE, zmin=0, zmax=1, showscale=False, xgap=3, ygap=3, hoverongaps=False,
    )  # fmt: skip
    for row in range(size):
        for column in range(size):
            value = values[row][column]
            colour = theme.CARD if value is not None and value > 0.5 else theme.INK
            figure.add_annotation(
                x=column, y=row, text=words[row][column], showarrow=False, font={"size": letters, "color": colour}
            )
    axis = {
        "showgrid": False,
        "fixedrange": True,
        "tickmode": "array",
        "ticks": "",
        "showline": False,
        "tickvals": list(range(size)),
    }
    figure.update_xaxes(**axis, ticktext=names, side="top")
    figure.update_yaxes(**axis, ticktext=names, autorange="reversed")
    figure.update_layout(height=56 + CELL_PIXELS * size)
    return figure


def increments(frame: pd.DataFrame, already: float) -> go.Figure:
    """Lying bars: what was reached already, pale, and what each show would add, with its range; best first.

    `frame` has title, adds, low, high and text.
    """
    rows = frame.iloc[::-1]
    figure = go.Figure(layout={"template": charts.TEMPLATE, "barmode": "stack", "showlegend": False})
    places = list(range(len(rows)))
    adds = cells.heights(rows["adds"])
    spread = {
        "type": "data", "symmetric": False, "color": theme.INK, "thickness": 1.4, "width": 4,
        "array": [max(0.0, high - value) for high, value in zip(cells.heights(rows["high"]), adds, strict=True)],
        "arrayminus": [max(0.0, value - low) for low, value in zip(cells.heights(rows["low"]), adds, strict=True)],
    }  # fmt: skip
    shared = {"y": places, "orientation": "h", "width": 0.22, "hoverinfo": "skip"}
    figure.add_bar(x=[already] * len(rows), name="Reached already", marker_color=theme.PINE_PALE, **shared)
    figure.add_bar(x=adds, name="Added", marker_color=theme.PINE, error_x=spread, **shared)
    for place, row in enumerate(rows.itertuples()):
        _label(figure, place, row.title, row.text)
    longest = already + max([*cells.heights(rows["high"]), *adds, 1.0])
    figure.update_xaxes(visible=False, fixedrange=True, range=[0, longest * 1.02])
    figure.update_yaxes(visible=False, fixedrange=True, range=[-0.3, len(rows) - 0.1])
    figure.update_layout(height=10 + ROW_PIXELS * len(rows), margin={"l": 0, "r": 0, "t": 0, "b": 0})
    return figure


def forecast(frame: pd.DataFrame) -> go.Figure:
    """Lying bars of what is expected, with the range as a thin line and in words.

    `frame` has title, expected, low and high.
    """
    rows = frame.iloc[::-1]
    places = list(range(len(rows)))
    spread = {
        "type": "data", "symmetric": False, "color": theme.INK, "thickness": 1.4, "width": 4,
        "array": rows["high"] - rows["expected"], "arrayminus": rows["expected"] - rows["low"],
    }  # fmt: skip
    figure = go.Figure(layout={"template": charts.TEMPLATE, "showlegend": False})
    figure.add_bar(
        x=rows["expected"], y=places, orientation="h", width=0.22, hoverinfo="skip", marker_color=theme.PINE,
        error_x=spread,
    )  # fmt: skip
    for place, row in enumerate(rows.itertuples()):
        number = f"<b>{formats.number(row.expected)}</b> ({formats.number(row.low)} to {formats.number(row.high)})"
        _label(figure, place, row.title, number)
    figure.update_xaxes(visible=False, fixedrange=True, range=[0, max(1.0, float(rows["high"].max())) * 1.02])
    figure.update_yaxes(visible=False, fixedrange=True, range=[-0.3, len(rows) - 0.1])
    figure.update_layout(height=10 + ROW_PIXELS * len(rows), margin={"l": 0, "r": 0, "t": 0, "b": 0})
    return figure


def _label(figure: go.Figure, place: int, title: str, text: str) -> None:
    label = {"y": place, "x": 0, "xref": "paper", "xanchor": "left", "showarrow": False}
    figure.add_annotation(text=escape(formats.shorten(title, charts.TITLE_LETTERS)), yshift=34, **label)
    figure.add_annotation(text=text, yshift=17, **label)


def _hover(cell: object, titles: list[str]) -> str:
    row, column = titles[cell.row], titles[cell.column]  # type: ignore[attr-defined]
    if cell.row == cell.column:  # type: ignore[attr-defined]
        return f"{escape(row)}<br>{cell.shared}"  # type: ignore[attr-defined]
    return f"{escape(row)}<br>and {escape(column)}<br>{cell.shared}"  # type: ignore[attr-defined]
