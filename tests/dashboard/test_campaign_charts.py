"""A campaign's frames become figures, and what is hidden never looks like nothing."""

from datetime import date, timedelta

import pandas as pd

from dashboard import campaign_charts, cells, theme
from models.privacy_cells import LEAST

FIRST = date(2026, 11, 1)


def ints(*values: int | None) -> pd.Series:
    """Counts of which some may be hidden."""
    return pd.Series(list(values), dtype="Int64")


def days(count: int) -> list[date]:
    """So many days from the first of November."""
    return [FIRST + timedelta(days=place) for place in range(count)]


def per_day(delivered: pd.Series, confirmed: pd.Series, offline: pd.Series) -> dict[str, object]:
    """The traces of the figure by their names."""
    frame = pd.DataFrame(
        {"day": days(len(delivered)), "delivered": delivered, "confirmed": confirmed, "offline": offline}
    )
    return {trace.name: trace for trace in campaign_charts.impressions_per_day(frame).data}


def test_confirmed_impressions_stack_offline_on_online_below_the_line_of_delivered() -> None:
    traces = per_day(ints(200, 300), ints(100, 150), ints(60, 0))
    assert list(traces["Confirmed, online"].y) == [40, 150]
    assert list(traces["Confirmed, offline"].y) == [60, 0]
    assert traces["Confirmed, offline"].marker.color == theme.OFFLINE
    assert list(traces["Delivered"].y) == [200, 300]
    assert len(traces) == 3


def test_a_day_with_few_devices_has_a_mark_and_no_number() -> None:
    traces = per_day(ints(200, None), ints(100, None), ints(60, None))
    hidden = traces["Fewer than 50"]
    assert (list(hidden.x), list(hidden.y)) == ([days(2)[1]], [LEAST])
    assert hidden.hovertemplate.startswith("fewer than 50")
    assert list(traces["Delivered"].y) == [200, None]
    assert list(traces["Confirmed, online"].y) == [40, 0]


def test_a_day_whose_offline_part_alone_is_hidden_keeps_its_height_and_tells_no_part() -> None:
    traces = per_day(ints(200), ints(100), ints(None))
    assert list(traces["Confirmed, offline part too small to tell"].y) == [100]
    assert list(traces["Confirmed, online"].y) == [0]


def test_the_quartile_that_confirms_is_the_dark_one() -> None:
    frame = pd.DataFrame(
        {
            "name": ["Start", "25 %", "50 %"],
            "impressions": ints(1200, 900, None),
            "share": ["100 %", "75 %", ""],
            "confirms": [False, False, True],
        }
    )
    (columns,) = campaign_charts.quartiles(frame).data
    assert list(columns.marker.color) == [theme.PINE_PALE, theme.PINE_PALE, theme.PINE]
    assert list(columns.text) == ["<b>1,200</b><br>100 %", "<b>900</b><br>75 %", "<b>fewer than 50</b><br>"]


def curve(*points: tuple[int | None, int | None, int | None, bool]) -> pd.DataFrame:
    """Reach by day."""
    frame = pd.DataFrame(points, columns=["reach", "low", "high", "is_exact"])
    frame = frame.astype({"reach": "Int64", "low": "Int64", "high": "Int64"})
    return frame.assign(day=days(len(points)), is_rounded=False)


def test_reach_is_drawn_in_the_band_of_its_range_and_every_point_says_it() -> None:
    figure = campaign_charts.reach_curve(curve((None, None, None, True), (80, 80, 80, True), (9000, 8800, 9300, False)))
    high, low, line = figure.data
    assert (list(low.y), list(line.y), list(high.y)) == ([80, 8800], [80, 9000], [80, 9300])
    assert list(line.text) == ["80 (exact)", "9,000 (8,800 to 9,300, 19 times of 20)"]
    assert list(line.x) == days(3)[1:]
    assert figure.layout.xaxis.range[0].startswith("2026-10-31")
    assert figure.layout.yaxis.range[1] > 9300


def test_a_reach_that_is_hidden_every_day_is_a_figure_without_points() -> None:
    figure = campaign_charts.reach_curve(curve((None, None, None, True)))
    (line,) = figure.data
    assert list(line.y) == []


def test_a_hidden_bar_is_pale_and_says_that_it_is_few() -> None:
    names, values = pd.Series(["Overcast <b>", "Castro"]), ints(700, None)
    figure = campaign_charts.bars(names, values, ["93 %", ""])
    (drawn,) = figure.data
    assert list(drawn.marker.color) == [theme.FETCHED, campaign_charts.HIDDEN_COLOUR]
    texts = [annotation.text for annotation in figure.layout.annotations]
    assert texts == ["Overcast &lt;b&gt;", "<b>700</b>  93 %", "Castro", "fewer than 50"]


def test_spending_stops_today_and_the_even_pace_goes_on_to_the_budget() -> None:
    frame = pd.DataFrame({"day": days(4), "spent": [500, 1500, 1500, 1500], "even": [1000.0, 2000.0, 3000.0, 4000.0]})
    even, spent = campaign_charts.spend(frame, 4000, "EUR", days(4)[1]).data
    assert list(even.y) == [10, 20, 30, 40]
    assert list(spent.y) == [5, 15]
    assert list(spent.text) == ["€5.00", "€15.00"]


def test_a_reach_always_says_how_sure_it_is() -> None:
    assert cells.reach(cells.Reached(80)) == "80 (exact)"
    assert cells.reach(cells.Reached(650, 650, 699, False, True)) == "650 (650 to 699)"
    assert cells.reach(cells.Reached(None)) == "fewer than 50"
    assert cells.certainty(cells.Reached(None)) == "fewer than 50, or nobody yet"


def test_a_share_of_a_hidden_number_is_hidden_and_one_of_nothing_is_a_dash() -> None:
    assert [cells.share(1, 4), cells.share(pd.NA, 4), cells.share(0, 0)] == ["25 %", "fewer than 50", "\N{EN DASH}"]
