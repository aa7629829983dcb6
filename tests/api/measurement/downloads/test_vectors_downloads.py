"""The published vectors, tried on the product and on the oracle."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from api.hits.lookup import make_classifier
from api.hits.traits import Trait
from api.settings import Settings
from tests.api.measurement.downloads import oracle, product
from tests.api.measurement.downloads.oracle import DAY_MS, HOUR_MS, Counts, File, Request
from tests.api.measurement.downloads.traffic import Episode
from tests.api.measurement.house import House

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "downloads.json").read_text())
FILE = File(VECTORS["file"]["bytes"], VECTORS["file"]["header_bytes"], VECTORS["file"]["bitrate_bps"], 1_237_500)
EPISODE = Episode("00000000-0000-0000-0000-000000000001", "https://audio.example/audio/one.mp3", [(0, FILE)])
NOON_MS = 20_250 * DAY_MS + 12 * HOUR_MS
WHOLE = Request(NOON_MS, "203.0.113.5", "AntennaPod/3.2.0", EPISODE.uuid, FILE, sent=FILE.bytes)

Count = Callable[..., Counts]
"""Of requests, a window and an excess cap."""


@pytest.fixture(params=["oracle", "product"])
def count(
    request: pytest.FixtureRequest, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Count]:
    """Counts requests in a window, with the product from hits in the log to the rollups."""
    houses: list[House] = []

    def by_product(requests: list[Request], window: str, cap: int = 1000) -> Counts:
        product.publish(engine, [EPISODE])
        chosen = settings.model_copy(update={"download_window": window, "excess_cap": cap})
        houses.append(House(engine, chosen, monkeypatch))
        product.fold(houses[-1], requests)
        return product.counts(engine)

    yield oracle.count if request.param == "oracle" else by_product
    for house in houses:
        house.close()


def outcomes(counts: Counts) -> dict[str, int]:
    """Hits by outcome."""
    found: dict[str, int] = {}
    for (_, _, outcome), hits in counts.outcomes.items():
        found[outcome] = found.get(outcome, 0) + hits
    return found


@pytest.mark.parametrize("window", oracle.WINDOWS)
def test_the_example_of_the_guidelines_gives_its_downloads(count: Count, window: str) -> None:
    times = [int(datetime.fromisoformat(at).timestamp() * 1000) for at in VECTORS["windows"]["requests"]]
    counts = count([replace(WHOLE, at_ms=at_ms) for at_ms in times], window)
    expected = {
        (EPISODE.uuid, at_ms // HOUR_MS): 1
        for at_ms, is_download in zip(times, VECTORS["windows"][window], strict=True)
        if is_download
    }
    assert counts.hours == expected
    assert outcomes(counts).get("duplicate", 0) == len(times) - len(expected)


def test_hits_alone_have_their_outcome(count: Count) -> None:
    """Each from an address of its own, so that none is another's duplicate."""
    cases = VECTORS["hits"]
    requests = [
        replace(WHOLE, ip=f"203.0.113.{place}", **{name: case[name] for name in ("method", "status", "range", "sent")})
        for place, case in enumerate(cases)
    ]
    expected: dict[str, int] = {}
    for case in cases:
        outcome = case["cause"] or "download"
        expected[outcome] = expected.get(outcome, 0) + 1
    assert outcomes(count(requests, "calendar")) == expected


@pytest.mark.parametrize("case", VECTORS["assembled"], ids=lambda case: case["name"])
def test_parts_are_put_together(count: Count, case: dict[str, Any]) -> None:
    requests = [
        replace(WHOLE, at_ms=NOON_MS + place, status=206, range=f"bytes={first}-{end - 1}", sent=end - first)
        for place, (first, end) in enumerate(case["ranges"])
    ]
    assert (count(requests, "calendar").downloads == 1) is case["download"]


@pytest.mark.parametrize("window", oracle.WINDOWS)
def test_six_agents_behind_one_address_are_six_downloads(count: Count, window: str) -> None:
    requests = [
        replace(WHOLE, at_ms=NOON_MS + place * 1000, user_agent=f"AntennaPod/3.{place % 6}.0") for place in range(10)
    ]
    assert count(requests, window).downloads == VECTORS["uniques"]["downloads"]


def test_addresses_of_one_64_are_one_consumer(count: Count) -> None:
    same, other = VECTORS["ipv6"]["same"], VECTORS["ipv6"]["other"]
    requests = [replace(WHOLE, at_ms=NOON_MS + place, ip=ip) for place, ip in enumerate([*same, other])]
    assert outcomes(count(requests, "calendar")) == {"download": 2, "duplicate": 1}


def test_a_watch_does_not_count(count: Count) -> None:
    requests = [
        replace(WHOLE, user_agent=user_agent, traits=frozenset({"watch"})) for user_agent in VECTORS["watch"]["agents"]
    ]
    assert outcomes(count(requests, "calendar")) == {"watch": len(requests)}


def test_the_watches_user_agents_are_known(settings: Settings) -> None:
    classifier = make_classifier(settings)
    assert [classifier.agent(agent).traits for agent in VECTORS["watch"]["agents"]] == [Trait.WATCH, Trait.WATCH]


# -- borders that the guidelines leave open: docs/counting.md --------------------------------------------------------


@pytest.mark.parametrize("window", ["first_touch", "last_touch"])
@pytest.mark.parametrize(("gap_ms", "downloads"), [(DAY_MS - 1, 1), (DAY_MS, 2), (DAY_MS + 1, 2)])
def test_a_hit_at_exactly_a_day_begins_a_window(count: Count, window: str, gap_ms: int, downloads: int) -> None:
    requests = [WHOLE, replace(WHOLE, at_ms=NOON_MS + gap_ms)]
    assert count(requests, window).downloads == downloads


@pytest.mark.parametrize(("last_ms", "downloads"), [(DAY_MS - 1, 1), (DAY_MS, 2)])
def test_a_first_touch_ends_after_a_day_though_hits_come_in_between(count: Count, last_ms: int, downloads: int) -> None:
    requests = [replace(WHOLE, at_ms=NOON_MS + after) for after in (0, 20 * HOUR_MS, last_ms)]
    assert count(requests, "first_touch").downloads == downloads


@pytest.mark.parametrize(("window", "downloads"), [("first_touch", 2), ("last_touch", 1)])
def test_only_the_last_touch_prolongs_a_window(count: Count, window: str, downloads: int) -> None:
    requests = [replace(WHOLE, at_ms=NOON_MS + hours * HOUR_MS) for hours in (0, 20, 40)]
    assert count(requests, window).downloads == downloads


@pytest.mark.parametrize("window", oracle.WINDOWS)
@pytest.mark.parametrize("day", [20_249, 20_250])
def test_a_new_key_ends_every_window(count: Count, window: str, day: int) -> None:
    """Day 20,250 is the first one under a new key."""
    requests = [replace(WHOLE, at_ms=day * DAY_MS - 1), replace(WHOLE, at_ms=day * DAY_MS)]
    is_new = window == "calendar" or day == 20_250
    assert count(requests, window).downloads == (2 if is_new else 1)


@pytest.mark.parametrize(
    ("hours", "expected"), [(11, {"download": 1, "duplicate": 1}), (13, {"short": 2})], ids=["one day", "two days"]
)
def test_parts_help_each_other_within_a_window_only(count: Count, hours: int, expected: dict[str, int]) -> None:
    half = VECTORS["file"]["threshold_bytes"] // 2
    parts = [replace(WHOLE, status=206, range=f"bytes={half * n}-{half * n + half - 1}", sent=half) for n in range(2)]
    later = replace(parts[1], at_ms=NOON_MS + hours * HOUR_MS)
    assert outcomes(count([parts[0], later], "calendar")) == expected


@pytest.mark.parametrize(
    ("agents", "traits", "outcome"),
    [(3, set(), "download"), (4, set(), "excess"), (4, {"included"}, "download")],
    ids=["at the cap", "over it", "included"],
)
def test_more_than_the_cap_is_excess_unless_included(count: Count, agents: int, traits: set[str], outcome: str) -> None:
    requests = [
        replace(WHOLE, at_ms=NOON_MS + place, user_agent=f"AntennaPod/{place}", traits=frozenset(traits))
        for place in range(agents)
    ]
    # A bot behind the same address is no part of it.
    bot = replace(WHOLE, user_agent="Robot/1", traits=frozenset({"bot"}))
    assert outcomes(count([*requests, bot], "calendar", 3)) == {outcome: agents, "bot": 1}
