"""Tokenises lines of columns: those that are plain all at once with a CSV reader, the others one by one.

A column is bare or in quotation marks, whatever the format's own writing says; so one line is the same columns on both
ways. On the fast way go lines in which every quotation mark stands at the border of a column, and nothing is escaped: a
stray one would have the CSV reader take the lines behind it for a part of the column.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from api.delivery.importing.lines import Fields, Lines, together
from api.delivery.importing.texts import BYTES, Raw, encode, to_raw, unescape

NOT_THE_FORMAT = "is not in the log's format"
EXTRA = "extra_"
"""Columns behind those with a name are called so, with a number from 0."""
_QUOTE, _ESCAPE, _RETURN = b'"\\\r'
_LAST_ASCII = 127
_SAMPLE = 5

Check = Callable[[bytes], bool]


@dataclass(frozen=True)
class Layout:
    """The columns of a line."""

    delimiter: str
    columns: tuple[str, ...]
    """A name for each; empty for those that nobody asks for."""
    required: int
    """How many of them every line has."""
    has_extras: bool = False
    """Whether more columns may follow; otherwise the line is refused."""
    has_quotes: bool = True
    checks: tuple[tuple[str, Check], ...] = ()
    """What the values of a named column must be like, so that a line with a stray delimiter is not misread."""
    strict: re.Pattern[bytes] | None = None
    """Tried on lines that do not fall into columns: it has groups named like columns."""

    def names(self) -> set[str]:
        """Of the columns."""
        return set(self.columns)

    def read(self, lines: Lines) -> Fields:
        """The columns of these lines."""
        is_plain = self._is_plain(lines)
        plain = lines.of(is_plain)
        width = self._width(plain)
        if width is None:
            return self.read_slowly(lines)
        fast, odd = self._read_fast(plain, width)
        is_rest = ~is_plain
        is_rest[np.flatnonzero(is_plain)[odd]] = True
        return together([fast, self.read_slowly(lines.of(is_rest))])

    def read_slowly(self, lines: Lines) -> Fields:
        """The same, a line at a time."""
        return _read_each(lines, self.try_read_line)

    def try_read_line(self, line: bytes) -> dict[str, bytes] | None:
        """The columns with a name and the extra ones; None when the line is not in the format."""
        return self._try_columns(line) or self._try_strict(line)

    def _try_columns(self, line: bytes) -> dict[str, bytes] | None:
        match = self._pattern.fullmatch(line)
        if match is None:
            return None
        *tokens, rest = match.groups()
        values = self._take({}, [*tokens, *self._more.findall(rest)], 0)
        is_right = values is not None and all(check(values.get(name, b"")) for name, check in self.checks)
        return values if is_right else None

    def _try_strict(self, line: bytes) -> dict[str, bytes] | None:
        match = self.strict.fullmatch(line) if self.strict else None
        if match is None:
            return None
        groups = match.groupdict(b"")
        rest = self._more.findall(groups.pop("rest", b""))
        return self._take({name: unescape(value) for name, value in groups.items()}, rest, self.required)

    def _take(self, values: dict[str, bytes], tokens: list[bytes], first: int) -> dict[str, bytes] | None:
        """The values, and with them the tokens of the columns from the first one on."""
        width = first + len(tokens)
        if width > len(self.columns) and not self.has_extras:
            return None
        values |= {name: self._value(token) for name, token in zip(self._names(width)[first:], tokens, strict=True)}
        values.pop("", None)
        return values

    def _value(self, token: bytes) -> bytes:
        if not self.has_quotes:
            return token
        return unescape(token[1:-1] if token.startswith(b'"') else token)

    def _names(self, width: int) -> list[str]:
        extras = (f"{EXTRA}{place}" for place in range(width - len(self.columns)))
        return [*self.columns[:width], *extras]

    @cached_property
    def _token(self) -> bytes:
        delimiter = re.escape(self.delimiter.encode())
        return rb'"(?:[^"\\]++|\\.)*+"|[^"%b]*+' % delimiter if self.has_quotes else rb"[^%b]*+" % delimiter

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        delimiter = re.escape(self.delimiter.encode())
        required = delimiter.join([b"(%b)" % self._token] * self.required)
        return re.compile(required + b"(?P<rest>(?:%b(?:%b))*+)" % (delimiter, self._token), re.DOTALL)

    @cached_property
    def _more(self) -> re.Pattern[bytes]:
        return re.compile(b"%b(%b)" % (re.escape(self.delimiter.encode()), self._token), re.DOTALL)

    def _is_plain(self, lines: Lines) -> NDArray[np.bool_]:
        """Which lines the CSV reader takes for the same columns."""
        is_plain = np.ones(len(lines), bool)
        # Of a line with too many columns the CSV reader makes a text; what is no UTF-8 would stop it.
        if not lines.data.isascii():
            is_plain &= ~lines.holding(np.flatnonzero(np.frombuffer(lines.data, np.uint8) > _LAST_ASCII))
        for char in (_RETURN, _ESCAPE) if self.has_quotes else (_RETURN,):
            if char in lines.data:
                is_plain &= ~lines.holding(lines.where(char))
        return self._is_aligned(lines, is_plain) if self.has_quotes else is_plain

    def _is_aligned(self, lines: Lines, is_plain: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which of the plain lines have their quotation marks at the borders of columns only."""
        chars = np.frombuffer(lines.data, np.uint8)
        quotes = lines.where(_QUOTE)
        firsts = np.searchsorted(quotes, lines.starts)
        counts = np.searchsorted(quotes, lines.ends) - firsts
        is_plain = is_plain & (counts % 2 == 0)
        if not is_plain.all() or counts.sum() != len(quotes):
            quotes = quotes[_ranges(firsts[is_plain], counts[is_plain])]
        opening, closing = quotes[0::2], quotes[1::2]
        allowed = np.zeros(256, bool)
        allowed[[ord(self.delimiter), *b"\r\n"]] = True
        # A quotation mark at the very beginning sees the last character here, one at the very end itself.
        is_stray = ~allowed[chars[opening - 1]] & (opening > 0)
        is_stray |= ~allowed[chars[np.minimum(closing + 1, len(chars) - 1)]] & (closing + 1 < len(chars))
        if is_stray.any():
            is_plain &= ~lines.holding(opening[is_stray])
        return is_plain

    def _width(self, lines: Lines) -> int | None:
        """How many columns most lines have, by the first ones; None when that is no layout of this kind."""
        tokens = [self._pattern.fullmatch(lines.text(place)) for place in range(min(_SAMPLE, len(lines)))]
        widths = Counter(self.required + len(self._more.findall(match["rest"])) for match in tokens if match)
        width = widths.most_common(1)[0][0] if widths else 0
        return width if width and (self.has_extras or width <= len(self.columns)) else None

    def _read_fast(self, lines: Lines, width: int) -> tuple[Fields, NDArray[np.int64]]:
        """The columns of these lines, and the places of those that have another number of columns or fail a check."""
        names = self._names(width)
        table, odd = self._parse(_joined(lines), [name or f"_{place}" for place, name in enumerate(names)])
        is_read = np.ones(len(lines), bool)
        is_read[odd] = False
        if table.num_rows != is_read.sum():
            return Fields(lines.numbers[:0], {}, []), np.arange(len(lines))
        columns = {name: to_raw(table.column(name)) for name in table.column_names}
        is_good = np.ones(table.num_rows, bool)
        for name, check in self.checks:
            is_good &= columns[name].each(check, bool) if name in columns else check(b"")
        if not is_good.all():
            is_read[np.flatnonzero(is_read)[~is_good]] = False
            columns = {name: Raw(raw.codes[is_good], raw.values) for name, raw in columns.items()}
        return Fields(lines.numbers[is_read], columns, []), np.flatnonzero(~is_read)

    def _parse(self, text: bytes, names: list[str]) -> tuple[Any, list[int]]:
        odd: list[int] = []

        def skip(row: Any) -> str:
            odd.append(row.number - 1)
            return "skip"

        named = [name for name in names if not name.startswith("_")]
        table = csv.read_csv(
            pa.BufferReader(text),
            csv.ReadOptions(use_threads=False, column_names=names, block_size=len(text) + 1),
            csv.ParseOptions(
                delimiter=self.delimiter,
                quote_char='"' if self.has_quotes else False,
                double_quote=False,
                escape_char=False,
                newlines_in_values=False,
                ignore_empty_lines=False,
                invalid_row_handler=skip,
            ),
            csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(named, BYTES),
                include_columns=named,
                null_values=[],
                strings_can_be_null=False,
            ),
        )
        return table, odd


@dataclass(frozen=True)
class Patterned:
    """Lines that do not fall into columns."""

    strict: re.Pattern[bytes]
    """With groups named like columns."""

    def names(self) -> set[str]:
        """Of the groups."""
        return set(self.strict.groupindex)

    def read(self, lines: Lines) -> Fields:
        """The groups of these lines."""
        return _read_each(lines, self._try_read_line)

    def _try_read_line(self, line: bytes) -> dict[str, bytes] | None:
        match = self.strict.fullmatch(line)
        return {name: unescape(value) for name, value in match.groupdict(b"").items()} if match else None


def _read_each(lines: Lines, try_read_line: Callable[[bytes], dict[str, bytes] | None]) -> Fields:
    found: list[dict[str, bytes]] = []
    refused: list[tuple[int, str]] = []
    is_read = np.zeros(len(lines), bool)
    for place in range(len(lines)):
        values = try_read_line(lines.text(place))
        if values is None:
            refused.append((int(lines.numbers[place]), NOT_THE_FORMAT))
        else:
            found.append(values)
            is_read[place] = True
    names = dict.fromkeys(name for values in found for name in values)
    columns = {name: to_raw(encode([values.get(name, b"") for values in found])) for name in names}
    return Fields(lines.numbers[is_read], columns, refused)


def _ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers from each start on, so many each, one behind the other."""
    shifts = starts - (np.cumsum(counts) - counts)
    return np.repeat(shifts, counts) + np.arange(counts.sum())


def _joined(lines: Lines) -> bytes:
    """The text of these lines alone, as long pieces of the data as there are."""
    chars = np.frombuffer(lines.data, np.uint8)
    gaps = lines.starts[1:] - lines.ends[:-1]
    is_next = (gaps == 1) | ((gaps == len(b"\r\n")) & (chars[lines.ends[:-1]] == _RETURN))
    cuts = np.flatnonzero(~is_next)
    starts = [int(lines.starts[0]), *lines.starts[cuts + 1].tolist()]
    ends = [*lines.ends[cuts].tolist(), int(lines.ends[-1])]
    return b"\n".join([lines.data[start:end] for start, end in zip(starts, ends, strict=True)])
