"""The mathematics of the rules."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.holds.held_days import verdicts
from api.holds.judging import Usual, crowded, days_since_release, is_spike, newest, usual
from models.queries.hold_findings import Heard
from models.queries.holds import Flag

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@given(st.lists(st.integers(0, 400), max_size=40))
@example([0, 0, 0, 0, 0, 60])
def test_a_crowd_is_all_of_any_hour_with_too_many(minutes: list[int]) -> None:
    registered = [(NOON + timedelta(minutes=at), bytes([place])) for place, at in enumerate(sorted(minutes))]
    expected = {
        device
        for start, _ in registered
        for window in [[d for at, d in registered if start <= at < start + timedelta(minutes=60)]]
        if len(window) > 5
        for device in window
    }
    assert crowded(registered, 5, 60) == expected


def test_days_are_told_apart_by_the_last_release() -> None:
    kinds = [days_since_release([10, 17], day) for day in (9, 10, 16, 17, 23, 24)]
    assert kinds == ["later", "release+0", "release+6", "release+0", "release+6", "later"]


def test_a_day_is_compared_with_days_of_its_kind() -> None:
    releases = [10, 20, 30, 40, 50]
    counts = {day: 1000 if day in releases else 10 for day in range(10, 60)}
    assert usual(counts, releases, 60, 84, 4) == Usual(10, 0, 15, "later")
    assert usual(counts, [*releases, 60], 60, 84, 4) == Usual(1000, 0, 5, "release+0")


def test_without_enough_days_of_its_kind_nothing_is_said() -> None:
    counts = dict.fromkeys(range(10, 40), 10)
    assert usual(counts, [10, 20, 30, 40], 40, 84, 4) is None
    assert usual(counts, [10, 20, 30], 40, 84, 4) == Usual(10, 0, 9, "later")


def test_a_show_that_grows_is_compared_with_where_it_got_to() -> None:
    counts = {10: 1, 20: 1, 30: 2, 40: 1, 50: 690}
    assert usual(counts, [10, 20, 30, 40, 50, 60], 60, 84, 4) == Usual(690, 0, 5, "release+0")


SPIKES = {
    "all three": (900, Usual(50, 20, 8, "later"), True),
    "not so many in plain numbers": (240, Usual(50, 0, 8, "later"), False),
    "a restless show": (900, Usual(50, 110, 8, "later"), False),
    "no multiple": (3000, Usual(1000, 100, 8, "later"), False),
}


@pytest.mark.parametrize("name", SPIKES)
def test_a_spike_stands_out_by_spread_multiple_and_number(name: str) -> None:
    count, normal, expected = SPIKES[name]
    assert is_spike(count, normal, deviations=8, times=4, more=200) is expected


def test_the_newest_devices_come_first_and_unregistered_ones_last() -> None:
    heard = [Heard(bytes([n]), 1, b"", at) for n, at in enumerate((NOON, None, NOON + timedelta(days=1)))]
    assert newest(heard, 2) == ((1, b"\x02"), (1, b"\x00"))
    assert newest(heard, -1) == ()


def test_one_verdict_stands_for_each_playback() -> None:
    one, two = (1, b"d", 7), (1, b"e", 7)
    flags = [
        Flag(one, "no_delivery", "open"),
        Flag(one, "forked_log", "open"),
        Flag(two, "forked_log", "open"),
        Flag(two, "over_24_hours", "void"),
    ]
    expected = {one: ("open", "forked_log"), two: ("void", "over_24_hours")}
    assert verdicts(flags) == verdicts(reversed(flags)) == expected
