"""MPEG audio layer III as bytes: tags, frames, and how much data its header promises."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

ID3_HEADER_BYTES = 10
SEARCH_BYTES = 256 * 1024
"""How far after the tags the first frame may be: some tools leave padding there."""
CHAIN_FRAMES = 4
"""Frames that must follow one another before bytes are believed to be MP3. One alone turns up in any noise."""

_BITRATES_KBPS = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    0: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""By MPEG version bits: 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What four bytes of frame header say."""

    version: int
    rate_hz: int
    length: int
    """Bytes, with the header."""

    def is_like(self, other: "Frame") -> bool:
        """Whether both can belong to one recording."""
        return self.version == other.version and self.rate_hz == other.rate_hz


def try_parse_frame(header: bytes) -> Frame | None:
    """The layer III frame that begins with these bytes, or None."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0 or (header[1] >> 1) & 3 != 1:
        return None
    version, rate_index, bitrate_index = (header[1] >> 3) & 3, (header[2] >> 2) & 3, header[2] >> 4
    if version == 1 or rate_index == 3 or bitrate_index in {0, 15}:
        return None
    rate_hz = _RATES_HZ[version][rate_index]
    slots = 144 if version == 3 else 72
    length = slots * _BITRATES_KBPS[version][bitrate_index] * 1000 // rate_hz + ((header[2] >> 1) & 1)
    return Frame(version, rate_hz, length)


def tag_bytes(file: BinaryIO) -> int:
    """The size of the ID3v2 tags at the beginning, as they say it themselves; 0 without any."""
    total = 0
    while True:
        file.seek(total)
        header = file.read(ID3_HEADER_BYTES)
        if len(header) < ID3_HEADER_BYTES or header[:3] != b"ID3":
            return total
        size = 0
        for byte in header[6:10]:
            size = size << 7 | byte & 0x7F
        has_footer = bool(header[5] & 0x10)
        total += ID3_HEADER_BYTES + size + (ID3_HEADER_BYTES if has_footer else 0)


def find_first_frame(file: BinaryIO, start: int) -> int | None:
    """The offset of the first frame that others follow, or None when this is not MP3."""
    file.seek(start)
    window = file.read(SEARCH_BYTES + 8192)
    is_whole = len(window) < SEARCH_BYTES + 8192
    at = window.find(b"\xff")
    while 0 <= at < SEARCH_BYTES:
        if _is_chain(window, at, is_whole=is_whole):
            return start + at
        at = window.find(b"\xff", at + 1)
    return None


def _is_chain(window: bytes, at: int, *, is_whole: bool) -> bool:
    first = frame = try_parse_frame(window[at : at + 4])
    count = 0
    while first is not None and frame is not None and frame.is_like(first):
        count += 1
        at += frame.length
        if count == CHAIN_FRAMES:
            return True
        if is_whole and at >= len(window):
            return count > 1  # a recording of a fraction of a second
        frame = try_parse_frame(window[at : at + 4])
    return False


def promised_bytes(file: BinaryIO, first_frame: int) -> int | None:
    """How many bytes, from the first frame on, its Xing, Info or VBRI header says there are; None when it does not."""
    file.seek(first_frame)
    head = file.read(64)
    for name in (b"Xing", b"Info"):
        at = head.find(name, 4, 4 + 32 + 2 + 4)
        if at >= 0:
            flags, one, two = struct.unpack_from(">III", head, at + 4)
            # The number of frames comes first when it is there.
            return ((two if flags & 1 else one) if flags & 2 else 0) or None
    if head[36:40] == b"VBRI":
        return int(struct.unpack_from(">I", head, 46)[0]) or None
    return None
