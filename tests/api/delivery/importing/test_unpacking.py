"""Packed, damaged, growing and huge files."""

import gzip
import io
import itertools
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import BinaryIO

import pytest
import zstandard

from api.delivery.importing.cutting import REST, TOO_LONG, Cutter
from api.delivery.importing.formats import Choice
from api.delivery.importing.reader import LogReader, open_log
from api.delivery.importing.unpacking import Unpacked
from tests.api.delivery.importing.logs import drain, open_in_memory, read

COUNT = 5000


def line(number: int) -> bytes:
    at = f"22/Nov/2026:{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} +0000"
    return (
        f'10.0.{number // 256 % 256}.{number % 256} - - [{at}] "GET /a.mp3 HTTP/1.1" 206 {number} "-" "Pod"\n'.encode()
    )


LOG = b"".join(map(line, range(COUNT)))
HALF = b"".join(map(line, range(COUNT // 2)))
OTHER_HALF = LOG.removeprefix(HALF)


def pack_zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


PACKED = {
    "plain": LOG,
    "gzip": gzip.compress(LOG),
    "gzip in parts": gzip.compress(HALF) + gzip.compress(b"") + gzip.compress(OTHER_HALF),
    "gzip filled up with zeros": gzip.compress(LOG) + bytes(1000),
    "zstd": pack_zstd(LOG),
    "zstd in parts": pack_zstd(HALF) + pack_zstd(b"") + pack_zstd(OTHER_HALF),
}


class Drops(io.RawIOBase):
    """Gives a few bytes at a time, as a slow pipe does."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place, self._rng = data, 0, Random(1)

    def read(self, size: int = -1) -> bytes:
        start = self._place
        self._place += self._rng.randrange(1, 4 if start < 20 else 3000)
        return self._data[start : self._place]


@pytest.mark.parametrize("packed", PACKED.values(), ids=PACKED)
def test_files_are_unpacked_by_what_they_begin_with(packed: bytes) -> None:
    for file in (io.BytesIO(packed), Drops(packed)):
        reader = LogReader(file)  # type: ignore[arg-type]
        found = drain(reader)
        assert [row["sent_bytes"] for row in found.rows] == list(range(COUNT))
        assert (found.damage, found.unreadable, reader.packed_position) == ("", [], len(packed))
        assert found.blocks[-1].digest == read(LOG).blocks[-1].digest


DAMAGED = {
    "gzip cut short": (gzip.compress(LOG)[:-2000], "gzip part ends too early"),
    "gzip cut in its last bytes": (gzip.compress(LOG)[:-3], "gzip part ends too early"),
    "gzip, then text": (gzip.compress(HALF) + b"10.0.0.1 - -", "no gzip"),
    "gzip, then a damaged one": (gzip.compress(HALF) + gzip.compress(LOG)[:5] + b"\xff" * 100, "gzip part is damaged"),
    "zstd cut short": (pack_zstd(LOG)[:-2000], "zstd part ends too early"),
    "zstd, then text": (pack_zstd(HALF) + b"10.0.0.1 - -", "zstd part is damaged"),
    "gzip of nothing more": (b"\x1f\x8b", "gzip part ends too early"),
}


@pytest.mark.parametrize(("packed", "told"), DAMAGED.values(), ids=DAMAGED)
def test_what_comes_before_a_damage_is_read(packed: bytes, told: str) -> None:
    found = read(packed)
    assert told in found.damage
    assert found.unreadable == [], "the line that was cut short is in no block"
    assert [row["sent_bytes"] for row in found.rows] == list(range(len(found.rows)))
    if len(packed) > 1000:
        assert len(found.rows) > 100


def test_a_file_that_was_cut_short_goes_on_when_it_is_whole() -> None:
    before = read(gzip.compress(LOG)[:-2000]).blocks[-1]
    reader = LogReader(io.BytesIO(gzip.compress(LOG, 1)))
    assert reader.skip(before.unpacked_bytes, before.digest)
    numbers = [row["sent_bytes"] for row in drain(reader).rows]
    assert numbers == list(range(before.lines, COUNT))


def test_another_file_is_not_taken_for_a_longer_one() -> None:
    block = read(HALF).blocks[-1]
    assert not LogReader(io.BytesIO(OTHER_HALF + HALF)).skip(block.unpacked_bytes, block.digest)
    assert not LogReader(io.BytesIO(HALF[:-1])).skip(block.unpacked_bytes, block.digest)
    assert not LogReader(io.BytesIO(gzip.compress(LOG)[:300])).skip(block.unpacked_bytes, block.digest)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_line_read_before_it_was_whole_is_not_read_twice(end: bytes) -> None:
    torn = HALF + line(7)[:40]
    block = read(torn).blocks[-1]
    reader = LogReader(io.BytesIO(torn + b"more of it" + end + line(8)))
    assert reader.skip(block.unpacked_bytes, block.digest)
    rest = drain(reader)
    assert [row["sent_bytes"] for row in rest.rows] == [8]
    assert [(reason, text) for _, reason, text in rest.unreadable] == [(REST, "more of it")]


def test_a_newline_that_comes_later_is_nothing() -> None:
    block = read(HALF[:-1]).blocks[-1]
    reader = LogReader(io.BytesIO(LOG))
    assert reader.skip(block.unpacked_bytes, block.digest)
    rest = drain(reader)
    assert ([row["sent_bytes"] for row in rest.rows], rest.unreadable) == (list(range(COUNT // 2, COUNT)), [])


def test_a_line_longer_than_the_memory_is_passed_over() -> None:
    data = line(1) + b"x" * 3_000_000 + b"\n" + line(2)
    for size in (1000, 100_000, 1 << 23):
        found = read(data, "combined", size)
        assert [row["sent_bytes"] for row in found.rows] == [1, 2]
        assert [(number, reason) for number, reason, _ in found.unreadable] == [(1, TOO_LONG)]
        assert found.blocks[-1].unpacked_bytes == len(data)


def test_reading_goes_on_behind_a_line_that_was_passed_over() -> None:
    data = line(1) + b"x" * 300_000 + b"\n" + line(2) + line(3)
    for block in read(data, "combined", 1000).blocks:
        reader = open_in_memory(data, Choice("combined"), 1000)
        assert reader.skip(block.unpacked_bytes, block.digest)
        expected = [number for place, number in ((0, 1), (2, 2), (3, 3)) if place >= block.first_line + block.lines]
        assert [row["sent_bytes"] for row in drain(reader).rows] == expected


def test_a_line_without_end_takes_no_more_memory_than_a_block() -> None:
    chunk = b"x" * (1 << 20)
    tracemalloc.start()
    try:
        pieces = list(Cutter(itertools.repeat(chunk, 200), 4 << 20, 1 << 16).pieces())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(piece.reason, piece.unpacked_bytes) for piece in pieces] == [(TOO_LONG, 200 << 20)]
    assert peak < 24 << 20


def test_the_standard_input_is_a_log_too(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, gzip.compress(line(1)))
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(pipe))
        with open_log("-") as log:
            assert (log.packed_size, [row["sent_bytes"] for row in drain(log).rows]) == (None, [1])


def test_a_file_tells_how_far_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_bytes(LOG * 5)
    with open_log(str(path), Choice(), 10_000) as log:
        assert log.packed_size == len(LOG) * 5
        places = [log.packed_position for _ in log]
    assert places == sorted(places)
    assert (places[0] < places[-1], places[-1]) == (True, len(LOG) * 5)


def pieces_of(file: BinaryIO) -> Iterator[int]:
    return map(len, Unpacked(file))


def test_what_was_packed_very_small_comes_in_pieces() -> None:
    much = bytes(200 << 20)
    for packed, limit in ((gzip.compress(much, 6), 1 << 20), (pack_zstd(much), 32 << 20)):
        assert len(packed) < len(much) // 100
        sizes = list(pieces_of(io.BytesIO(packed)))
        assert (sum(sizes), max(sizes) <= limit) == (len(much), True)


MEASURE = """
import resource, sys
from api.delivery.importing.reader import open_log

def peak_mib(name):
    with open_log(name) as log:
        for block in log:
            pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

print(peak_mib(sys.argv[1]), peak_mib(sys.argv[2]))
"""


def test_the_memory_is_that_of_a_few_blocks_however_long_the_log(tmp_path: Path) -> None:
    short, long = tmp_path / "short.gz", tmp_path / "long.gz"
    one = gzip.compress(LOG * 10, 1)
    short.write_bytes(one * 4)
    long.write_bytes(one * 20)
    measured = subprocess.run([sys.executable, "-c", MEASURE, short, long], capture_output=True, check=True)
    before, after = map(int, measured.stdout.split())
    assert len(LOG) * 200 > 75 << 20
    assert after < before + 30
