"""MP4 and WAV as boxes and chunks: whether all that the file says it has is there."""

from typing import BinaryIO


class CutShortError(Exception):
    """The file ends before something that it says it has; the text names it."""


def check_mp4(file: BinaryIO, size: int) -> None:
    """Raise CutShortError unless every top-level box is whole, and there is both index and audio."""
    names = set()
    at = 0
    while at < size:
        name, length = _mp4_box(file, at, size)
        names.add(name)
        if at + length > size:
            raise CutShortError(f"its {name} box says {length:,} bytes, and {size - at:,} are there")
        at += length
    for name in ("moov", "mdat"):
        if name not in names:
            raise CutShortError(f"it has no {name} box")


def _mp4_box(file: BinaryIO, at: int, size: int) -> tuple[str, int]:
    file.seek(at)
    header = file.read(16)
    if len(header) < 8:
        raise CutShortError("it ends inside a box header")
    length, name, smallest = int.from_bytes(header[:4], "big"), header[4:8].decode("latin-1"), 8
    if length == 1:
        length, smallest = int.from_bytes(header[8:16], "big"), 16
    elif length == 0:  # the box goes on to the end of the file
        length = size - at
    if length < smallest:
        raise CutShortError(f"its {name!r} box is smaller than its own header")
    return name, length


def check_wav(file: BinaryIO, size: int) -> None:
    """Raise CutShortError unless every chunk is whole, and there is audio."""
    names = set()
    at = 12
    while at + 8 <= size:
        file.seek(at)
        header = file.read(8)
        name, length = header[:4].decode("latin-1"), int.from_bytes(header[4:], "little")
        names.add(name)
        if at + 8 + length > size:
            raise CutShortError(f"its {name.strip()} chunk says {length:,} bytes, and {size - at - 8:,} are there")
        at += 8 + length + length % 2
    if "data" not in names:
        raise CutShortError("it has no data chunk")
