"""How late listens arrive, from days side by side."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from models.columns import day_number
from models.lags import EDGES, Arrival, distribute, watch

TODAY = date(2026, 6, 30)
NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)


def days_like(lags: dict[int, int], days: int = 60) -> list[Arrival]:
    """Arrivals at noon of days that all fill up alike: listens by lag."""
    return [
        Arrival(day_number(TODAY) - age, lag, listens)
        for age in range(days + 1)
        for lag, listens in lags.items()
        if lag < age * 24 + 12
    ]


def test_the_distribution_is_that_of_the_days() -> None:
    found = distribute(days_like({10: 60, 30: 30, 96: 9, 240: 1}), NOON)
    assert found is not None
    shares = dict(found.points())
    assert (shares[10], shares[11], shares[31], shares[120]) == pytest.approx((0, 0.6, 0.9, 0.99))
    assert (found.lag_of(0.5), found.lag_of(0.9), found.lag_of(0.99)) == pytest.approx((10 + 5 / 6, 31, 120))
    assert found.days == 56


def test_days_that_still_grow_count_with_the_hours_they_have_seen() -> None:
    # All listens of the older half came by hour 11; the younger half brings as many again at hour 200.
    older = [row for row in days_like({10: 100}) if row.day < day_number(TODAY) - 28]
    younger = [row for row in days_like({10: 100, 200: 100}) if row.day >= day_number(TODAY) - 28]
    found = distribute(older + younger, NOON)
    assert found is not None
    # 28 days before today's 28 are past hour 216; the 9 youngest have not seen it and say nothing of it.
    assert dict(found.points())[11] == pytest.approx(100 * 48 / (100 * 28 + 200 * 20))


def test_a_past_that_arrived_all_at_once_is_no_reference() -> None:
    moved_here = [Arrival(day_number(TODAY) - age, age // 3 * 72 if age > 3 else age * 24 + 9, 50) for age in range(57)]
    moved_here = [Arrival(day, (day_number(TODAY) - day) * 24, listens) for day, _, listens in moved_here]
    watched = watch(moved_here, NOON)
    assert list(watched.numbers) == [day_number(TODAY)]
    assert distribute(moved_here, NOON) is None


def test_watching_begins_on_the_day_after_the_first_receipt() -> None:
    since = [row for row in days_like({10: 5}) if row.day >= day_number(TODAY) - 20]
    old_listens = [Arrival(day_number(TODAY) - 40, 24 * 21, 7)]  # received 19 days ago
    assert len(watch(since, NOON).numbers) == 20
    assert len(watch(since + old_listens, NOON).numbers) == 20
    assert len(watch([row for row in since if row.day > day_number(TODAY) - 19] + old_listens, NOON).numbers) == 19


@pytest.mark.parametrize(("days", "is_known"), [(16, False), (17, True)])
def test_ten_days_must_have_been_watched_for_a_week(days: int, is_known: bool) -> None:
    assert (distribute(days_like({10: 5}, days=days), NOON) is not None) == is_known


def test_a_show_that_is_rarely_heard_tells_nothing() -> None:
    once_a_week = [row for row in days_like({10: 5}) if row.day % 7 == 0]
    assert distribute(once_a_week, NOON) is None
    assert distribute([], NOON) is None


def test_between_two_edges_listens_are_taken_in_proportion() -> None:
    watched = watch(days_like({10: 60, 72: 24}), NOON)
    oldest = 0
    assert watched.at(10.5)[oldest] == 30
    assert watched.at(84)[oldest] == 72
    assert watched.at(float(EDGES[-1]))[oldest] == 84


def test_what_a_replaced_recording_takes_back_leaves_no_day_below_nothing() -> None:
    rows = [*days_like({10: 60}), Arrival(day_number(TODAY) - 9, 96, -70)]
    watched = watch(rows, NOON)
    assert watched.arrived.min() == 0
    found = distribute(rows, NOON)
    assert found is not None
    assert np.all(np.diff(found.curve) >= 0)


def test_another_time_zones_now_is_the_same_instant() -> None:
    rows = days_like({10: 60, 30: 30})
    elsewhere = datetime.fromisoformat("2026-06-30T02:00:00-10:00")
    assert np.array_equal(watch(rows, elsewhere).ages, watch(rows, NOON).ages)
    assert watch(rows, NOON + timedelta(hours=6)).ages[-1] == 18
