"""The sketches of reach follow the playbacks: added to as they come, made anew where some are taken back."""

from collections import defaultdict
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from api.events.records import Erase, pack
from models import reach
from models.columns import day_from_number, day_number
from models.coverage import heard_seconds, is_listen, unpack_coverage
from models.reach import Sketches
from models.tables import Episode
from tests.api.measurement.house import House, wrong
from tests.api.measurement.test_impressions import listen
from tests.factories import make_episode
from tests.placed import change_placement, make_campaign, place

DEVICES = [str(UUID(int=0x0B6F6A0E7C1D4B579A536F0F5A6D2E11 + (number << 64))) for number in range(6)]
DAYS = (-40, -33, -8, -1, 0)
"""Of two or three calendar months, whichever day it is."""


@pytest.fixture
def other(engine: Engine, tale: Episode) -> Episode:
    """Of another show."""
    with Session(engine) as session:
        return make_episode(session, published_at=tale.published_at)


@pytest.fixture
def heard(house: House, tale: Episode, other: Episode) -> House:
    """Six devices that come and go; a campaign's ad in the first show, from 1:00 to 1:30. Not all of it counts."""
    campaign = make_campaign(house.engine, house.today - 60, house.today + 30)
    place(house.engine, campaign, tale, (60, 90))
    house.count()
    for place_of, day in enumerate(DAYS):
        for number, device in enumerate(DEVICES[place_of : place_of + 3]):
            listen(house, device, tale, (0, 20 + 40 * number), day=day)
            listen(house, device, other, (0, 45), day=day)
        house.count()
    return house


def month_of(day: int) -> int:
    """Number of the first day of its month."""
    return day_number(day_from_number(day).replace(day=1))


def cells(house: House, table: str = "show_reach") -> dict[tuple[int, ...], Sketches]:
    """Key -> sketches."""
    rows = house.rows(f"SELECT * FROM {table}")
    return {tuple(map(int, row[:-2])): Sketches(bytes(row[-2]), bytes(row[-1])) for row in rows}


def from_playbacks(house: House) -> dict[tuple[int, ...], Sketches]:
    """What `cells` should be, by the words of the docs."""
    items: dict[tuple[int, int, int], set[int]] = defaultdict(set)
    rows = house.rows(
        "SELECT e.show_id, p.day, p.device, p.coverage, e.duration_ms FROM playback p "
        "JOIN episode e ON e.id = p.episode_id"
    )
    for show, day, device, coverage, duration_ms in rows:
        seconds = heard_seconds(unpack_coverage(bytes(coverage)), duration_ms // 1000)
        if is_listen(seconds, duration_ms // 1000):
            items[show, 0, day].add(reach.item_of(bytes(device)))
            items[show, 1, month_of(day)].add(reach.item_of(bytes(device)))
    return {key: reach.add(reach.NOTHING, found) for key, found in items.items()}


def number(cell: Sketches) -> int:
    """How many devices."""
    return reach.count(reach.unite([cell.theta])).value


def test_every_day_and_month_has_the_devices_with_a_listen(heard: House) -> None:
    found = cells(heard)
    assert found == from_playbacks(heard)
    shows = sorted({key[0] for key in found})
    assert [[number(found[show, 0, heard.today + day]) for day in DAYS] for show in shows] == [
        [2, 2, 2, 2, 1],  # 20 s are no listen
        [3, 3, 3, 3, 2],
    ]
    assert wrong(heard.recount()) == {}


def test_a_campaign_has_the_devices_that_heard_the_ad(heard: House) -> None:
    found = cells(heard, "campaign_reach")
    days = {key[-1] - heard.today: number(cell) for key, cell in found.items() if not key[2]}
    # Who heard up to 1:00 has not heard the ad; whoever heard up to 1:40 has.
    assert days == dict.fromkeys(DAYS[:-1], 1)
    months = {key[-1]: number(cell) for key, cell in found.items() if key[2]}
    expected: dict[int, int] = defaultdict(int)
    for day in DAYS[:-1]:
        expected[month_of(heard.today + day)] += 1
    assert months == expected


CORRUPTIONS = {
    "a day lost": (
        "DELETE FROM show_reach WHERE NOT is_month AND day = (SELECT max(day) FROM show_reach)",
        "show_reach",
    ),
    "a month that says something else": (
        "UPDATE show_reach SET theta = (SELECT max(theta) FROM campaign_reach) WHERE is_month",
        "show_reach",
    ),
    "a campaign's month lost": ("DELETE FROM campaign_reach WHERE is_month", "campaign_reach"),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_recount_finds_and_mends_a_wrong_sketch(heard: House, name: str) -> None:
    before = cells(heard), cells(heard, "campaign_reach")
    statement, table = CORRUPTIONS[name]
    heard.change(statement)
    assert set(wrong(heard.recount())) == {table}
    assert heard.recount(apply=True).is_mended
    assert (cells(heard), cells(heard, "campaign_reach")) == before


def test_a_recount_of_some_days_mends_their_months_too(heard: House) -> None:
    before = cells(heard)
    day = heard.today - 8
    gone = reach.add(reach.NOTHING, [1]).theta.hex()
    value = f"X'{gone}'" if heard.engine.dialect.name == "sqlite" else f"decode('{gone}', 'hex')"
    heard.change(f"UPDATE show_reach SET theta = {value} WHERE (is_month AND day = {month_of(day)}) OR day = {day}")
    assert "show_reach" in wrong(heard.recount((day - 1, day + 1)))
    heard.recount((day - 1, day + 1), apply=True)
    assert cells(heard) == before


def test_a_recount_of_a_part_of_a_month_leaves_the_month_alone(heard: House) -> None:
    day = next(heard.today + day for day in DAYS if month_of(heard.today + day) != heard.today + day)
    assert wrong(heard.recount((month_of(day), day - 1))) == {}


def test_a_recording_that_became_shorter_loses_who_heard_only_its_end(heard: House, tale: Episode) -> None:
    late = str(uuid4())
    listen(heard, late, tale, (500, 560), day=-1)
    heard.count()
    show = tale.show_id
    assert number(cells(heard)[show, 0, heard.today - 1]) == 3
    heard.change(f"UPDATE episode SET duration_ms = 300000 WHERE id = {tale.id}")
    heard.count()
    assert number(cells(heard)[show, 0, heard.today - 1]) == 2
    assert cells(heard) == from_playbacks(heard)
    assert not {"show_reach", "campaign_reach"} & set(wrong(heard.recount()))


def test_a_placement_that_moves_takes_its_reach_with_it(heard: House) -> None:
    (ad,) = heard.rows("SELECT id FROM placement")[0]
    change_placement(heard.engine, ad, start_ms=40_000, end_ms=60_000)
    heard.count()
    found = cells(heard, "campaign_reach")
    assert {key[-1] - heard.today: number(cell) for key, cell in found.items() if not key[2]} == {
        -40: 2,
        -33: 2,
        -8: 2,
        -1: 2,
        0: 1,
    }
    change_placement(heard.engine, ad, from_day=day_from_number(heard.today - 8))
    heard.count()
    found = cells(heard, "campaign_reach")
    assert sorted(key[-1] - heard.today for key in found if not key[2]) == [-8, -1, 0]
    assert wrong(heard.recount()) == {}


def test_an_erased_device_is_in_no_sketch_any_more(heard: House) -> None:
    phone_bytes = UUID(DEVICES[2]).bytes
    alone = reach.unite([reach.add(reach.NOTHING, [reach.item_of(phone_bytes)]).theta])

    def is_there(table: str) -> bool:
        thetas = (reach.unite([cell.theta]) for cell in cells(heard, table).values())
        return any(reach.count(reach.both(theta, alone)).value for theta in thetas)

    assert is_there("show_reach")
    assert is_there("campaign_reach")
    heard.append(phone_bytes, pack(Erase(phone_bytes)))
    heard.count()
    heard.housekeeper.tidy()
    assert not is_there("show_reach")
    assert not is_there("campaign_reach")
    assert cells(heard) == from_playbacks(heard)
    assert wrong(heard.recount()) == {}
