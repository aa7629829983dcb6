"""Conditional requests."""

from datetime import UTC, datetime

import pytest

from api.delivery.conditions import Verdict, may_continue, verdict

ETAG = '"abc"'
CHANGED = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
AT, BEFORE, AFTER = (f"Sun, 01 Mar 2026 {time} GMT" for time in ("12:00:00", "11:59:59", "12:00:01"))
SEND, SAME, FAILED = Verdict.SEND, Verdict.NOT_MODIFIED, Verdict.FAILED

CASES = {
    "nothing": ({}, SEND),
    "the same tag": ({"if-none-match": '"abc"'}, SAME),
    "the same tag, weakened by a cache": ({"if-none-match": 'W/"abc"'}, SAME),
    "among others": ({"if-none-match": '"x", "abc"'}, SAME),
    "any": ({"if-none-match": "*"}, SAME),
    "another tag": ({"if-none-match": '"x"'}, SEND),
    "a tag that contains it": ({"if-none-match": '"xabcx"'}, SEND),
    "another tag wins over the date": ({"if-none-match": '"x"', "if-modified-since": AFTER}, SEND),
    "the same second": ({"if-modified-since": AT}, SAME),
    "a later date": ({"if-modified-since": AFTER}, SAME),
    "an earlier date": ({"if-modified-since": BEFORE}, SEND),
    "no date": ({"if-modified-since": "yesterday"}, SEND),
    "a date out of any calendar": ({"if-modified-since": "Sun, 01 Mar 99999 12:00:00 GMT"}, SEND),
    "if it is this one": ({"if-match": '"abc"'}, SEND),
    "if it is another one": ({"if-match": '"x"'}, FAILED),
    "if it is weakly this one": ({"if-match": 'W/"abc"'}, FAILED),
    "if unchanged since": ({"if-unmodified-since": AT}, SEND),
    "if unchanged since before": ({"if-unmodified-since": BEFORE}, FAILED),
    "if unchanged since no date": ({"if-unmodified-since": "yesterday"}, SEND),
}


@pytest.mark.parametrize(("headers", "expected"), CASES.values(), ids=CASES)
def test_verdict_of(headers: dict[str, str], expected: Verdict) -> None:
    assert verdict(headers, ETAG, CHANGED) is expected


IF_RANGE = {
    "absent": (None, True),
    "this tag": ('"abc"', True),
    "another tag": ('"x"', False),
    "this tag, weak": ('W/"abc"', False),
    "this date": (AT, True),
    "an earlier date": (BEFORE, False),
    "a later date": (AFTER, False),
    "nonsense": ("abc", False),
}


@pytest.mark.parametrize(("header", "expected"), IF_RANGE.values(), ids=IF_RANGE)
def test_a_range_may_be_sent_when_if_range_is(header: str | None, expected: bool) -> None:
    assert may_continue(header, ETAG, CHANGED) is expected
