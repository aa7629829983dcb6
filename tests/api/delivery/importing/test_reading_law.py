"""Laws: lines read all at once are as lines read one by one, and where blocks are cut does not matter."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.delivery.importing.combined import COMBINED
from api.delivery.importing.cutting import DIGEST_BYTES, Cutter, Piece
from api.delivery.importing.delimited import Layout
from api.delivery.importing.formats import Choice
from api.delivery.importing.lines import Fields, Lines, lines_of
from api.delivery.importing.s3 import LAYOUT as S3
from api.delivery.importing.templates import layout_of
from api.delivery.importing.texts import encode, to_raw
from api.delivery.importing.times import NO_TIME, instant_ms, local_ms
from tests.api.delivery.importing.logs import NGINX, drain, open_in_memory, read

NICE = b'192.0.2.7 - - [22/Nov/2026:10:00:00 +0100] "GET /a.mp3 HTTP/1.1" 206 1234 "-" "Pod/1.0" "bytes=0-1"'
TOKENS = [
    b"192.0.2.7", b"-", b"[22/Nov/2026:10:00:00", b"+0100]", b'"GET /a HTTP/1.1"', b"206", b"1234", b'"Pod 1"', b'""',
    b'"', b'a"b', b'"a"b', b'""""', b"", b" ", b"\\", rb'"\""', rb'"\x22"', rb'"a\\"', b"\r", b"\t", b"\xff",
    b"\xef\xbb\xbf", b'"bytes=1-"', b"#", b"{", b",", b'" "', b"'", "é".encode(), b"\0", b"x" * 70_000,
]  # fmt: skip
LAYOUTS = {
    "combined": COMBINED,
    "nginx": layout_of(NGINX),
    "s3": S3,
    "tabs": Layout("\t", ("a", "", "b"), 3, has_quotes=False),
    "two columns": Layout(" ", ("a", "b"), 2),
}


def broken(line: bytes) -> st.SearchStrategy[bytes]:
    """The line with some of its bytes replaced."""
    places = st.tuples(st.integers(0, len(line)), st.integers(0, 3), st.sampled_from(TOKENS))
    return st.lists(places, max_size=3).map(lambda changes: _broken(line, changes))


def _broken(line: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for place, gone, new in changes:
        line = line[:place] + new + line[place + gone :]
    return line


MANY = st.lists(
    st.one_of(
        st.just(NICE),
        broken(NICE),
        st.lists(st.sampled_from(TOKENS), max_size=12).map(b" ".join),
        st.lists(st.sampled_from(TOKENS), max_size=4).map(b"\t".join),
    ),
    max_size=12,
)
ENDS = st.sampled_from([b"\n", b"\r\n"])


def lines_in(data: bytes) -> Lines:
    (piece,) = Cutter([data], len(data) + 1, 1 << 16).pieces()
    return lines_of(piece)[0]


def told(fields: Fields) -> tuple[dict[int, dict[str, bytes]], list[tuple[int, str]]]:
    """Columns that say anything, by line; and what is refused."""
    rows: dict[int, dict[str, bytes]] = {int(number): {} for number in fields.numbers}
    for name, raw in fields.columns.items():
        values = raw.distinct()
        for number, code in zip(fields.numbers, raw.codes, strict=True):
            if values[code]:
                rows[int(number)][name] = values[code]
    return rows, sorted(fields.refused)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@given(many=MANY, end=ENDS)
@settings(deadline=None, max_examples=150)
def test_lines_read_at_once_are_as_lines_read_one_by_one(layout: Layout, many: list[bytes], end: bytes) -> None:
    data = end.join([NICE, *many, NICE])
    lines = lines_in(data)
    assert told(layout.read(lines)) == told(layout.read_slowly(lines))


def test_nice_lines_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Layout, "read_slowly", lambda self, lines: Fields(lines.numbers, {}, []) if len(lines) == 0 else 1 / 0
    )
    assert len(read(b"\n".join([NICE] * 50)).rows) == 50
    template = Choice(template=NGINX)
    assert len(read(b"\r\n".join([NICE] * 50), template).rows) == 50


@given(many=MANY, end=ENDS, size=st.integers(5, 700), last=st.booleans())
@settings(deadline=None, max_examples=150)
def test_blocks_may_be_cut_anywhere(many: list[bytes], end: bytes, size: int, last: bool) -> None:
    data = end.join([NICE, *many]) + (end if last else b"")
    whole, cut = read(data, "combined"), read(data, "combined", size)
    assert (cut.rows, cut.unreadable) == (whole.rows, whole.unreadable)
    for result in (whole, cut):
        assert sum(block.lines for block in result.blocks) == data.count(b"\n") + (not data.endswith(b"\n"))
        assert all(one.first_line + one.lines == next_.first_line for one, next_ in pairwise(result.blocks))
    assert cut.blocks[-1].unpacked_bytes == len(data)
    assert cut.blocks[-1].digest == whole.blocks[-1].digest


@given(many=MANY, size=st.integers(5, 700), data=st.data())
@settings(deadline=None, max_examples=100)
def test_reading_can_go_on_after_any_block(many: list[bytes], size: int, data: Any) -> None:
    log = b"\n".join([NICE, *many, NICE])
    whole = read(log, "combined", size)
    block = data.draw(st.sampled_from(whole.blocks))
    reader = open_in_memory(log, Choice("combined"), data.draw(st.integers(5, 700)))
    assert reader.skip(block.unpacked_bytes, block.digest)
    rest = drain(reader)
    next_line = block.first_line + block.lines
    assert rest.rows == [row for row in whole.rows if row["line"] >= next_line]
    assert rest.unreadable == [one for one in whole.unreadable if one[0] >= next_line]


def test_at_most_so_many_lines_are_in_a_block() -> None:
    blocks = read(b"\n" * 200_000 + NICE, "combined").blocks
    assert [block.lines for block in blocks] == [65536, 65536, 65536, 200_001 - 3 * 65536]
    assert [len(block.digest) for block in blocks] == [DIGEST_BYTES] * 4


def test_pieces_of_few_lines_have_the_lines_in_their_order() -> None:
    lines = [b"%d" % number * (number % 7) for number in range(100)]
    pieces = list(Cutter([b"\n".join(lines)], 1000, max_lines=3).pieces())
    assert [place.first_line for place in pieces] == list(range(0, 100, 3))
    assert [lines.text(place) for lines in map(every_line, pieces) for place in range(len(lines))] == lines


def every_line(piece: Piece) -> Lines:
    starts = np.concatenate([[0], piece.ends[:-1] + 1])
    return Lines(piece.data, starts, piece.ends, piece.first_line + np.arange(len(starts)))


DATES = st.from_regex(rb"\A\[?[0-3]\d/(Jan|Feb|Apr|Jun|Dec|Foo)/(0000|19\d\d|20\d\d):[0-2]\d:[0-6]\d:[0-6]\d\Z")
ZONES = st.from_regex(rb"\A[+-][0-2]\d[0-6]\d\]?\Z")


@given(dates=st.lists(st.one_of(DATES, DATES, st.binary(max_size=22)), min_size=1, max_size=20), zone=ZONES)
def test_times_read_at_once_are_as_times_read_one_by_one(dates: list[bytes], zone: bytes) -> None:
    zones = [zone] * len(dates)
    at_once = local_ms(to_raw(encode(dates)), to_raw(encode(zones)))
    one_by_one = [instant_ms(date + b" " + zone) for date in dates]
    assert at_once.tolist() == one_by_one
    assert at_once.dtype == np.int64


def test_a_time_with_a_day_that_no_month_has_is_none() -> None:
    assert instant_ms(b"29/Feb/2024:00:00:00 +0000") == 1_709_164_800_000
    assert instant_ms(b"29/Feb/2026:00:00:00 +0000") == NO_TIME
