"""Counting rules on values."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.measurement.playback import Playback, contribution, cover, from_row, heard_seconds, to_row

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "playbacks.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_published_timelines_give_the_published_numbers(case: dict[str, Any]) -> None:
    playback = Playback()
    playback.add(b"play0000", "play", 0, 0, 0, 0, False)
    for place, (from_ms, to_ms) in enumerate(case["spans_ms"]):
        playback.add(b"span%04d" % place, "progress", 0, from_ms, to_ms, to_ms - from_ms, False)
    counts = contribution(playback, int(case["duration_s"]))
    assert counts.heard_seconds == case["heard_seconds"]
    assert bool(counts.listens) == case["listen"]
    assert bool(counts.completions) == case["completion"]
    assert counts.starts == 1


def test_a_stored_download_is_no_start() -> None:
    playback = Playback()
    playback.add(b"12345678", "download", 0, 0, 0, 0, True)
    assert contribution(playback, 600) == (0, 0, 0, 0, 0)


def test_an_offline_listen_needs_a_span_heard_offline() -> None:
    playback = Playback()
    playback.add(b"12345678", "play", 0, 0, 0, 0, True)
    playback.add(b"22345678", "pause", 0, 0, 60_000, 60_000, False)
    assert contribution(playback, 600).offline_listens == 0
    playback.add(b"32345678", "pause", 0, 0, 60_000, 60_000, True)
    assert contribution(playback, 600).offline_listens == 1


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted), max_size=30)


@given(spans=spans, duration=st.integers(0, 60))
def test_coverage_is_the_set_of_seconds(spans: list[list[int]], duration: int) -> None:
    coverage: list[int] = []
    seconds: set[int] = set()
    for first, end in spans:
        cover(coverage, first, end)
        seconds |= set(range(first, end))
    ranges = list(zip(coverage[::2], coverage[1::2], strict=True))
    assert {second for first, end in ranges for second in range(first, end)} == seconds
    assert all(first < end for first, end in ranges)
    assert all(end < following for (_, end), (following, _) in itertools.pairwise(ranges))
    assert heard_seconds(coverage, duration) == sum(second < duration for second in seconds)


@given(spans=spans)
def test_a_row_keeps_a_playback_whole(spans: list[list[int]]) -> None:
    playback = Playback()
    for place, (first, end) in enumerate(spans):
        playback.add(b"%08d" % place, "seek", first, first * 1000, end * 1000, 5, offline=bool(place % 2))
    row = to_row((1, b"d" * 16, 2), playback)
    assert to_row((1, b"d" * 16, 2), from_row(row)) == row
