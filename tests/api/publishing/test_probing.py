"""What a file is found to be."""

import tracemalloc
from pathlib import Path

import pytest

from api.publishing.probing import NotAudioError, Probed, TruncatedError, probe
from tests.api.publishing.recordings import PNG, TEXT, UTF16_TEXT, box, id3, long_tone, m4a, wav, with_vbri, with_xing
from tests.factories import tone_mp3

MP3 = "audio/mpeg"
GOOD = {
    "mp3": (tone_mp3(3.0), Probed(3096, 32_000, 0, MP3)),
    "mp3 with an ID3 tag": (id3(2000) + tone_mp3(3.0), Probed(3096, 32_000, 2010, MP3)),
    "mp3 with two ID3 tags": (id3(2000) + id3(100_000) + tone_mp3(3.0), Probed(3096, 32_000, 102_020, MP3)),
    "mp3 after padding": (bytes(3000) + tone_mp3(3.0), Probed(3096, 32_000, 0, MP3)),
    "mp3 that says how long it is": (id3() + with_xing(long_tone()), Probed(20_088, 32_000, 2010, MP3)),
    "mp3 of variable bitrate": (with_xing(long_tone(), b"Xing"), Probed(20_088, 32_000, 0, MP3)),
    "mp3 by Fraunhofer": (with_vbri(long_tone()), Probed(20_088, 32_000, 0, MP3)),
    "mp3 of a fraction of a second": (tone_mp3(0.05), Probed(144, 32_000, 0, MP3)),
    "wav": (wav(2.0), Probed(2000, 128_000, 0, "audio/wav")),
    "m4a": (m4a(5), Probed(5000, 64_000, 0, "audio/mp4")),
    "m4a with its index at the end": (m4a(5, is_index_first=False), Probed(5000, 64_000, 0, "audio/mp4")),
}


@pytest.mark.parametrize(("content", "expected"), GOOD.values(), ids=GOOD)
def test_it_finds(tmp_path: Path, content: bytes, expected: Probed) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)
    assert probe(path) == expected


XING = with_xing(long_tone())
NOT_AUDIO = {
    "a picture": PNG,
    "a picture behind an ID3 tag": id3() + PNG,
    "text": TEXT,
    "text that begins like a frame": UTF16_TEXT,
    "noise": bytes(i * i * 7 % 251 for i in range(50_000)),
    "two bytes": b"\xff\xfb",
    "one frame": tone_mp3(3.0)[:144],
    "a FLAC, which few apps play": b"fLaC" + bytes(5000),
    "an M4A without a track": box(b"ftyp", b"M4A ") + box(b"moov", bytes(200)) + box(b"mdat", bytes(900)),
    "a WAV without sound": wav(0),
}
CUT_SHORT = {
    "mp3, by one byte": XING[:-1],
    "mp3, by half": XING[: len(XING) // 2],
    "mp3 by Fraunhofer, by two frames": with_vbri(long_tone())[: -2 * 144],
    "mp3, within its ID3 tag": (id3(50_000) + tone_mp3(3.0))[:20_000],
    "wav, by one byte": wav()[:-1],
    "wav, before its sound": wav()[:36],
    "m4a, by one byte": m4a()[:-1],
    "m4a with its index at the end, by one byte": m4a(is_index_first=False)[:-1],
    "m4a, between two boxes": m4a(is_index_first=False)[: 28 + 40_008],
    "m4a, inside a box header": m4a(is_index_first=False)[: 28 + 40_008 + 4],
    "m4a that says it is a day long": m4a(seconds=86_400),
}


@pytest.mark.parametrize("content", NOT_AUDIO.values(), ids=NOT_AUDIO)
def test_it_refuses_as_no_audio(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(NotAudioError):
        probe(path)


@pytest.mark.parametrize("content", CUT_SHORT.values(), ids=CUT_SHORT)
def test_it_refuses_as_cut_short(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(TruncatedError, match="cut short"):
        probe(path)


def test_an_element_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    huge = 64 << 20
    mvhd = (8 + huge).to_bytes(4, "big") + b"mvhd"
    moov = (16 + huge).to_bytes(4, "big") + b"moov" + mvhd
    with path.open("wb") as file:
        file.write(box(b"ftyp", b"M4A ") + moov)
        file.seek(huge, 1)  # a hole: takes no room on disk
        file.write(box(b"mdat", bytes(100)))
    tracemalloc.start()
    try:
        with pytest.raises(NotAudioError):
            probe(path)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < huge // 4
