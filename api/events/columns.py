"""Many hits in columns: how a chunk of an access log lies in a record of the event log."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

Column = NDArray[Any]
DTYPES = {
    "at_ms": "<i8",
    "address": "<u8",
    "agent": "<u8",
    "earlier": "<u8",
    "file": "<u4",
    "agents": "<u4",
    "countries": "<u4",
    "traits": "<u2",
    "status": "<u2",
    "method": "<u1",
    "first_byte": "<i8",
    "end_byte": "<i8",
    "repeat": "<u4",
}
"""Name -> NumPy type. `file`, `agents` and `countries` point into the record's lists; `method` into `METHODS`.
`first_byte` and `end_byte` bound the part of the file that was sent, `[first, end)`; for the trait BYTES_ONLY they are
0 and the number of bytes. `repeat` counts earlier lines of the same file that say all the same, so that a line is told
from its like, and the same line in two files is one."""
METHODS = ("GET", "HEAD", "OTHER")
MAX_HITS = 1 << 16
"""In one record; bounds what unpacking may take."""


class ColumnsError(ValueError):
    """The bytes are no columns."""


def pack_columns(columns: dict[str, Column]) -> bytes:
    """The columns' bytes, one behind the other in the order of `DTYPES`, compressed."""
    raw = b"".join(np.ascontiguousarray(columns[name], dtype).tobytes() for name, dtype in DTYPES.items())
    return zstandard.ZstdCompressor(level=1).compress(raw)


def unpack_columns(packed: bytes, hits: int) -> dict[str, Column]:
    """The columns of so many hits. Raises ColumnsError."""
    size = hits * sum(np.dtype(dtype).itemsize for dtype in DTYPES.values())
    if not 0 <= hits <= MAX_HITS:
        raise ColumnsError(f"{hits} hits in one record")
    try:
        with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
            raw = reader.read(size + 1)
    except zstandard.ZstdError as error:
        raise ColumnsError(str(error)) from error
    if len(raw) != size:
        raise ColumnsError(f"{len(raw)} bytes for {hits} hits")
    return dict(_cut(raw, hits))


def _cut(raw: bytes, hits: int) -> Iterable[tuple[str, Column]]:
    start = 0
    for name, dtype in DTYPES.items():
        yield name, np.frombuffer(raw, dtype, hits, start)
        start += hits * np.dtype(dtype).itemsize
