"""Playable MP3 files of any length: a short phrase is encoded once and its frames are repeated."""

import struct
from collections.abc import Sequence
from functools import cache

import lameenc
import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
BITRATE_KBPS = 8
"""The lowest that MPEG-2 has; plain tones survive it, and half an hour weighs under 2 MB."""
SAMPLES_PER_FRAME = 576
"""MPEG-2 layer III."""
FRAME_BYTES = 36
"""72 x 8,000 bit/s / 16,000 Hz: a whole number, so no frame is ever padded."""
FRAME_MS = SAMPLES_PER_FRAME * 1000 // SAMPLE_RATE
"""36 ms, exactly."""

NOTE_SECONDS = 0.5
PARTIALS = ((1, 1.0), (2, 0.4), (3, 0.15))
"""Overtone and loudness: something between a music box and an organ."""

Chord = tuple[int, ...]
"""Semitones above the show's key."""


def episode_mp3(*, title: str, show: str, key_hertz: float, chords: Sequence[Chord], duration_ms: int) -> bytes:
    """A file of `duration_ms`, rounded up to whole frames of 36 ms, with an ID3v2 tag. The same bytes every time."""
    phrase = _phrase_frames(key_hertz, tuple(chords))
    wanted = sound_bytes(duration_ms)
    return header(title, show) + (phrase * (wanted // len(phrase) + 1))[:wanted]


def header(title: str, show: str) -> bytes:
    """What is before the first frame."""
    return id3_tag({"TIT2": title, "TALB": show, "TPE1": show})


def sound_bytes(duration_ms: int) -> int:
    """How much of the file is frames."""
    return -(-duration_ms // FRAME_MS) * FRAME_BYTES


@cache
def _phrase_frames(key_hertz: float, chords: tuple[Chord, ...]) -> bytes:
    encoder = lameenc.Encoder()
    encoder.set_channels(1)
    encoder.set_in_sample_rate(SAMPLE_RATE)
    encoder.set_out_sample_rate(SAMPLE_RATE)
    encoder.set_bit_rate(BITRATE_KBPS)
    encoder.set_quality(2)
    encoder.silence()
    encoded = bytes(encoder.encode(_phrase(key_hertz, chords).tobytes())) + bytes(encoder.flush())
    # A header frame would state the phrase's own length, and players would believe it.
    frames = [frame for frame in _frames(encoded) if b"Xing" not in frame and b"Info" not in frame]
    return b"".join(frames)


def _frames(encoded: bytes) -> list[bytes]:
    frames = [encoded[at : at + FRAME_BYTES] for at in range(0, len(encoded), FRAME_BYTES)]
    if any(frame[:2] != b"\xff\xf3" or len(frame) != FRAME_BYTES for frame in frames):
        raise RuntimeError("the MP3 encoder did not give MPEG-2 layer III frames of one size")
    return frames


def _phrase(key_hertz: float, chords: Sequence[Chord]) -> NDArray[np.int16]:
    """Each chord up and down, a bar each. It begins and ends in silence, so repeating it makes no click."""
    notes = [note for chord in chords for note in (*chord, *chord[-2:0:-1])]
    length = int((len(notes) + 2) * NOTE_SECONDS * SAMPLE_RATE)
    seconds = np.arange(length) / SAMPLE_RATE
    wave = np.zeros(length)
    for place, note in enumerate(notes):
        since = np.clip(seconds - place * NOTE_SECONDS, 0, None)
        envelope = (1 - np.exp(-since * 200)) * np.exp(-since * 2.5)
        hertz = key_hertz * 2 ** (note / 12)
        for overtone, loudness in PARTIALS:
            wave += envelope * loudness * np.sin(2 * np.pi * hertz * overtone * since)
    fade = np.clip((seconds[-1] - seconds) / NOTE_SECONDS, 0, 1)
    samples: NDArray[np.int16] = (wave / np.abs(wave).max() * fade * 12_000).astype(np.int16)
    return samples


def id3_tag(texts: dict[str, str]) -> bytes:
    """An ID3v2.4 tag of UTF-8 text frames."""
    body = b"".join(_text_frame(name, text) for name, text in texts.items())
    return b"ID3\x04\x00\x00" + _syncsafe(len(body)) + body


def _text_frame(name: str, text: str) -> bytes:
    content = b"\x03" + text.encode()
    return name.encode() + _syncsafe(len(content)) + b"\x00\x00" + content


def _syncsafe(number: int) -> bytes:
    """Four bytes of seven bits, so that no size looks like the start of an audio frame."""
    return struct.pack("4B", *((number >> shift) & 0x7F for shift in (21, 14, 7, 0)))
