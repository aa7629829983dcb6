"""A delivered impression: a download that brought every byte of the ad, of one version of the file."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from api.measurement.impressions_delivered import bytes_of
from api.settings import Settings
from models.queries.audio_versions import Version
from models.queries.impressions import CountedAd
from models.tables import Episode as Row
from tests.api.measurement.downloads import delivered, oracle, product
from tests.api.measurement.downloads.oracle import DAY_MS, HOUR_MS, File, Request
from tests.api.measurement.downloads.traffic import Episode
from tests.api.measurement.house import House, wrong
from tests.placed import make_campaign, place

DAY = 20_260
AT_MS = DAY * DAY_MS + 22 * HOUR_MS
FILE = File(1_000_000, 10_000, 13_200, 600_000, "first")
"""1,650 bytes a second behind the header: the minute that a download takes ends where the ad begins."""
LONGER = File(2_000_000, 0, 13_200, 1_212_121, "with a longer introduction")
AD = (60, 90)
AD_BYTES = (109_000, 158_500)
EPISODE = Episode("00000000-0000-0000-0000-000000000001", "https://audio.example/audio/one.mp3", [(0, FILE)])
EPISODE.versions.append((AT_MS - 50, LONGER))

Hits = list[dict[str, Any]]


def whole(sent: int, **more: Any) -> dict[str, Any]:
    """An answer of the whole file that so many bytes went out of."""
    return {"sent": sent} | more


def part(first: int, last: int, **more: Any) -> dict[str, Any]:
    """A range that went out, both ends included."""
    return {"status": 206, "range": f"bytes={first}-{last}", "sent": last - first + 1} | more


def several(sent: int) -> dict[str, Any]:
    """Ranges of which only the number of bytes is known."""
    return {"status": 206, "range": "bytes=0-9,20-999999", "sent": sent}


NEXT_DAY = {"at_ms": AT_MS + 3 * HOUR_MS}
CASES: dict[str, tuple[Hits, bool]] = {
    "whole": ([whole(1_000_000)], True),
    "hung up a byte before its end": ([whole(158_499)], False),
    "hung up at its end": ([whole(158_500)], True),
    "in two requests": ([part(0, 129_999), part(130_000, 200_000)], True),
    "in two requests, backwards": ([part(130_000, 200_000), part(0, 129_999)], True),
    "in two requests that overlap": ([part(0, 150_000), part(100_000, 158_499)], True),
    "in two requests, a byte between": ([part(0, 129_999), part(130_001, 200_000)], False),
    "the same half twice": ([part(0, 129_999), part(0, 129_999)], False),
    "without its first byte": ([part(0, 60_000), part(109_001, 300_000)], False),
    "without its last byte": ([part(0, 158_498), part(158_500, 300_000)], False),
    "the ad and no minute": ([part(109_000, 158_499)], False),
    "a minute and not the ad": ([part(0, 108_999), part(200_000, 999_999)], False),
    "so many bytes, nobody knows which": ([several(999_999)], False),
    "so many bytes as there are": ([several(1_000_000)], True),
    "all of another version": ([whole(2_000_000, file=LONGER)], True),
    "all of both versions, once": ([whole(1_000_000), whole(2_000_000, file=LONGER)], True),
    "half of each version": ([part(0, 129_999), part(130_000, 200_000, file=LONGER), whole(109_000)], False),
    "by a robot": ([whole(1_000_000, traits=frozenset({"bot"}))], False),
    "only asked for the head": ([{"method": "HEAD"}], False),
}
REST_NEXT_DAY: Hits = [part(0, 129_999), part(130_000, 200_000, **NEXT_DAY)]
"""The second request alone brings no minute."""
AGAIN: Hits = [whole(1_000_000), whole(1_000_000, at_ms=AT_MS + 25 * HOUR_MS)]
"""Two windows, whichever these are."""


def requests_of(name: str, hits: Hits, number: int) -> list[Request]:
    """Of a consumer of their own, whose app has the case's name."""
    plain = Request(AT_MS, f"203.0.113.{number}", f"App/{number}", EPISODE.uuid, FILE, splits=(name, "phone", ""))
    return [replace(plain, **({"at_ms": AT_MS + 1000 * place} | hit)) for place, hit in enumerate(hits)]


def everything() -> list[Request]:
    """All cases, and that whose halves lie on two days."""
    cases = {name: hits for name, (hits, _) in CASES.items()}
    cases |= {"the rest on the next day": REST_NEXT_DAY, "again": AGAIN}
    return [request for number, (name, hits) in enumerate(cases.items()) for request in requests_of(name, hits, number)]


def expected(window: str) -> set[tuple[int, str]]:
    """Day and name of the cases that are delivered, each once."""
    found = {(DAY, name) for name, (_, is_delivered) in CASES.items() if is_delivered}
    found |= {(DAY, "again"), (DAY + 1, "again")}
    return found if window == "calendar" else found | {(DAY, "the rest on the next day")}


@pytest.fixture
def house(
    request: pytest.FixtureRequest, engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """An installation that counts by the window the test asks for."""
    chosen = settings.model_copy(update={"download_window": request.param})
    found = House(engine, chosen, monkeypatch)
    yield found
    found.close()


def place_ad(house: House) -> int:
    """The ad, for two days."""
    with Session(house.engine) as session:
        episode = session.exec(select(Row)).one()
        session.expunge(episode)
    return place(house.engine, make_campaign(house.engine, DAY, DAY + 1), episode, AD)


@pytest.mark.parametrize("house", oracle.WINDOWS, indirect=True)
@pytest.mark.parametrize("is_late", [False, True], ids=["placed before", "placed after"])
def test_an_ad_is_delivered_when_all_of_it_went_out(house: House, is_late: bool) -> None:
    product.publish(house.engine, [EPISODE])
    if not is_late:
        place_ad(house)
        house.count()
    product.fold(house, everything())
    if is_late:
        place_ad(house)
        house.count()
    rows = house.rows("SELECT kind, day, value, delivered FROM placement_split WHERE delivered <> 0")
    due = expected(house.settings.download_window)
    assert {row[1:] for row in rows if row[0] == "app"} == {(*case, 1) for case in due}
    by_day = {day: sum(found == day for found, _ in due) for day in (DAY, DAY + 1)}
    assert {row[1:] for row in rows if row[0] == "device"} == {(day, "phone", n) for day, n in by_day.items()}
    assert {row[1:] for row in rows if row[0] == "country"} == {(day, "", n) for day, n in by_day.items()}
    assert set(house.rows("SELECT day, delivered, started FROM placement_day WHERE delivered <> 0")) == {
        (day, n, 0) for day, n in by_day.items()
    }
    assert wrong(house.recount()) == {}


@pytest.mark.parametrize("house", ["calendar"], indirect=True)
def test_what_is_learned_of_a_consumer_later_moves_its_impression(house: House) -> None:
    product.publish(house.engine, [EPISODE])
    place_ad(house)
    house.count()
    product.fold(house, [replace(request, splits=("", "", "")) for request in requests_of("", [whole(1_000_000)], 1)])
    product.fold(house, requests_of("Castaway", [whole(5, at_ms=AT_MS + HOUR_MS)], 1))
    rows = house.rows("SELECT kind, value, delivered FROM placement_split WHERE delivered <> 0 ORDER BY kind")
    assert rows == [("app", "Castaway", 1), ("country", "", 1), ("device", "phone", 1)]
    assert wrong(house.recount()) == {}


@pytest.mark.parametrize("window", oracle.WINDOWS)
def test_the_brute_force_says_the_same_of_these_cases(window: str) -> None:
    spot = delivered.Spot(1, EPISODE.uuid, AD[0] * 1000, AD[1] * 1000, DAY, DAY + 1)
    _, splits = delivered.count(everything(), [spot], window)
    assert {(day, value) for _, kind, day, value in splits if kind == "app"} == expected(window)
    assert delivered.bytes_of(spot, FILE) == set(range(*AD_BYTES))


FILES = {
    "behind the header, at a constant rate": (FILE, (60_000, 90_000), (109_000, 158_500)),
    "from the first second: not the header": (FILE, (0, 10_000), (10_000, 26_500)),
    "bytes that are half in it are in it": (File(1_000, 0, None, 3_000), (1_000, 2_000), (333, 667)),
    "to the end": (FILE, (590_000, 600_000), (983_500, 1_000_000)),
    "beyond the end": (FILE, (590_000, 700_000), (983_500, 1_000_000)),
    "behind the end": (FILE, (600_000, 610_000), None),
    "of unknown duration: all": (File(1_000, 10, None, None), (60_000, 90_000), (0, 1_000)),
    "of unknown length": (File(0, 0, None, 600_000), (60_000, 90_000), None),
}


@pytest.mark.parametrize("name", FILES)
def test_where_an_ad_lies_in_a_file(name: str) -> None:
    file, (start_ms, end_ms), where = FILES[name]
    since: Any = None
    version = Version(1, 1, 1, "", "", file.bytes, file.header_bytes, file.bitrate_bps, file.duration_ms, since)
    assert bytes_of(CountedAd(1, 1, 1, start_ms, end_ms, 0, 0, 50), version) == where
    spot = delivered.Spot(1, "", start_ms, end_ms, 0, 0)
    assert delivered.bytes_of(spot, file) == (set(range(*where)) if where else set())
