"""What reading an access log gives: blocks of consecutive lines, in columns."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class LogFormatError(ValueError):
    """The log cannot be read as asked; the message says what to do."""


class Texts(NamedTuple):
    """A column of texts: `values[codes[row]]`. Each value is there once.

    Absent, empty and `-` are all the empty text. Bytes that are no UTF-8 are U+FFFD, and so is NUL, which PostgreSQL
    does not take; only in user agents they stay, as surrogates, since consumers are told apart by them.
    """

    codes: NDArray[np.int32]
    values: list[str]


class Rows(NamedTuple):
    """The readable lines of a block, in their order."""

    line: NDArray[np.int64]
    """The line's number in the unpacked file, from 0."""
    at_ms: NDArray[np.int64]
    status: NDArray[np.uint16]
    """0 for `000`: the client hung up before the answer was complete."""
    sent_bytes: NDArray[np.int64]
    """Of the body where the log tells it, otherwise headers included."""
    ip: Texts
    """Never empty; IPv6 as logged."""
    method: Texts
    """As sent. Empty when what was sent is no HTTP request, as scanners do; then `path` is empty too."""
    path: Texts
    """Of the request's target, without query and fragment. Percent-encoding stays as it was sent."""
    host: Texts
    """Lower case, without port; empty when neither the log nor the target tells it."""
    range: Texts
    """The Range header, or for CloudFront the part that was sent, in the same words."""
    user_agent: Texts
    referrer: Texts
    country: Texts
    """Upper case."""


class Unreadable(NamedTuple):
    """A line that no hit can be made of."""

    line: int
    reason: str
    text: str
    """How it begins."""


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Some consecutive lines of a log, of every kind: readable ones, unreadable ones, and headers or empty ones."""

    first_line: int
    """Lines of the unpacked file before these."""
    lines: int
    unpacked_bytes: int
    """Where in the unpacked file the last of them ends."""
    digest: bytes
    """BLAKE2b (32 bytes) of the unpacked file up to there."""
    has_ranges: bool
    """Whether the log tells the Range header, so that an empty `range` means that none was sent. The same for all
    blocks of a file."""
    rows: Rows
    unreadable: list[Unreadable]
