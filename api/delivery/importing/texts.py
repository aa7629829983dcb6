"""Columns of bytes as they are tokenised, and what is worked out once for each distinct value of one."""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from api.delivery.importing.blocks import Texts
from api.hits.identity import agent_text

BYTES = pa.dictionary(pa.int32(), pa.binary())
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_CONTROLS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"b": b"\b", b"f": b"\f"}


class Raw(NamedTuple):
    """A column of bytes: `values[codes[row]]`. Each value is there once."""

    codes: NDArray[np.int32]
    values: Any
    """A pyarrow.BinaryArray."""

    def distinct(self) -> list[bytes]:
        """The values."""
        data = self.buffer().tobytes()
        return [data[start:end] for start, end in pairwise(self.offsets().tolist())]

    def decoded(self, of: Callable[[bytes], str]) -> list[str]:
        """The values as texts: ASCII all at once, `-` as empty, others with `of`."""
        data = self.buffer().tobytes()
        if not data.isascii() or b"\0" in data:
            return [of(value) for value in self.distinct()]
        text = data.decode("ascii")
        values = [text[start:end] for start, end in pairwise(self.offsets().tolist())]
        return ["" if value == "-" else value for value in values]

    def offsets(self) -> NDArray[np.int32]:
        """Where each value begins in the buffer, and where the last one ends."""
        offsets: NDArray[np.int32] = np.frombuffer(self.values.buffers()[1], np.int32)
        return offsets[self.values.offset : self.values.offset + len(self.values) + 1]

    def buffer(self) -> NDArray[np.uint8]:
        """The buffer that the offsets point into."""
        return np.frombuffer(self.values.buffers()[2] or b"", np.uint8)

    def each(self, of: Callable[[bytes], Any], dtype: Any) -> NDArray[Any]:
        """What `of` gives for each row's value, asked once for each distinct one."""
        return np.array([of(value) for value in self.distinct()], dtype)[self.codes]


def to_raw(column: Any) -> Raw:
    """A dictionary array of pyarrow, in chunks or not."""
    if isinstance(column, pa.ChunkedArray):
        if column.num_chunks > 1:
            column = column.unify_dictionaries().combine_chunks()
        else:
            column = column.chunk(0) if column.num_chunks else encode([])
    return Raw(column.indices.to_numpy(zero_copy_only=False), column.dictionary)


def encode(values: Iterable[bytes]) -> Any:
    """A dictionary array of pyarrow."""
    return pa.array(values, pa.binary()).dictionary_encode()


def recoded(codes: NDArray[np.int32], values: Sequence[bytes]) -> Raw:
    """A column of values that may be there more than once."""
    places = encode(values)
    return Raw(places.indices.to_numpy(zero_copy_only=False)[codes], places.dictionary)


def constant(value: bytes, rows: int) -> Raw:
    """The same value in every row."""
    return Raw(np.zeros(rows, np.int32), pa.array([value], pa.binary()))


def to_text(value: bytes) -> str:
    """A text for everything but user agents: `-` is empty, what PostgreSQL would not take becomes U+FFFD."""
    return "" if value == b"-" else value.decode("utf-8", "replace").replace("\0", "\ufffd")


def to_agent(value: bytes) -> str:
    """A user agent, as a live request's is taken."""
    return agent_text(value)


def to_texts(raw: Raw, of: Callable[[bytes], str] = to_text) -> Texts:
    """The column as texts; `of` is `to_text` or `to_agent`."""
    return unique(raw.codes, raw.decoded(of))


def unique(codes: NDArray[np.int32], values: Sequence[str]) -> Texts:
    """The same column with each value only once."""
    if len(set(values)) == len(values):
        return Texts(codes, list(values))
    places: dict[str, int] = {}
    new = [places.setdefault(value, len(places)) for value in values]
    return Texts(np.array(new, np.int32)[codes], list(places))


def unescape(value: bytes) -> bytes:
    r"""What nginx writes as `\x22` and Apache as `\"`, `\\`, `\t` or `\xe2`."""
    return _ESCAPE.sub(_unescaped, value) if b"\\" in value else value


def _unescaped(match: re.Match[bytes]) -> bytes:
    code, char = match.groups()
    return bytes([int(code, 16)]) if code else _CONTROLS.get(char, char)
