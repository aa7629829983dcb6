"""The planner's frames become figures."""

from datetime import date, timedelta

import pandas as pd

from dashboard import planner_charts, theme

FIRST = date(2026, 11, 1)


def ints(*values: int | None) -> pd.Series:
    """Counts of which some may be hidden."""
    return pd.Series(list(values), dtype="Int64")


def square(*, share: float | None = 0.3) -> pd.DataFrame:
    """Two shows; what they share may be hidden."""
    text = "fewer<br>than 50" if share is None else "30 %"
    rows = [
        (0, 0, "1,000 (exact)", 1.0, "1,000"),
        (0, 1, "300 (exact)", share, text),
        (1, 0, "300 (exact)", share, text),
        (1, 1, "600 (exact)", 1.0, "600"),
    ]
    return pd.DataFrame(rows, columns=["row", "column", "shared", "share", "text"])


def test_each_cell_says_its_share_and_who_is_meant_under_the_pointer() -> None:
    figure = planner_charts.overlap(square(), ["Night & Day", "Rails"])
    (heat,) = figure.data
    assert [list(row) for row in heat.z] == [[1.0, 0.3], [0.3, 1.0]]
    assert heat.text[0][1] == "Night &amp; Day<br>and Rails<br>300 (exact)"
    assert [annotation.text for annotation in figure.layout.annotations] == ["1,000", "30 %", "30 %", "600"]
    assert list(figure.layout.yaxis.ticktext) == ["1. Night &amp; Day", "2. Rails"]


def test_a_hidden_overlap_has_words_and_no_colour() -> None:
    figure = planner_charts.overlap(square(share=None), ["One", "Two"])
    assert figure.data[0].z[0][1] is None
    assert "fewer<br>than 50" in [annotation.text for annotation in figure.layout.annotations]


def test_what_a_show_adds_stands_on_what_was_reached_already_best_on_top() -> None:
    frame = pd.DataFrame(
        {
            "title": ["Best", "Hidden"],
            "adds": ints(500, None),
            "low": ints(450, None),
            "high": ints(560, None),
            "text": ["+500", "fewer than 50"],
        }
    )
    figure = planner_charts.increments(frame, already=2000)
    already, added = figure.data
    assert (list(already.x), list(added.x)) == ([2000, 2000], [0, 500])
    assert (list(added.error_x.array), list(added.error_x.arrayminus)) == ([0, 60], [0, 50])
    assert already.marker.color == theme.PINE_PALE
    texts = [annotation.text for annotation in figure.layout.annotations]
    assert texts == ["Hidden", "<b>fewer than 50</b>", "Best", "<b>+500</b>"]
    assert figure.layout.xaxis.range[1] > 2560


def test_the_expected_days_are_a_line_in_their_band() -> None:
    days = [FIRST + timedelta(days=place) for place in range(4)]
    history = pd.DataFrame({"day": days[:2], "listens": [90, 110]})
    expected = pd.DataFrame({"day": days[2:], "expected": [100, 104], "low": [80, 79], "high": [130, 140]})
    counted, high, low, line = planner_charts.forecast(history, expected).data
    assert list(counted.y) == [90, 110]
    assert (list(low.y), list(line.y), list(high.y)) == ([80, 79], [100, 104], [130, 140])
    assert line.text[0] == "100 (80 to 130)"


def test_without_history_there_is_no_forecast_and_still_a_figure() -> None:
    nothing = pd.DataFrame({"day": [], "listens": []})
    figure = planner_charts.forecast(nothing, pd.DataFrame(columns=["day", "expected", "low", "high"]))
    assert len(figure.data) == 0
