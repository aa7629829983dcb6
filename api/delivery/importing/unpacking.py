"""The bytes of a log file, unpacked piece by piece: gzip, zstd or plain, as its first bytes say and not its name."""

import zlib
from collections.abc import Iterator
from typing import BinaryIO

import zstandard

PACKED_BYTES = 64 << 10
"""Read at once."""
UNPACKED_BYTES = 1 << 20
"""At most what one step of gzip may give."""
ZSTD_STEP_BYTES = 1 << 10
"""zstd's steps cannot be bounded; four bytes may become 128 KiB, so these become 32 MiB at worst."""
ZSTD_WINDOW_BYTES = 128 << 20
"""What the `zstd` command, too, allocates without being asked."""

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_GZIP = 31
"""zlib's name for "gzip, largest window"."""


class DamagedError(Exception):
    """The rest of the file cannot be unpacked."""


class Unpacked:
    """Unpacks a file. What comes before a damage is handed out first."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.packed_position = 0
        """How much of the packed file has been read."""

    def __iter__(self) -> Iterator[bytes]:
        """Pieces, none of them empty. Raises DamagedError."""
        head = self._read()
        # A pipe may give less than was asked for.
        while 0 < len(head) < len(ZSTD_MAGIC) and (more := self._read()):
            head += more
        if head.startswith(GZIP_MAGIC):
            yield from self._gunzip(head)
        elif head.startswith(ZSTD_MAGIC):
            yield from self._unzstd(head)
        else:
            while head:
                yield head
                head = self._read()

    def _read(self) -> bytes:
        packed = self._file.read(PACKED_BYTES)
        self.packed_position += len(packed)
        return packed

    def _gunzip(self, packed: bytes) -> Iterator[bytes]:
        while packed := self._without_padding(packed):
            if not packed.startswith(GZIP_MAGIC[: len(packed)]):
                raise DamagedError("behind its gzip part there are bytes that are no gzip")
            member = zlib.decompressobj(_GZIP)
            while not member.eof:
                if not packed:
                    raise DamagedError("its gzip part ends too early")
                try:
                    piece = member.decompress(packed, UNPACKED_BYTES)
                except zlib.error as error:
                    raise DamagedError(f"its gzip part is damaged ({error})") from error
                if piece:
                    yield piece
                packed = member.unused_data if member.eof else member.unconsumed_tail or self._read()

    def _without_padding(self, packed: bytes) -> bytes:
        while not (rest := packed.lstrip(b"\0")) and (packed := self._read()):
            pass
        return rest

    def _unzstd(self, packed: bytes) -> Iterator[bytes]:
        unpacker = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES)
        while packed := packed or self._read():
            frame = unpacker.decompressobj()
            while not frame.eof:
                if not packed:
                    raise DamagedError("its zstd part ends too early")
                step, packed = packed[:ZSTD_STEP_BYTES], packed[ZSTD_STEP_BYTES:]
                try:
                    piece = frame.decompress(step)
                except zstandard.ZstdError as error:
                    raise DamagedError(f"its zstd part is damaged, or needs too large a window ({error})") from error
                if piece:
                    yield piece
                packed = packed or (b"" if frame.eof else self._read())
            packed = frame.unused_data + packed
