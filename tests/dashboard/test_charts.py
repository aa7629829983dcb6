"""From frames to figures."""

import base64
import re
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from dashboard import charts, theme
from models import metrics
from models.lags import distribute
from tests.models.test_lags import NOON, days_like

FIRST = date(2026, 3, 1)


def days(*listens_and_offline: tuple[int, int]) -> pd.DataFrame:
    """A frame of days from the first of March."""
    rows = [(FIRST + timedelta(days=i), listens, offline) for i, (listens, offline) in enumerate(listens_and_offline)]
    return pd.DataFrame(rows, columns=["day", "listens", "offline_listens"])


def episodes(*titles_and_counts: tuple[str, int, int]) -> pd.DataFrame:
    """Episodes, most heard first."""
    return pd.DataFrame(list(titles_and_counts), columns=["title", "listens", "offline_listens"])


def test_columns_of_a_day_stack_to_its_listens_with_offline_in_the_accent_colour() -> None:
    online, offline = charts.listens_per_day(days((10, 4), (0, 0), (7, 7))).data
    assert (online.name, list(online.y)) == ("Online", [6, 0, 0])
    assert (offline.name, list(offline.y)) == ("Offline", [4, 0, 7])
    assert offline.marker.color == theme.OFFLINE
    assert list(online.x) == [FIRST, date(2026, 3, 2), date(2026, 3, 3)]


def test_few_listens_are_counted_in_whole_ones() -> None:
    assert charts.listens_per_day(days((2, 1))).layout.yaxis.dtick == 1
    assert charts.listens_per_day(days((500, 1))).layout.yaxis.dtick is None


def test_a_period_without_listens_is_a_figure_too() -> None:
    figure = charts.listens_per_day(days((0, 0), (0, 0)))
    assert figure.layout.yaxis.range[1] > 0
    assert len(charts.listens_per_day(days()).data) == 2


@pytest.mark.parametrize(("published", "marks"), [(FIRST, 1), (date(2026, 3, 3), 1), (date(2026, 2, 28), 0)])
def test_publication_is_marked_when_its_day_is_shown(published: date, marks: int) -> None:
    at = datetime(published.year, published.month, published.day, 9, tzinfo=UTC)
    figure = charts.listens_per_day(days((1, 0), (2, 0), (3, 0)), at)
    assert len(figure.layout.shapes) == marks
    assert [annotation.text for annotation in figure.layout.annotations] == ["Published"] * marks


def test_a_marker_near_the_right_edge_writes_to_the_left() -> None:
    frame = days(*[(1, 0)] * 10)
    sides = [
        charts.listens_per_day(frame, datetime(2026, 3, day, tzinfo=UTC)).layout.annotations[0].xanchor
        for day in (1, 10)
    ]
    assert sides == ["left", "right"]


def growing(**changes: float) -> pd.DataFrame:
    """Two of three days are provisional."""
    row = {"share": 0.8, "expected_listens": 12.0, "low": 11.0, "high": 15.0, **changes}
    return pd.DataFrame([{"day": date(2026, 3, day), **row} for day in (2, 3)])


def test_provisional_days_are_hatched_and_have_an_outline_up_to_what_is_expected() -> None:
    frame = days((10, 4), (10, 0), (7, 7))
    online, offline, expected, words = charts.listens_per_day(frame, growing=growing()).data
    assert [tuple(trace.marker.pattern.shape) for trace in (online, offline)] == [("", "/", "/")] * 2
    assert (list(online.y), list(offline.y)) == ([6, 10, 0], [4, 0, 7])
    assert (list(expected.x), list(expected.y)) == ([date(2026, 3, 2), date(2026, 3, 3)], [2, 5])
    assert (list(expected.error_y.array), list(expected.error_y.arrayminus)) == ([3, 3], [1, 1])
    assert words.name == "Still arriving"
    assert "expect 12" in words.hovertemplate[0]


def test_the_range_of_a_provisional_day_fits_into_the_figure() -> None:
    frame = days((10, 4), (10, 0), (7, 7))
    figure = charts.listens_per_day(frame, growing=growing(high=80.0))
    assert figure.layout.yaxis.range[1] > 80


def test_an_episodes_provisional_days_have_no_outline() -> None:
    nothing = float("nan")
    frame = days((10, 4), (10, 0), (7, 7))
    figure = charts.listens_per_day(frame, growing=growing(expected_listens=nothing, low=nothing, high=nothing))
    assert [trace.name for trace in figure.data] == ["Online", "Offline", "Still arriving"]
    assert figure.layout.yaxis.range[1] < 12


def test_without_provisional_days_nothing_is_hatched() -> None:
    figure = charts.listens_per_day(days((10, 4), (10, 0)), growing=growing().head(0))
    assert [trace.name for trace in figure.data] == ["Online", "Offline"]
    assert tuple(figure.data[0].marker.pattern.shape) == ("", "")


def test_lags_are_drawn_by_days_since_the_day_began() -> None:
    lags = distribute(days_like({10: 60, 30: 30, 96: 10}), NOON)
    assert lags is not None
    (line,) = charts.arrival_lags(lags).data
    shares = dict(zip(line.x, line.y, strict=True))
    assert (shares[0], shares[1], shares[2], shares[5]) == pytest.approx((0, 0.6, 0.9, 1))


def test_the_most_heard_episode_is_on_top_with_its_title_and_number() -> None:
    figure = charts.top_episodes(episodes(("First & <b>best</b>", 1200, 200), ("Second", 5, 5)))
    online, offline = figure.data
    assert (list(online.x), list(offline.x), list(online.y)) == ([0, 1000], [5, 200], [0, 1])
    texts = [annotation.text for annotation in figure.layout.annotations]
    assert texts == ["Second", "<b>5</b>", "First &amp; &lt;b&gt;best&lt;/b&gt;", "<b>1,200</b>"]


def test_a_chart_grows_with_its_episodes() -> None:
    few, many = charts.top_episodes(episodes(("a", 1, 0))), charts.top_episodes(episodes(*[("a", 1, 0)] * 8))
    assert many.layout.height - few.layout.height == 7 * charts.ROW_PIXELS


def spark_points(metric: metrics.Metric, values: list[float]) -> tuple[list[tuple[float, float]], str]:
    """The line of a sparkline, and its SVG."""
    (encoded,) = re.findall(r"base64,([^\"]+)", charts.sparkline(metric, values))
    svg = base64.b64decode(encoded).decode()
    (line,) = re.findall(r'polyline points="([^"]+)"', svg)
    return [tuple(map(float, point.split(","))) for point in line.split()], svg


def test_a_sparkline_spans_its_width_and_stands_on_zero() -> None:
    points, svg = spark_points(metrics.LISTENS, [0, 5, 10])
    assert [x for x, _ in points] == [0, 50, 100]
    assert points[0][1] == charts.SPARK_HEIGHT - 1 > points[1][1] > points[2][1] > 0
    assert theme.ONLINE in svg
    assert theme.OFFLINE in spark_points(metrics.OFFLINE_SHARE, [0.1, 0.2])[1]


@pytest.mark.parametrize("values", [[], [3.0], [0.0, 0.0]])
def test_a_sparkline_of_nothing_is_flat(values: list[float]) -> None:
    points, _ = spark_points(metrics.LISTENS, values)
    assert {y for _, y in points} == {charts.SPARK_HEIGHT - 1}
