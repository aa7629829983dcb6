"""Numbers as people read them."""

import math
from datetime import UTC, datetime

import pytest

from dashboard import formats
from models import metrics


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 h"),
        (1800, "0.5 h"),
        (35_640, "9.9 h"),
        (36_000, "10 h"),
        (4_442_400, "1,234 h"),
        (44_280_000, "12.3 k h"),
    ],
)
def test_hours_get_shorter_as_they_get_more(seconds: int, text: str) -> None:
    assert formats.hours(seconds) == text


def test_a_share_of_nothing_is_a_dash_and_never_nan() -> None:
    assert formats.value(metrics.OFFLINE_SHARE, math.nan) == formats.DASH
    assert formats.value(metrics.OFFLINE_SHARE, 0.446) == "45 %"


@pytest.mark.parametrize(
    ("metric", "now", "before", "text"),
    [
        (metrics.LISTENS, 112, 100, "+12 %"),
        (metrics.LISTENS, 50, 100, "-50 %"),
        (metrics.LISTENS, 5000, 2, "\N{MULTIPLICATION SIGN} 2,500"),
        (metrics.LISTENS, 7, 0, ""),
        (metrics.OFFLINE_SHARE, 0.301, 0.333, "-3.2 pp"),
        (metrics.OFFLINE_SHARE, 0.3, math.nan, ""),
        (metrics.OFFLINE_SHARE, math.nan, 0.3, ""),
    ],
)
def test_a_change_is_relative_for_amounts_and_in_points_for_shares(metric, now, before, text) -> None:
    assert formats.change(metric, now, before) == text


@pytest.mark.parametrize(("text", "is_flat"), [("+0 %", True), ("-0.0 pp", True), ("", True), ("+0.1 pp", False)])
def test_a_change_that_rounds_to_nothing_is_flat(text: str, is_flat: bool) -> None:
    assert formats.is_flat(text) is is_flat


@pytest.mark.parametrize(
    ("elapsed_ms", "text"),
    [(-50, "just now"), (999, "just now"), (3_999, "3 s ago"), (60_000, "1 min ago"), (7_300_000, "2 h ago")],
)
def test_the_last_sync_is_as_long_ago_as_it_is(elapsed_ms: int, text: str) -> None:
    assert formats.ago(elapsed_ms) == text


@pytest.mark.parametrize(("milliseconds", "text"), [(35_900, "35 s"), (2_520_000, "42 min")])
def test_durations_are_whole(milliseconds: int, text: str) -> None:
    assert formats.duration(milliseconds) == text


def test_publication_tells_drafts_and_the_future_apart() -> None:
    now = datetime(2026, 11, 3, 12, tzinfo=UTC)
    assert formats.publication(None, now) == "Draft"
    assert formats.publication(now, now) == "Published 3 Nov 2026"
    assert formats.publication(now.replace(hour=18), now) == "To be published 3 Nov 2026, 18:00 UTC"


def test_a_long_title_is_cut_at_a_word() -> None:
    assert formats.shorten("Bread, Salt and a Very Long Winter", 20) == "Bread, Salt and a…"
    assert formats.shorten("Fog", 20) == "Fog"
    assert len(formats.shorten("x" * 90, 20)) == 20


def test_much_growth_is_told_as_a_multiple() -> None:
    assert formats.change(metrics.LISTENS, 1486, 15) == "\N{MULTIPLICATION SIGN} 99"
    assert formats.change(metrics.LISTENS, 149, 15) == "+893 %"


def test_a_title_with_markup_in_it_stays_text() -> None:
    assert formats.plain("Is $5 *worth* :fire: a_b") == r"Is \$5 \*worth\* \:fire\: a\_b"
