"""The Range header."""

import pytest

from api.delivery.ranges import Span, UnsatisfiableError, parse_range

SIZE = 1000
CASES = {
    "the beginning": ("bytes=0-99", (0, 100)),
    "one byte": ("bytes=0-0", (0, 1)),
    "the last byte": ("bytes=999-999", (999, 1000)),
    "from the middle on": ("bytes=500-", (500, 1000)),
    "all of it": ("bytes=0-", (0, 1000)),
    "beyond the end": ("bytes=900-5000", (900, 1000)),
    "the last hundred": ("bytes=-100", (900, 1000)),
    "the last of more than there is": ("bytes=-5000", (0, 1000)),
    "in capitals": ("Bytes=0-99", (0, 100)),
    "with spaces around": ("bytes= 0-99 ", (0, 100)),
    "after the end": ("bytes=1000-", "unsatisfiable"),
    "far after the end": ("bytes=5000-6000", "unsatisfiable"),
    "the last nothing": ("bytes=-0", "unsatisfiable"),
    "backwards": ("bytes=99-0", None),
    "no number": ("bytes=a-b", None),
    "only a dash": ("bytes=-", None),
    "nothing": ("", None),
    "another unit": ("seconds=0-9", None),
    "a sign": ("bytes=+1-5", None),
    "digits of another script": ("bytes=\u0660-\u0669", None),
    "several": ("bytes=0-1,5-6", None),
    "many": ("bytes=" + ",".join(["0-"] * 10_000), None),
    "a number without end": ("bytes=0-" + "9" * 10_000, None),
}


@pytest.mark.parametrize(("header", "expected"), CASES.values(), ids=CASES)
def test_it_reads(header: str, expected: tuple[int, int] | str | None) -> None:
    if expected == "unsatisfiable":
        with pytest.raises(UnsatisfiableError):
            parse_range(header, SIZE)
    else:
        assert parse_range(header, SIZE) == (expected and Span(*expected))
