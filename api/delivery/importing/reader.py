"""Reads an access log, packed or not and however long, as blocks of columns.

    with open_log("access.log.gz") as log:
        for block in log:
            ...
        if log.damage:
            ...

It takes the memory of a few blocks.
"""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from api import clock
from api.delivery.importing.assembling import assemble
from api.delivery.importing.blocks import LineBlock, Unreadable
from api.delivery.importing.cutting import Cutter, Piece
from api.delivery.importing.formats import Choice
from api.delivery.importing.lines import BOM, lines_of
from api.delivery.importing.unpacking import DamagedError, Unpacked
from api.events.columns import MAX_HITS

BLOCK_BYTES = 8 << 20
HEAD_BYTES = 1 << 20
"""What is looked at before the first line is read."""
RECOGNISED_LINES = 5
SHOWN_BYTES = 400
"""Of an unreadable line."""
AUTO = Choice()


@contextmanager
def open_log(name: str, choice: Choice = AUTO, block_bytes: int = BLOCK_BYTES) -> Iterator["LogReader"]:
    """The log in a file, or the standard input for `-`. Raises LogFormatError, or OSError."""
    if name == "-":
        yield LogReader(sys.stdin.buffer, choice, block_bytes)
        return
    with Path(name).open("rb") as file:
        yield LogReader(file, choice, block_bytes)


class LogReader:
    """Iterated once: the log's blocks, from the beginning or from where `skip` came to."""

    def __init__(self, file: BinaryIO, choice: Choice = AUTO, block_bytes: int = BLOCK_BYTES) -> None:
        self._unpacked = Unpacked(file)
        head, chunks = _look_ahead(iter(self._unpacked))
        lines = _lines_in(head)
        self.head = b"\n".join(lines[:RECOGNISED_LINES])
        """How the file begins: the same for one that has grown since."""
        self._format = choice.format_for(lines)
        self._cutter = Cutter(chunks, block_bytes, MAX_HITS)
        self.packed_size = _size(file)
        """Bytes of the file as it is; None for a pipe."""

    @property
    def packed_position(self) -> int:
        """How many of them have been read."""
        return self._unpacked.packed_position

    @property
    def format(self) -> str:
        """The format's name."""
        return self._format.name

    @property
    def has_ranges(self) -> bool:
        """Whether the log tells the Range header."""
        return self._format.has_ranges

    @property
    def damage(self) -> str:
        """Why the file could not be read to its end, once it has been tried; a line cut short by it is in no block."""
        return self._cutter.damage

    def skip(self, unpacked_bytes: int, digest: bytes) -> bool:
        """Pass over what a block before this reading ended with; False when the file does not begin like that.

        Then this reader is of no more use: open the file anew.
        """
        for piece in self._cutter.pieces(unpacked_bytes):
            self._format.pass_over(lines_of(piece)[0])
        return self._cutter.unpacked_bytes == unpacked_bytes and self._cutter.digest() == digest

    def until(self, unpacked_bytes: int) -> Iterator[LineBlock]:
        """The log as if it ended there; the rest can be iterated afterwards."""
        return map(self._block, self._cutter.pieces(unpacked_bytes))

    def __iter__(self) -> Iterator[LineBlock]:
        """The rest of the log."""
        return map(self._block, self._cutter.pieces())

    def _block(self, piece: Piece) -> LineBlock:
        lines, blank = lines_of(piece)
        fields = self._format.read(lines)
        rows, bad = assemble(fields, clock.now_ms())
        return LineBlock(
            first_line=piece.first_line,
            lines=len(piece.ends),
            unpacked_bytes=piece.unpacked_bytes,
            digest=piece.digest,
            has_ranges=self._format.has_ranges,
            rows=rows,
            unreadable=[_unreadable(piece, *refusal) for refusal in sorted([*blank, *fields.refused, *bad])],
        )


def _unreadable(piece: Piece, number: int, reason: str) -> Unreadable:
    place = number - piece.first_line
    start = int(piece.ends[place - 1]) + 1 if place else 0
    text = piece.data[start : min(int(piece.ends[place]), start + SHOWN_BYTES)]
    return Unreadable(number, reason, text.decode("utf-8", "replace").replace("\0", "\ufffd").rstrip("\r"))


def _look_ahead(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """How the file begins, and all of its chunks."""
    seen: list[bytes] = []
    size = 0
    try:
        while size < HEAD_BYTES and (chunk := next(chunks, b"")):
            seen.append(chunk)
            size += len(chunk)
    except DamagedError as error:
        return b"".join(seen), chain(seen, _fail(error))
    return b"".join(seen), chain(seen, chunks)


def _fail(error: DamagedError) -> Iterator[bytes]:
    raise error
    yield


def _lines_in(head: bytes) -> list[bytes]:
    """Its lines that are neither empty nor cut off by its end."""
    lines = head.removeprefix(BOM)[:HEAD_BYTES].split(b"\n")
    whole = lines if len(head) < HEAD_BYTES else lines[:-1]
    return [line for line in (line.rstrip(b"\r") for line in whole) if line]


def _size(file: BinaryIO) -> int | None:
    try:
        status = os.fstat(file.fileno())
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
