"""How a page says that a day is still arriving."""

import re
from datetime import date

import pytest

from dashboard import provisional
from models.completeness import Completeness
from models.lags import distribute
from tests.models.test_lags import NOON, days_like

TODAY = date(2026, 3, 3)
FOUND = {
    date(2026, 2, 20): None,
    date(2026, 3, 1): Completeness(0.995, 1000, 998, 1003),
    date(2026, 3, 2): Completeness(0.83, 12_312, 11_950, 12_700),
    date(2026, 3, 3): Completeness(0.4, 10_000, 8_000, 15_000),
}


def said(found: Completeness) -> str:
    """The words for one day."""
    (row,) = provisional.frame({TODAY: found}).itertuples()
    return provisional.say(row)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Completeness(0.83, 12_312, 11_950, 12_700), "about 83 % in, expect 12,300 ± 400"),
        (Completeness(0.5, 12_312, 12_170, 12_440), "about 50 % in, expect 12,310 ± 140"),
        (Completeness(0.9, 105, 101, 109), "about 90 % in, expect 105 ± 4"),
        (Completeness(0.98, 50, 49, 51), "about 98 % in, expect 50 ± 1"),
        (Completeness(0.98, 50, 50, 50), "about 98 % in, expect 50 ± 0"),
        (Completeness(0.6, 10, 7, 15), "about 60 % in, expect 10 (7 to 15)"),
        (Completeness(0.97, 8, 8, 9), "about 97 % in, expect 8 ± 1"),
    ],
)
def test_a_day_is_said_with_its_share_and_what_to_expect(found: Completeness, words: str) -> None:
    assert said(found).replace("\N{NO-BREAK SPACE}", " ") == words


@pytest.mark.parametrize("around", [*range(1, 60), 99, 140, 149, 151, 299, 301, 412, 999, 1501, 33_333])
def test_a_range_is_never_said_narrower_than_it_is(around: int) -> None:
    words = said(Completeness(0.8, 100_017, 100_017 - around, 100_017 + around))
    expected, stated = (int(number.replace(",", "")) for number in re.findall(r"([\d,]+) ± ([\d,]+)", words)[0])
    assert expected - stated <= 100_017 - around
    assert 100_017 + around <= expected + stated
    assert stated <= around * 1.4 + 1


def test_only_provisional_days_have_a_row() -> None:
    assert list(provisional.frame(FOUND)["day"]) == [date(2026, 3, 2), date(2026, 3, 3)]


def test_the_caption_names_today_and_yesterday() -> None:
    caption = provisional.caption(provisional.frame(FOUND), TODAY)
    assert "Hatched days are still arriving" in caption
    assert caption.endswith("in, expect 10,000 (8,000 to 15,000); yesterday is about 83 % in, expect 12,300 ± 400.")
    assert "Today is about 40" in caption


def test_without_provisional_days_nothing_is_said_to_be_hatched() -> None:
    assert "atched" not in provisional.caption(provisional.frame({}), TODAY)


def test_an_episode_has_its_shows_share_and_no_numbers_of_the_show() -> None:
    caption = provisional.caption(provisional.shares_only(provisional.frame(FOUND)), TODAY)
    assert "yesterday is about 83 % in." in caption
    assert "expect" not in caption
    assert "outline" not in caption


def test_lags_are_told_in_hours_and_then_in_days() -> None:
    lags = distribute(days_like({10: 60, 30: 30, 96: 9, 240: 1}), NOON)
    assert lags is not None
    sentence = provisional.lag_sentence(lags)
    assert (
        sentence
        == "Half of a day's listens are here 11 hours after it began, 90 % after 31 hours, 99 % after 5.0 days."
    )
