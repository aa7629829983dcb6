"""What a playback adds to the impressions of an ad."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.impressions import NONE, Ad, Impressions, ad_of, contribution, seconds_within
from models.queries.impressions import CountedAd

AD = Ad(1, 1, 1, 100, 140, 10, 20, 50)
"""Forty seconds, from day 10 to day 20, confirmed by half of them."""

CASES = {
    "never came to it": ([0, 100], NONE),
    "a second of it": ([0, 101], Impressions(1, 0, 0, 0, 0, 0, 0)),
    "a second less than a quarter": ([91, 109], Impressions(1, 0, 0, 0, 0, 0, 0)),
    "a quarter": ([90, 110], Impressions(1, 1, 0, 0, 0, 0, 0)),
    "a second less than half": ([0, 119], Impressions(1, 1, 0, 0, 0, 0, 0)),
    "half": ([0, 120], Impressions(1, 1, 1, 0, 0, 1, 0)),
    "half, from both ends": ([90, 110, 130, 200], Impressions(1, 1, 1, 0, 0, 1, 0)),
    "three quarters": ([110, 140], Impressions(1, 1, 1, 1, 0, 1, 0)),
    "all but a second": ([0, 139], Impressions(1, 1, 1, 1, 0, 1, 0)),
    "all": ([100, 140], Impressions(1, 1, 1, 1, 1, 1, 0)),
    "all and more": ([0, 600], Impressions(1, 1, 1, 1, 1, 1, 0)),
    "skipped it": ([0, 100, 140, 600], NONE),
    "nothing": ([], NONE),
}


@pytest.mark.parametrize("name", CASES)
def test_an_ad_is_heard_as_far_as_its_seconds_were(name: str) -> None:
    coverage, expected = CASES[name]
    assert contribution(AD, 15, coverage, is_offline=False) == expected


@pytest.mark.parametrize(("percent", "heard"), [(0, 1), (25, 10), (50, 20), (75, 30), (100, 40)])
def test_a_campaign_says_how_much_confirms(percent: int, heard: int) -> None:
    ad = AD._replace(confirm_percent=percent)
    assert contribution(ad, 15, [100, 100 + heard], is_offline=False).confirmed == 1
    assert contribution(ad, 15, [100, 99 + heard] if heard > 1 else [], is_offline=False).confirmed == 0


def test_confirmed_offline_is_told_apart() -> None:
    assert contribution(AD, 15, [100, 140], is_offline=True).offline_confirmed == 1
    assert contribution(AD, 15, [100, 119], is_offline=True).offline_confirmed == 0


@pytest.mark.parametrize(("day", "started"), [(9, 0), (10, 1), (20, 1), (21, 0)])
def test_only_the_days_of_a_placement_count(day: int, started: int) -> None:
    assert contribution(AD, day, [100, 140], is_offline=False).started == started


def test_an_ad_is_cut_into_seconds_as_spans_are() -> None:
    counted = CountedAd(7, 8, 9, 10_999, 40_001, 1, 2, 25)
    assert ad_of(counted, 600) == Ad(8, 9, 7, 10, 40, 1, 2, 25)
    assert ad_of(counted, 30).end == 30


def test_a_recording_that_ends_before_the_ad_has_none_of_it() -> None:
    ad = ad_of(CountedAd(7, 8, 9, 10_000, 40_000, 1, 2, 0), 10)
    assert contribution(ad, 1, [0, 600], is_offline=False) == NONE


@given(seconds=st.sets(st.integers(0, 40), max_size=30), first=st.integers(0, 40), length=st.integers(1, 20))
def test_seconds_within_are_those_of_the_set(seconds: set[int], first: int, length: int) -> None:
    bounds = sorted(s for s in seconds if s - 1 not in seconds)
    ends = sorted(s + 1 for s in seconds if s + 1 not in seconds)
    coverage = [bound for pair in zip(bounds, ends, strict=True) for bound in pair]
    assert seconds_within(coverage, first, first + length) == len(seconds & set(range(first, first + length)))
