"""From a format's columns of bytes to the rows of a block; and which lines these cannot be made of."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.delivery.importing import times
from api.delivery.importing.blocks import Rows, Texts
from api.delivery.importing.lines import Fields
from api.delivery.importing.requests import address_of, country_of, host_of, nearest_public, parse_request, parse_target
from api.delivery.importing.texts import Raw, to_agent, to_text, to_texts, unique

NO_TIME = "its time does not exist, or is written in a way not known here"
TOO_OLD = "its time is before the year 2000"
AHEAD = "its time is more than a day ahead"
NO_STATUS = "its status is no number"
NO_BYTES = "the number of bytes sent is none"
NO_ADDRESS = "has no address"
DAY_MS = 86_400_000

_STATUS = re.compile(rb"\d{1,3}")
_NO_NUMBER = -1
_MAX_DIGITS = 15


def assemble(fields: Fields, now_ms: int) -> tuple[Rows, list[tuple[int, str]]]:
    """The rows, and the lines that are none with the reason."""
    at_ms = _at_ms(fields)
    status = fields.get("status").each(_status, np.int32)
    sent_bytes = _numbers(fields.get("bytes"))
    ip = _address(fields)
    bad = (
        (NO_TIME, at_ms == times.NO_TIME),
        (TOO_OLD, at_ms < times.EARLIEST_MS),
        (AHEAD, at_ms > now_ms + DAY_MS),
        (NO_STATUS, status == _NO_NUMBER),
        (NO_BYTES, sent_bytes == _NO_NUMBER),
        (NO_ADDRESS, np.array([value == "" for value in ip.values], bool)[ip.codes]),
    )
    refused, is_good = _refusals(fields.numbers, bad)
    method, path, host = _request(fields)
    rows = Rows(
        line=fields.numbers,
        at_ms=at_ms,
        status=status.astype(np.uint16),
        sent_bytes=sent_bytes,
        ip=ip,
        method=method,
        path=path,
        host=host,
        range=to_texts(fields.get("range")),
        user_agent=to_texts(fields.get("user_agent"), to_agent),
        referrer=to_texts(fields.get("referrer")),
        country=_mapped(fields.get("country"), country_of),
    )
    return rows if not refused else _only(rows, is_good), refused


def _refusals(
    numbers: NDArray[np.int64], bad: Sequence[tuple[str, NDArray[np.bool_]]]
) -> tuple[list[tuple[int, str]], NDArray[np.bool_]]:
    """Each line that is bad, with the first reason; and which are good."""
    is_good = np.ones(len(numbers), bool)
    refused = []
    for reason, is_bad in bad:
        refused += [(int(number), reason) for number in numbers[is_bad & is_good]]
        is_good &= ~is_bad
    return refused, is_good


def _only(rows: Rows, is_good: NDArray[np.bool_]) -> Rows:
    def good(column: Any) -> Any:
        return Texts(column.codes[is_good], column.values) if isinstance(column, Texts) else column[is_good]

    return Rows(*map(good, rows))


def _at_ms(fields: Fields) -> NDArray[np.int64]:
    if "zone" in fields.columns:
        return times.local_ms(fields.get("date"), fields.get("zone"))
    if "clock" in fields.columns:
        return times.clock_ms(fields.get("date"), fields.get("clock"))
    return times.instants_ms(fields.get("time"))


def _status(value: bytes) -> int:
    return int(value) if _STATUS.fullmatch(value) else _NO_NUMBER


def _numbers(raw: Raw) -> NDArray[np.int64]:
    """Digits as a number, nothing and `-` as 0, anything else as -1. All at once: most lines have their own."""
    offsets, data = raw.offsets().astype(np.int64), raw.buffer()
    starts, lengths = offsets[:-1], np.diff(offsets)
    numbers = np.zeros(len(lengths), np.int64)
    is_number = lengths <= _MAX_DIGITS
    for place in range(int(lengths[is_number].max(initial=0))):
        rows = np.flatnonzero(is_number & (lengths > place))
        digits = data[starts[rows] + place].astype(np.int64) - ord("0")
        numbers[rows] = numbers[rows] * 10 + digits
        is_number[rows[(digits < 0) | (digits > 9)]] = False
    numbers[~is_number] = _NO_NUMBER
    is_dash = np.flatnonzero(lengths == 1)
    numbers[is_dash[data[starts[is_dash]] == ord("-")]] = 0
    return numbers[raw.codes]


def _address(fields: Fields) -> Texts:
    if "ip" in fields.columns or "forwarded" not in fields.columns:
        return _mapped(fields.get("ip"), address_of)
    return _mapped(fields.get("forwarded"), nearest_public)


def _request(fields: Fields) -> tuple[Texts, Texts, Texts]:
    """Method, path, host."""
    if "request" in fields.columns:
        request = fields.get("request")
        parsed = [parse_request(text) for text in request.decoded(to_text)]
        method, path, host = (unique(request.codes, texts) for texts in _unzipped(parsed, 3))
    else:
        method, target = to_texts(fields.get("method")), fields.get("target")
        targets = [parse_target(text) for text in target.decoded(to_text)]
        path, host = (unique(target.codes, texts) for texts in _unzipped(targets, 2))
    if "host" not in fields.columns:
        return method, path, host
    return method, path, _first_of(_mapped(fields.get("host"), host_of), host)


def _mapped(raw: Raw, of: Callable[[str], str]) -> Texts:
    return unique(raw.codes, [of(text) for text in raw.decoded(to_text)])


def _unzipped(rows: Sequence[tuple[str, ...]], width: int) -> list[list[str]]:
    return [[row[place] for row in rows] for place in range(width)]


def _first_of(column: Texts, other: Texts) -> Texts:
    """The first column, and where it is empty the other."""
    if "" not in column.values or other.values == [""]:
        return column
    is_empty = column.codes == column.values.index("")
    codes = np.where(is_empty, other.codes + len(column.values), column.codes).astype(np.int32)
    return unique(codes, [*column.values, *other.values])
