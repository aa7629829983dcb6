"""Cuts the unpacked bytes of a log into pieces of whole lines, bounded in bytes and in lines."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from api.delivery.importing.unpacking import DamagedError

MAX_LINE_BYTES = 64 << 10
"""What is longer is no line of a log."""
DIGEST_BYTES = 32
TOO_LONG = f"longer than {MAX_LINE_BYTES >> 10} KiB"
REST = "the rest of a line that was read before it was whole"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some whole lines, or the beginning of one that is not to be read."""

    data: bytes
    ends: NDArray[np.int64]
    """Where each line ends in `data`: at its newline, or at the end of the file."""
    first_line: int
    """Lines of the file before these."""
    unpacked_bytes: int
    """Where in the unpacked file these end."""
    digest: bytes
    reason: str = ""
    """Why its only line is not to be read; otherwise empty."""


class Cutter:
    """Turns chunks of any size into pieces of about `piece_bytes` and at most `max_lines` lines."""

    def __init__(self, chunks: Iterable[bytes], piece_bytes: int, max_lines: int) -> None:
        self._chunks = iter(chunks)
        self._returned = b""
        self._taken_bytes = 0
        self._piece_bytes = piece_bytes
        self._max_lines = max_lines
        self._hash = blake2b(digest_size=DIGEST_BYTES)
        self._is_inside_line = False
        self.lines = 0
        """In the pieces so far."""
        self.unpacked_bytes = 0
        """In the pieces so far."""
        self.damage = ""
        """Why the file could not be read to its end. A line that this cuts short is in no piece."""

    def digest(self) -> bytes:
        """BLAKE2b of all pieces so far."""
        return self._hash.copy().digest()

    def pieces(self, until: int | None = None) -> Iterator[Piece]:
        """The lines that follow; as if the file ended `until` bytes from its beginning, when that is said."""
        chunks = self._take(until)
        if self._is_inside_line:
            yield from self._give_up(b"", chunks, REST)
        rest: list[bytes] = []
        waiting = 0
        for chunk in chunks:
            rest.append(chunk)
            waiting += len(chunk)
            if waiting < self._piece_bytes or (b"\n" not in chunk and waiting <= MAX_LINE_BYTES + 1):
                continue
            data = b"".join(rest)
            cut = data.rfind(b"\n") + 1
            yield from self._split(data[:cut])
            rest, waiting = [data[cut:]], len(data) - cut
            if waiting > MAX_LINE_BYTES + 1:  # one for a carriage return
                yield from self._give_up(data[cut:], chunks, TOO_LONG)
                rest, waiting = [], 0
        data = b"".join(rest)
        yield from self._split(data[: data.rfind(b"\n") + 1] if self.damage else data)

    def _take(self, until: int | None) -> Iterator[bytes]:
        while until is None or self._taken_bytes < until:
            chunk, self._returned = self._returned or self._next(), b""
            if not chunk:
                return
            room = len(chunk) if until is None else until - self._taken_bytes
            self._returned, chunk = chunk[room:], chunk[:room]
            self._taken_bytes += len(chunk)
            yield chunk

    def _next(self) -> bytes:
        try:
            return next(self._chunks, b"")
        except DamagedError as error:
            self.damage = str(error)
            return b""

    def _give_up(self, begun: bytes, chunks: Iterator[bytes], reason: str) -> Iterator[Piece]:
        """A piece for a line that is not read, `begun` and going on in `chunks`: it may be longer than the memory."""
        before = self.unpacked_bytes
        text = begun[:MAX_LINE_BYTES]
        self._pass(begun)
        for chunk in chunks:
            cut = chunk.find(b"\n") + 1 or len(chunk)
            text = text or chunk[:cut].rstrip(b"\r\n")[:MAX_LINE_BYTES]
            self._pass(chunk[:cut])
            if not self._is_inside_line:
                self._returned = chunk[cut:] + self._returned
                self._taken_bytes -= len(chunk) - cut
                break
        if self.unpacked_bytes > before:
            # The rest of a line is numbered as if it were one itself; when only the newline was missing, an empty one.
            self.lines += 1
            ends = np.array([len(text)])
            yield Piece(text, ends, self.lines - 1, self.unpacked_bytes, self.digest(), reason if text else "")

    def _split(self, data: bytes) -> Iterator[Piece]:
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
        if data and not data.endswith(b"\n"):
            ends = np.append(ends, len(data))
        start = 0
        for first in range(0, len(ends), self._max_lines):
            some = ends[first : first + self._max_lines]
            cut = int(some[-1]) + 1
            part = data[start:cut]
            self._pass(part)
            self.lines += len(some)
            yield Piece(part, some - start, self.lines - len(some), self.unpacked_bytes, self.digest())
            start = cut

    def _pass(self, data: bytes) -> None:
        self._hash.update(data)
        self.unpacked_bytes += len(data)
        if data:
            self._is_inside_line = not data.endswith(b"\n")
