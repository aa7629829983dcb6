"""Demo episodes are real MP3 files of the length they say."""

import io

import pytest
from tinytag import TinyTag

from seed.audio import FRAME_BYTES, FRAME_MS, episode_mp3
from seed.shows import MAJOR, MINOR

BITRATES_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def make(duration_ms: int = 60_500, title: str = "Low Water", key_hertz: float = 196.0) -> bytes:
    return episode_mp3(title=title, show="A Show", key_hertz=key_hertz, chords=MINOR, duration_ms=duration_ms)


def after_tag(audio: bytes) -> bytes:
    size = audio[6] << 21 | audio[7] << 14 | audio[8] << 7 | audio[9]
    return audio[10 + size :]


@pytest.mark.parametrize("duration_ms", [4_500, 305_500, 2_100_500])
def test_tinytag_finds_the_duration_asked_for(duration_ms: int) -> None:
    tag = TinyTag.get(filename="x.mp3", file_obj=io.BytesIO(make(duration_ms)))
    assert tag.duration is not None
    assert duration_ms <= round(tag.duration * 1000) < duration_ms + FRAME_MS


def test_title_and_show_are_in_the_tag() -> None:
    tag = TinyTag.get(filename="x.mp3", file_obj=io.BytesIO(make(title="Zwölf Möwen")))
    assert (tag.title, tag.album, tag.artist) == ("Zwölf Möwen", "A Show", "A Show")


def test_every_frame_is_a_whole_mpeg2_layer3_frame() -> None:
    frames = after_tag(make())
    assert len(frames) % FRAME_BYTES == 0
    for at in range(0, len(frames), FRAME_BYTES):
        sync, rate = frames[at : at + 2], frames[at + 2]
        assert sync == b"\xff\xf3"
        assert BITRATES_MPEG2[rate >> 4] == 8
        assert rate >> 2 & 3 == 2, "16 kHz"


def test_no_header_states_the_length_of_the_phrase() -> None:
    audio = make()
    assert b"Xing" not in audio
    assert b"Info" not in audio


def test_the_audio_is_not_silence() -> None:
    frames = after_tag(make())
    different = {frames[at : at + FRAME_BYTES] for at in range(0, len(frames), FRAME_BYTES)}
    assert len(different) > 100


def test_same_words_same_bytes_and_another_key_sounds_different() -> None:
    assert make() == make()
    assert after_tag(make()) != after_tag(make(key_hertz=220.0))
    assert after_tag(make()) != after_tag(
        episode_mp3(title="x", show="y", key_hertz=196.0, chords=MAJOR, duration_ms=60_500)
    )


def test_half_an_hour_weighs_under_two_megabytes() -> None:
    assert len(make(30 * 60_000)) < 2_000_000
