"""Windows, and what the hits of one bring together."""

from typing import NamedTuple

import numpy as np
import pytest

from api.hits.traits import Trait
from api.measurement.entries import ENTRY
from api.measurement.rules import OUTCOMES
from api.measurement.windows import Judgement, KeyDays, Versions, judge
from models.columns import DAY_MS

HOUR_MS = 3_600_000
SIZE, NEEDED = 1000, 600
WINDOWS = ("calendar", "first_touch", "last_touch")


class Part(NamedTuple):
    """A hit as `judge` sees it."""

    at_ms: int = 0
    first: int = 0
    end: int = SIZE
    chain: int = 0
    version: int = 7
    traits: Trait = Trait.NONE


def judged(parts: list[Part], window: str = "calendar", excess: set[tuple[int, int]] = frozenset()) -> Judgement:  # type: ignore[assignment]
    """Judge hits, given in the order of rows and times; `excess`: (chain, day)."""
    keys = sorted({(part.chain, part.at_ms // DAY_MS) for part in parts})
    rows = np.array([keys.index((part.chain, part.at_ms // DAY_MS)) for part in parts])
    entries = np.zeros(len(parts), ENTRY)
    for name in ("first", "end", "version", "traits"):
        entries[name] = [getattr(part, name) for part in parts]
    entries["at"], entries["status"] = [part.at_ms % DAY_MS for part in parts], 200
    chains, days = (np.array(column) for column in zip(*keys, strict=True))
    is_excess = np.array([key in excess for key in keys])
    versions = Versions(np.array([3, 7, 9]), np.array([400, SIZE, 0]), np.array([400, NEEDED, 0]))
    return judge(entries, rows, KeyDays(days, chains, is_excess), window, versions)


def outcomes(parts: list[Part], window: str = "calendar", **more: set[tuple[int, int]]) -> list[str]:
    return [OUTCOMES[code] for code in judged(parts, window, **more).codes]


TIMELINES = {
    # hours after a midnight; whether each is a download, by calendar, first touch and last touch
    "the guidelines' example": ([22, 27, 46.25, 71.25], "1101", "1011", "1001"),
    "24 hours to the millisecond": ([1, 25], "11", "11", "11"),
    "a millisecond less": ([1 + 1 / HOUR_MS, 25], "11", "10", "10"),
    "a chain that never pauses": ([0, 20, 40, 60, 80], "10111", "10101", "10000"),
    "a pause of a day within a chain": ([0, 20, 45, 50], "1011", "1010", "1010"),
    "twice in one moment": ([5, 5], "10", "10", "10"),
    "one alone": ([12], "1", "1", "1"),
}


@pytest.mark.parametrize("case", TIMELINES)
def test_a_window_has_one_download(case: str) -> None:
    hours, *expected = TIMELINES[case]
    parts = [Part(round(hour * HOUR_MS)) for hour in hours]
    for window, downloads in zip(WINDOWS, expected, strict=True):
        found = outcomes(parts, window)
        assert "".join("1" if outcome == "download" else "0" for outcome in found) == downloads, window
        assert set(found) <= {"download", "duplicate"}


@pytest.mark.parametrize("window", WINDOWS)
def test_consumers_have_windows_of_their_own(window: str) -> None:
    parts = [Part(HOUR_MS * hour, chain=chain) for chain in (0, 1) for hour in (1, 2, 30)]
    one = outcomes(parts[:3], window)
    assert outcomes(parts, window) == one + one


REACHED = {
    "the parts do not overlap": ([(0, 300), (300, 600)], 600),
    "the same part twice": ([(0, 300), (0, 300)], 300),
    "they overlap": ([(0, 400), (200, 600)], 600),
    "one within another": ([(0, 500), (100, 200), (450, 550)], 550),
    "with a hole": ([(0, 100), (500, 999)], 599),
    "told backwards": ([(500, 600), (400, 500), (0, 400)], 600),
    "nothing at all": ([(0, 0), (1000, 1000)], 0),
    "a byte short": ([(0, 599)], 599),
}


@pytest.mark.parametrize("case", REACHED)
@pytest.mark.parametrize("window", WINDOWS)
def test_overlapping_parts_count_once(case: str, window: str) -> None:
    parts, reached = REACHED[case]
    found = judged([Part(place, *part) for place, part in enumerate(parts)], window)
    assert set(found.reached.tolist()) == {reached}
    assert set(found.needed.tolist()) == {NEEDED}
    first = "download" if reached >= NEEDED else "short"
    others = "duplicate" if reached >= NEEDED else "short"
    assert [OUTCOMES[code] for code in found.codes] == [first] + [others] * (len(parts) - 1)


def test_parts_of_unknown_place_are_added_up_to_the_size_of_the_file() -> None:
    loose = [Part(place, 0, 250, traits=Trait.BYTES_ONLY) for place in range(2)]
    assert judged(loose).reached.tolist() == [500, 500]
    assert judged([*loose, Part(5, 0, 100)]).reached.tolist() == [600] * 3
    assert judged([*loose, *loose, Part(5, 0, 900)]).reached.tolist() == [SIZE] * 5


def test_a_window_is_judged_by_the_version_that_came_furthest() -> None:
    """Bytes of two versions of a file are never put together."""
    assert outcomes([Part(0, 0, 599), Part(1, 0, 399, version=3)]) == ["short", "short"]
    found = judged([Part(0, 0, 599), Part(1, 0, 400, version=3)])
    assert [OUTCOMES[code] for code in found.codes] == ["download", "duplicate"]
    assert (found.reached[0], found.needed[0]) == (400, 400)


def test_of_a_file_of_unknown_size_nothing_counts() -> None:
    found = judged([Part(0, 0, 10**6, version=9), Part(1, 0, 10**6, version=9)])
    assert [OUTCOMES[code] for code in found.codes] == ["short", "short"]
    assert found.needed.tolist() == [0, 0]
    assert outcomes([Part(0, 0, 10**6, version=9), Part(1)]) == ["download", "duplicate"]


def test_hits_that_a_rule_stopped_are_in_no_window() -> None:
    found = judged([Part(0, traits=Trait.BOT), Part(1, 0, 300), Part(2, 300, 600), Part(3, traits=Trait.PROBE)])
    assert [OUTCOMES[code] for code in found.codes] == ["bot", "download", "duplicate", "probe"]
    assert found.window.tolist() == [-1, 0, 0, -1]
    assert (found.reached.tolist(), found.needed.tolist()) == ([0, 600, 600, 0], [0, NEEDED, NEEDED, 0])
    assert outcomes([Part(0, traits=Trait.BOT)]) == ["bot"]


@pytest.mark.parametrize("window", WINDOWS)
def test_excess_takes_a_day_out_of_the_chain_and_leaves_the_included(window: str) -> None:
    parts = [Part(HOUR_MS * hour, traits=Trait.INCLUDED if hour == 47 else Trait.NONE) for hour in (10, 30, 47, 50)]
    expected = {"calendar": "download", "first_touch": "duplicate", "last_touch": "duplicate"}
    assert outcomes(parts, window, excess={(0, 1)}) == ["download", "excess", "download", expected[window]]


def test_positions_up_to_four_gibibytes_are_told_apart() -> None:
    end = (1 << 32) - 1
    windows = [Part(0, end - 300, end, chain=chain, version=9) for chain in range(3)]
    assert judged(windows).reached.tolist() == [300] * 3
