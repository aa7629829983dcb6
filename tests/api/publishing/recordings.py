"""Files to upload: real ones, small ones made by hand, and broken ones."""

import io
import struct
import wave

from api.publishing.mpeg import try_parse_frame
from tests.factories import tone_mp3

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
TEXT = b"This is a transcript and no recording.\n" * 400
UTF16_TEXT = "This is a transcript too.\n".encode("utf-16") * 400
"""Its first two bytes look like the beginning of an MP3 frame."""


def id3(size: int = 2000) -> bytes:
    """An ID3v2.4 tag with `size` bytes of padding."""
    synchsafe = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\x00\x00" + synchsafe + bytes(size)


def with_xing(mp3: bytes, name: bytes = b"Info") -> bytes:
    """The same recording behind a frame that says how many frames and bytes there are, as LAME and ffmpeg write it."""
    frame = try_parse_frame(mp3[:4])
    assert frame is not None
    frames = len(mp3) // frame.length
    head = mp3[:4] + bytes(9) + name + struct.pack(">III", 3, frames, frame.length + len(mp3))
    return head.ljust(frame.length, b"\0") + mp3


def with_vbri(mp3: bytes) -> bytes:
    """The same behind a Fraunhofer header."""
    frame = try_parse_frame(mp3[:4])
    assert frame is not None
    head = mp3[:4] + bytes(32) + b"VBRI" + bytes(6) + struct.pack(">II", len(mp3), len(mp3) // frame.length)
    return head.ljust(frame.length, b"\0") + mp3


def wav(seconds: float = 2.0) -> bytes:
    """A silent WAV: mono, 8 kHz, 16 bits."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(int(seconds * 8000) * 2))
    return buffer.getvalue()


def box(name: bytes, *content: bytes) -> bytes:
    """An MP4 box."""
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + name + body


def m4a(seconds: int = 5, media_bytes: int = 40_000, *, is_index_first: bool = True) -> bytes:
    """The boxes of an AAC recording; what they hold is not decodable."""
    mvhd = box(b"mvhd", bytes(12), struct.pack(">II", 1000, seconds * 1000), bytes(80))
    specific = b"\x05\x02\x12\x10"
    config = b"\x04" + bytes([13 + len(specific)]) + b"\x40\x15" + bytes(3) + struct.pack(">II", 64_000, 64_000)
    esds = box(b"esds", bytes(4), b"\x03" + bytes([3 + 2 + 13 + len(specific)]) + bytes(3) + config + specific)
    mp4a = box(b"mp4a", bytes(16), struct.pack(">HHI", 2, 16, 0), struct.pack(">I", 44_100 << 16), esds)
    stsd = box(b"stsd", bytes(4), struct.pack(">I", 1), mp4a)
    trak = box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", stsd))))
    moov, mdat = box(b"moov", mvhd, trak), box(b"mdat", bytes(media_bytes))
    ftyp = box(b"ftyp", b"M4A \0\0\0\0M4A mp42")
    return ftyp + (moov + mdat if is_index_first else mdat + moov)


def long_tone() -> bytes:
    """An MP3 of twenty seconds."""
    return tone_mp3(20.0)
