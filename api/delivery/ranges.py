"""The Range header: which bytes of a file are asked for. RFC 9110, section 14."""

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `[start, end)` of a file."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Bytes in it."""
        return self.end - self.start


class UnsatisfiableError(Exception):
    """No byte of the file is in the range."""


def parse_range(header: str, size: int) -> Span | None:
    """The one range asked for; None when the whole file is to be sent. Raises UnsatisfiableError.

    What is no range at all is ignored, as the RFC says. So are several ranges at once: that is allowed, no podcast app
    sends them, and it takes the ground from under requests for thousands of overlapping ones.
    """
    match = _ONE_RANGE.fullmatch(header.strip())
    if match is None:
        return None
    first, last = match.groups()
    if first:
        return _between(int(first), int(last) if last else size - 1, size)
    if last:
        return _final(int(last), size)
    return None


def _between(first: int, last: int, size: int) -> Span | None:
    if first >= size:
        raise UnsatisfiableError
    return Span(first, min(last, size - 1) + 1) if first <= last else None


def _final(length: int, size: int) -> Span:
    if length == 0 or size == 0:
        raise UnsatisfiableError
    return Span(max(0, size - length), size)
