"""The lines of a piece that may be hits, and those that can at once be said to be none."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from api.delivery.importing.cutting import MAX_LINE_BYTES, TOO_LONG, Piece
from api.delivery.importing.texts import Raw, constant, to_raw

NUL = "has NUL bytes"
BOM = b"\xef\xbb\xbf"
_NEWLINE, _RETURN = b"\n\r"


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of a piece, in their order."""

    data: bytes
    """Of the piece."""
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    """Without newline and carriage return."""
    numbers: NDArray[np.int64]
    """In the file, from 0."""

    def __len__(self) -> int:
        return len(self.numbers)

    def text(self, place: int) -> bytes:
        """One of them."""
        return self.data[self.starts[place] : self.ends[place]]

    def of(self, places: NDArray[Any]) -> "Lines":
        """Some of them, by place or by mask."""
        return Lines(self.data, self.starts[places], self.ends[places], self.numbers[places])

    def starting_with(self, text: bytes) -> list[int]:
        """The places of those that begin so."""
        if not len(self):
            return []
        firsts = np.frombuffer(self.data, np.uint8)[self.starts]
        return [place for place in np.flatnonzero(firsts == text[0]).tolist() if self.text(place).startswith(text)]

    def holding(self, positions: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of them has any of these bytes of the piece, given in rising order."""
        return np.searchsorted(positions, self.starts) < np.searchsorted(positions, self.ends)

    def where(self, char: int) -> NDArray[np.int64]:
        """Where this byte is in the piece; also between the lines."""
        if char not in self.data:  # one quick look instead of an array as long as the piece
            return np.zeros(0, np.int64)
        return np.flatnonzero(np.frombuffer(self.data, np.uint8) == char)


@dataclass(slots=True)
class Fields:
    """What a format found in lines: columns of bytes by name, of the lines `numbers`; and lines that it cannot read."""

    numbers: NDArray[np.int64]
    columns: dict[str, Raw]
    refused: list[tuple[int, str]]
    """Number of the line in the file, and why."""

    def get(self, name: str) -> Raw:
        """The column, empty texts where the format has none."""
        return self.columns.get(name) or constant(b"", len(self.numbers))


def lines_of(piece: Piece) -> tuple[Lines, list[tuple[int, str]]]:
    """Lines to read, and those refused with the reason; empty lines are neither."""
    starts = np.concatenate([np.zeros(min(1, len(piece.ends)), np.int64), piece.ends[:-1] + 1])
    every = Lines(piece.data, starts, piece.ends, piece.first_line + np.arange(len(starts)))
    if piece.reason:
        return every.of(np.zeros(len(every), bool)), [(piece.first_line, piece.reason)]
    chars = np.frombuffer(piece.data, np.uint8)
    if _RETURN in piece.data:
        has_return = (every.ends > every.starts) & (chars[every.ends - 1] == _RETURN)
        every = Lines(every.data, every.starts, every.ends - has_return, every.numbers)
    if piece.first_line == 0 and piece.data.startswith(BOM):
        every.starts[0] += len(BOM)
    is_long = every.ends - every.starts > MAX_LINE_BYTES
    has_nul = every.holding(every.where(0)) & ~is_long
    refused = [(int(number), TOO_LONG) for number in every.numbers[is_long]]
    refused += [(int(number), NUL) for number in every.numbers[has_nul]]
    return every.of((every.ends > every.starts) & ~is_long & ~has_nul), refused


def together(parts: list[Fields]) -> Fields:
    """Fields of different lines of one piece, in the order of the lines."""
    parts = [part for part in parts if len(part.numbers) or part.refused] or parts[:1]
    if len(parts) == 1:
        return parts[0]
    numbers = np.concatenate([part.numbers for part in parts])
    order = np.argsort(numbers)
    columns = {}
    for name in dict.fromkeys(name for part in parts for name in part.columns):
        chunks = [
            pa.DictionaryArray.from_arrays(pa.array(raw.codes), raw.values)
            for raw in (part.get(name) for part in parts)
        ]
        whole = to_raw(pa.chunked_array(chunks))
        columns[name] = Raw(whole.codes[order], whole.values)
    return Fields(numbers[order], columns, [refusal for part in parts for refusal in part.refused])
