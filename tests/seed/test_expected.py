"""The brute-force oracle, against the vectors and the rules it is written from."""

import json
from pathlib import Path
from typing import Any

import pytest

from seed.catalogue import DAY_MS, Episode
from seed.client import Event
from seed.expected import Counts, Expectation

CASES = json.loads((Path(__file__).parents[1] / "vectors" / "playbacks.json").read_text())["cases"]
NOW_MS = 20_000 * DAY_MS + 12 * 3_600_000
YESTERDAY_MS = NOW_MS - DAY_MS
PUBLISHED_MS = NOW_MS - 100 * DAY_MS


def make_episode(duration_ms: int = 600_000, published_ms: int = PUBLISHED_MS) -> Episode:
    return Episode("show", 1, "t", "n", published_ms, duration_ms, "e1")


def span(from_ms: int, to_ms: int, **changes: Any) -> Event:
    fields: dict[str, Any] = {
        "kind": "pause",
        "episode": "e1",
        "session": "s1",
        "at_ms": YESTERDAY_MS,
        "from_ms": from_ms,
        "to_ms": to_ms,
        "wall_ms": to_ms - from_ms,
        "offline": False,
    }
    return Event(**{**fields, **changes})


def expect(*events: Event, episode: Episode | None = None, sent: int | None = None) -> Expectation:
    episode = episode or make_episode()
    expectation = Expectation({episode.id: episode})
    expectation.add_device(events, len(events) if sent is None else sent, NOW_MS)
    return expectation


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_vectors(case: dict[str, Any]) -> None:
    events = [span(0, 0, kind="play"), *(span(*ends) for ends in case["spans_ms"])]
    total = expect(*events, episode=make_episode(round(case["duration_s"] * 1000))).total()
    found = (total.starts, total.heard_seconds, total.listens, total.completions)
    assert found == (1, case["heard_seconds"], int(case["listen"]), int(case["completion"]))


def test_a_download_is_counted_and_starts_nothing() -> None:
    expectation = expect(span(0, 0, kind="download"))
    assert expectation.counted == 1
    assert expectation.total() == Counts()


OFFLINE = {
    "an offline span": ([span(0, 40_000), span(40_000, 41_000, offline=True)], 1),
    "pressing play offline is not hearing offline": ([span(0, 0, kind="play", offline=True), span(0, 40_000)], 0),
    "too little heard for a listen": ([span(0, 20_000, offline=True)], 0),
}


@pytest.mark.parametrize("name", OFFLINE)
def test_offline_listens(name: str) -> None:
    events, offline_listens = OFFLINE[name]
    assert expect(*events).total().offline_listens == offline_listens


ASIDE = {
    "an episode of nobody": (span(0, 1000, episode="e9"), "unknown_episode"),
    "over a day before it came out": (span(0, 1000, at_ms=PUBLISHED_MS - DAY_MS - 1), "before_publication"),
    "over ten minutes in the future": (span(0, 1000, at_ms=NOW_MS + 600_001), "clock_ahead"),
    "over ninety days ago": (span(0, 1000, at_ms=NOW_MS - 90 * DAY_MS - 1), "too_late"),
    "five minutes in a minute": (span(0, 300_000, wall_ms=60_000), "faster_than_possible"),
}


@pytest.mark.parametrize("name", ASIDE)
def test_set_aside(name: str) -> None:
    event, cause = ASIDE[name]
    expectation = expect(event)
    assert (expectation.counted, dict(expectation.set_aside)) == (0, {cause: 1})
    assert expectation.by_episode_day == {}


JUST_COUNTED = {
    "a day before it came out": (span(0, 1000), make_episode(published_ms=YESTERDAY_MS + DAY_MS)),
    "ten minutes in the future": (span(0, 1000, at_ms=NOW_MS + 600_000), make_episode()),
    "ninety days ago": (span(0, 1000, at_ms=NOW_MS - 90 * DAY_MS), make_episode()),
    "four times as fast and two seconds": (span(0, 242_000, wall_ms=60_000), make_episode()),
}


@pytest.mark.parametrize("name", JUST_COUNTED)
def test_the_last_moment_that_still_counts(name: str) -> None:
    event, episode = JUST_COUNTED[name]
    assert expect(event, episode=episode).counted == 1


def test_repetitions_are_duplicates() -> None:
    expectation = expect(span(0, 1000), span(1000, 2000), sent=5)
    assert (expectation.sent, expectation.counted, expectation.duplicate) == (5, 2, 3)


def test_two_devices_are_two_playbacks_and_two_days_as_well() -> None:
    expectation = expect(span(0, 30_000), span(0, 30_000, at_ms=YESTERDAY_MS - DAY_MS))
    expectation.add_device([span(0, 40_000)], 1, NOW_MS)
    days = {day: counts.listens for (_, day), counts in expectation.by_episode_day.items()}
    assert days == {19_999: 2, 19_998: 1}
    assert expectation.total().heard_seconds == 100
