"""What is said of a day that is still arriving."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.columns import day_number
from models.completeness import Completeness, estimate
from models.lags import Arrival
from tests.models.test_lags import NOON, TODAY, days_like

LAGS = {10: 600, 30: 300, 96: 90, 240: 10}


def ask(rows: list[Arrival], listens: int, age_days: int) -> Completeness | None:
    """What is said at noon of a day with so many listens."""
    day = TODAY - timedelta(days=age_days)
    return estimate(rows, {day: listens}, NOON)[day]


def known(rows: list[Arrival], listens: int, age_days: int) -> Completeness:
    """The same, when something is said."""
    said = ask(rows, listens, age_days)
    assert said is not None
    return said


@pytest.mark.parametrize(
    ("age_days", "listens", "share"), [(0, 600, 0.6), (1, 900, 0.9), (2, 900, 0.9), (5, 990, 0.99), (20, 1000, 1.0)]
)
def test_a_day_like_all_others_is_expected_to_end_like_them(age_days: int, listens: int, share: float) -> None:
    said = known(days_like(LAGS), listens, age_days)
    assert said.share == pytest.approx(share, abs=0.01)
    assert said.expected_listens == pytest.approx(1000, rel=0.02)
    assert listens <= said.low <= 1000 <= said.high
    assert said.high - said.low < 180


def test_a_better_day_is_expected_to_stay_better() -> None:
    said = known(days_like(LAGS), 1800, 1)
    assert said.expected_listens == pytest.approx(2000, rel=0.05)


def test_before_anything_has_arrived_the_usual_is_expected() -> None:
    rows = [row for row in days_like(LAGS) if row.day != day_number(TODAY)]
    early = NOON.replace(hour=0, minute=5)
    said = estimate(rows, {TODAY: 0}, early)[TODAY]
    assert said is not None
    assert said.share < 0.01
    assert said.low < 900 < said.expected_listens < 1100 < said.high


def test_few_listens_make_a_wide_range() -> None:
    few, many = known(days_like({10: 6, 30: 3, 96: 1}), 9, 1), known(days_like(LAGS), 900, 1)
    assert (few.high - few.low) / few.expected_listens > 2 * (many.high - many.low) / many.expected_listens


def test_days_that_differ_make_a_wide_range() -> None:
    even = days_like(LAGS)
    uneven = [Arrival(day, lag, listens * (3 if lag == 30 and day % 2 else 1)) for day, lag, listens in even]
    calm, wild = known(even, 700, 0), known(uneven, 700, 0)
    assert wild.high - wild.low > 1.5 * (calm.high - calm.low)


def as_of(rows: list[Arrival], now: datetime) -> list[Arrival]:
    """What of these had arrived by then."""
    return [row for row in rows if row.day * 24 + row.lag_hours < now.timestamp() / 3600]


def test_a_weekday_is_compared_with_its_like() -> None:
    # On Sundays many are out: a third does not arrive before Monday. How many listen, nobody can tell beforehand.
    sunday, noon = date(2026, 6, 28), NOON - timedelta(days=2)
    crowds = {day_number(TODAY) - age: Random(age).uniform(0.3, 1.7) for age in range(61)}
    rows = [row for row in days_like({10: 900}) if (row.day - day_number(sunday)) % 7]
    rows += [row for row in days_like({10: 600, 40: 300}) if (row.day - day_number(sunday)) % 7 == 0]
    rows = [row._replace(listens=round(row.listens * crowds[row.day])) for row in rows]
    said = estimate(as_of(rows, noon), {sunday: 1200}, noon)[sunday]
    assert said is not None
    assert said.share == pytest.approx(2 / 3, abs=0.03)
    assert said.low < 1800 < said.high


def test_a_quiet_weekday_is_expected_to_be_quiet() -> None:
    sunday = date(2026, 6, 28)
    rows = [
        row._replace(listens=row.listens // (1 if (row.day - day_number(sunday)) % 7 else 4))
        for row in days_like({10: 800})
    ]
    expected = []
    for morning in (datetime(2026, 6, 28, 1, tzinfo=UTC), datetime(2026, 6, 29, 1, tzinfo=UTC)):
        said = estimate(as_of(rows, morning), {morning.date(): 0}, morning)[morning.date()]
        assert said is not None
        expected.append(said.expected_listens)
    assert expected == [pytest.approx(250, abs=60), pytest.approx(800, abs=80)]


def test_one_day_without_a_network_does_not_double_every_range() -> None:
    random = Random(1)
    calm = [Arrival(day, lag, round(listens * random.uniform(0.85, 1.15))) for day, lag, listens in days_like(LAGS)]
    bad_day = day_number(TODAY) - 14  # the weekday of today
    shaken = [Arrival(day, lag + 24 if day == bad_day else lag, listens) for day, lag, listens in calm]
    usual, shaken_range = known(calm, 600, 0), known(shaken, 600, 0)
    assert shaken_range.high - shaken_range.low < 2 * (usual.high - usual.low)


def test_with_too_little_history_nothing_is_said() -> None:
    assert ask(days_like(LAGS, days=16), 600, 1) is None
    assert ask(days_like(LAGS, days=17), 600, 1) is not None
    assert ask([], 600, 1) is None


def test_what_can_get_no_more_is_final_whatever_is_known() -> None:
    assert ask([], 600, 92) == Completeness(1.0, 600, 600, 600)
    assert ask([], 600, 91) is None
    said = known(days_like(LAGS), 600, 80)
    assert (said.is_provisional, said.low, said.high) == (False, 600, 600)


def test_a_day_that_has_not_begun_has_no_share() -> None:
    assert ask(days_like(LAGS), 1, -1) is None


def test_a_count_below_nothing_is_none() -> None:
    said = known(days_like(LAGS), -3, 80)
    assert (said.low, said.high) == (0, 0)


def test_a_day_is_provisional_below_ninety_nine_hundredths() -> None:
    assert Completeness(0.9899, 10, 9, 11).is_provisional
    assert not Completeness(0.99, 10, 10, 11).is_provisional


def test_the_answer_for_a_day_does_not_depend_on_what_else_is_asked() -> None:
    rows = days_like(LAGS)
    several = estimate(rows, {TODAY - timedelta(days=age): 700 for age in range(30)}, NOON)
    for age in (0, 1, 3, 29):
        assert several[TODAY - timedelta(days=age)] == ask(rows, 700, age)


@given(
    rows=st.lists(
        st.builds(Arrival, st.integers(0, 60).map(lambda age: day_number(TODAY) - age), st.integers(0, 1500),
                  st.integers(-50, 5000)), max_size=60,
    ),
    listens=st.integers(0, 10_000),
    age_days=st.integers(0, 100),
)  # fmt: skip
def test_whatever_arrived_the_range_begins_with_what_is_there(rows: list[Arrival], listens: int, age_days: int) -> None:
    said = ask(days_like({3: 2, 40: 1}) + rows, listens, age_days)
    if said is not None:
        assert 0 <= said.share <= 1
        assert listens <= said.low <= said.expected_listens <= said.high
