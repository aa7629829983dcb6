"""What a finished upload is: a recording that podcast apps play, or a refusal that says why not."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tinytag import TinyTag, TinyTagException

from api.errors import InvalidError
from api.publishing import containers, mpeg
from api.publishing.containers import CutShortError

MIN_BITRATE_BPS = 4_000
"""No speech codec in use is this slow: below it the file claims a longer recording than it has."""
MAX_BITRATE_BPS = 20_000_000
MAX_READ_BYTES = 16 << 20
MAX_READS = 100_000
HOW_TO_FIX = "Export it again as MP3 or M4A (AAC)."


class NotAudioError(InvalidError):
    """The file is no recording that podcast apps play: MP3, M4A (AAC or ALAC) or WAV."""

    code = "not_audio"


class TruncatedError(InvalidError):
    """The file says that it has more than what arrived."""

    code = "truncated"

    def __init__(self, detail: str) -> None:
        super().__init__(f"The file was cut short: {detail}. Upload it whole, or export it again.")


@dataclass(frozen=True, slots=True)
class Probed:
    """What was found in a file."""

    duration_ms: int
    bitrate_bps: int
    header_bytes: int
    """ID3v2 tags at the beginning."""
    audio_type: str


class _Guarded(io.RawIOBase):
    """A file from `start` on, for a parser that believes sizes it reads: large and endless reads are refused."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file, self._start, self._reads = file, start, 0
        file.seek(start)

    def read(self, size: int = -1) -> bytes:
        self._reads += 1
        if not 0 <= size <= MAX_READ_BYTES or self._reads > MAX_READS:
            raise ValueError("an element is too large")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset + self._start if whence == io.SEEK_SET else offset, whence) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start


def probe(path: Path) -> Probed:
    """Look into a file; blocks. Raises NotAudioError or TruncatedError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        try:
            if head[4:8] == b"ftyp":
                containers.check_mp4(file, size)
                return _measure(file, size, "audio/mp4")
            if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
                containers.check_wav(file, size)
                return _measure(file, size, "audio/wav")
            return _probe_mp3(file, size)
        except CutShortError as error:
            raise TruncatedError(str(error)) from error


def _probe_mp3(file: BinaryIO, size: int) -> Probed:
    header_bytes = mpeg.tag_bytes(file)
    if header_bytes and header_bytes >= size:
        raise CutShortError(f"its ID3 tag says {header_bytes:,} bytes, and the whole file has {size:,}")
    first_frame = mpeg.find_first_frame(file, header_bytes)
    if first_frame is None:
        raise NotAudioError(f"This is not audio that podcast apps play. {HOW_TO_FIX}")
    promised = mpeg.promised_bytes(file, first_frame)
    if promised is not None and first_frame + promised > size:
        raise CutShortError(f"its header says {promised:,} bytes of audio, and {size - first_frame:,} are there")
    return _measure(file, size, "audio/mpeg", first_frame, header_bytes)


def _measure(file: BinaryIO, size: int, audio_type: str, start: int = 0, header_bytes: int = 0) -> Probed:
    try:
        tag = TinyTag.get(file_obj=_Guarded(file, start), tags=False)  # type: ignore[arg-type]  # reads, seeks, tells
    except TinyTagException as error:
        raise NotAudioError(f"This file cannot be read as audio. {HOW_TO_FIX}") from error
    duration_ms = round((tag.duration or 0) * 1000)
    if duration_ms <= 0 or not tag.samplerate:
        raise NotAudioError(f"This file has no audio in it, or none that podcast apps play. {HOW_TO_FIX}")
    average_bps = (size - header_bytes) * 8 * 1000 // duration_ms
    if average_bps < MIN_BITRATE_BPS:
        raise CutShortError(f"it says it is {duration_ms // 1000:,} s long, with {size:,} bytes")
    said_bps = round((tag.bitrate or 0) * 1000)
    # What the file says of its audio leaves out cover art and index; when that is absurd, the average has to do.
    bitrate_bps = said_bps if MIN_BITRATE_BPS <= said_bps <= MAX_BITRATE_BPS else min(average_bps, MAX_BITRATE_BPS)
    return Probed(duration_ms, bitrate_bps, header_bytes, audio_type)
