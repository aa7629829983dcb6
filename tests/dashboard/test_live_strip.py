"""The strip of what is arriving."""

from dashboard.live_strip import strip
from models.queries.live import Arrivals

NOW_MS = 1_800_000_000_000


def test_it_says_how_much_how_late_and_how_long_ago() -> None:
    text = strip(Arrivals(events=25_310, listens=1_204, late_listens=312, last_received_ms=NOW_MS - 3_400), NOW_MS)
    assert "<b>1,204</b> listens" in text
    assert "<b>312</b> of them heard on an earlier day" in text
    assert "<b>25,310</b> events" in text
    assert "Last sync 3 s ago" in text


def test_nothing_late_is_not_mentioned_and_one_is_not_plural() -> None:
    text = strip(Arrivals(1, 1, 0, NOW_MS), NOW_MS)
    assert "<b>1</b> listen<" in text
    assert "<b>1</b> event<" in text
    assert "earlier day" not in text


def test_the_dot_goes_out_when_nothing_comes_any_more() -> None:
    assert "es-quiet" not in strip(Arrivals(1, 1, 0, NOW_MS - 59_000), NOW_MS)
    assert "es-quiet" in strip(Arrivals(1, 1, 0, NOW_MS - 61_000), NOW_MS)


def test_a_day_without_arrivals_says_so() -> None:
    assert "Nothing has arrived today yet" in strip(Arrivals(0, 0, 0, None), NOW_MS)
