"""When people listen."""

from collections import Counter
from random import Random

from seed.catalogue import DAY_MS
from seed.schedule import HOUR_MS, WEEKEND_SHARE, draw_hearing, draw_install_day, draw_moment, is_weekend

MONDAY = 20_409
"""2025-11-17."""


def test_the_weekend_is_saturday_and_sunday() -> None:
    assert [is_weekend(MONDAY + place) for place in range(7)] == [False] * 5 + [True] * 2


def test_working_days_peak_on_the_ride_to_work_and_weekends_at_breakfast() -> None:
    random = Random(1)
    for day, peak in ((MONDAY, 7), (MONDAY + 5, 10)):
        hours = Counter(draw_moment(random, day, 0) // HOUR_MS % 24 for _ in range(5_000))
        assert hours.most_common(1)[0][0] == peak


def test_hours_are_the_listeners_own() -> None:
    moments = [draw_moment(Random(number), MONDAY, -8 * HOUR_MS) for number in range(500)]
    assert all(MONDAY * DAY_MS + 8 * HOUR_MS <= moment < (MONDAY + 1) * DAY_MS + 8 * HOUR_MS for moment in moments)


def test_nothing_is_heard_before_it_is_out() -> None:
    out_ms = MONDAY * DAY_MS + 16 * HOUR_MS
    assert all(draw_hearing(Random(number), out_ms, 2 * HOUR_MS, 1.0) > out_ms for number in range(1_000))


def test_fewer_listen_at_weekends() -> None:
    # With much patience every day is as good as any other, but for the weekends.
    days = Counter(
        is_weekend(draw_hearing(Random(number), MONDAY * DAY_MS, 0, 400.0) // DAY_MS) for number in range(20_000)
    )
    share = (days[True] / 2) / (days[False] / 5)
    assert abs(share - WEEKEND_SHARE) < 0.05


def test_newcomers_are_more_and_more() -> None:
    ages = [MONDAY - draw_install_day(Random(number), MONDAY) for number in range(5_000)]
    assert min(ages) > 0
    assert sum(age <= 30 for age in ages) > 1.4 * sum(30 < age <= 60 for age in ages)
    assert sum(age > 60 for age in ages) > 2_000
