"""The planner's frames become figures."""

import pandas as pd
import pytest

from dashboard import plan_frames, planner_charts, theme
from dashboard.cells import Reached


def ints(*values: int | None) -> pd.Series:
    """Counts of which some may be hidden."""
    return pd.Series(list(values), dtype="Int64")


def square(*, share: float | None = 0.3) -> pd.DataFrame:
    """Two shows; what they share may be hidden."""
    text = "< 50" if share is None else "30 %"
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
    assert list(figure.layout.yaxis.ticktext) == ["<b>1</b>", "<b>2</b>"]


def test_a_hidden_overlap_has_words_and_no_colour() -> None:
    figure = planner_charts.overlap(square(share=None), ["One", "Two"])
    assert figure.data[0].z[0][1] is None
    assert "< 50" in [annotation.text for annotation in figure.layout.annotations]


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
    assert texts == ["Hidden", "fewer than 50", "Best", "+500"]
    assert figure.layout.xaxis.range[1] > 2560


def test_what_is_expected_says_its_range_in_words_and_as_a_line() -> None:
    frame = pd.DataFrame(
        {"title": ["One", "Two"], "expected": [100.4, 50.0], "low": [80.0, 40.0], "high": [130.0, 70.0]}
    )
    figure = planner_charts.forecast(frame)
    (bars,) = figure.data
    assert list(bars.x) == [50.0, 100.4]
    assert list(bars.error_x.array) == [20.0, pytest.approx(29.6)]
    texts = [annotation.text for annotation in figure.layout.annotations]
    assert texts == ["Two", "<b>50</b> (40 to 70)", "One", "<b>100</b> (80 to 130)"]
    assert figure.layout.xaxis.range[1] > 130


def test_a_matrix_becomes_shares_of_the_row_s_show() -> None:
    one, other, shared = Reached(1000), Reached(600), Reached(300, 280, 330, False)
    frame = plan_frames.overlap([[one, shared], [shared, other]])
    assert list(frame["text"]) == ["1,000", "30 %", "50 %", "600"]
    assert frame["shared"][1] == "300 (280 to 330, 19 times of 20)"
    assert plan_frames.pairs(frame, ["One", "Other"]).values.tolist() == [["One", "Other", frame["shared"][1]]]


def test_a_hidden_overlap_is_said_to_be_few_and_never_a_share() -> None:
    frame = plan_frames.overlap([[Reached(1000), Reached(None)], [Reached(None), Reached(600)]])
    assert list(frame["text"]) == ["1,000", "< 50", "< 50", "600"]
    assert frame["share"].isna().tolist() == [False, True, True, False]


def test_shows_that_could_be_added_come_best_first_and_hidden_last() -> None:
    frame = plan_frames.increments(
        [("Few", Reached(None)), ("Some", Reached(80)), ("Most", Reached(500, 450, 560, False))]
    )
    assert list(frame["title"]) == ["Most", "Some", "Few"]
    assert list(frame["text"]) == ["<b>+500</b> (450 to 560)", "<b>+80</b> (exact)", "fewer than 50"]
