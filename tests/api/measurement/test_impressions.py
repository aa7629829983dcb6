"""Impressions from the log to the rollups: what counts on which day, and what a changed placement or recording does."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import Session

from api.events.records import Erase, Hit, pack
from models.columns import DAY_MS, day_from_number
from models.queries.impressions import get_counting_progress
from models.tables import Episode, Show
from tests.api.measurement.house import House, wrong
from tests.device import Phone
from tests.factories import make_episode
from tests.placed import change_placement, make_campaign, place

NAMES = ("delivered", "started", "heard_25", "heard_50", "heard_75", "heard_100", "confirmed", "offline_confirmed")
DEVICES = [str(UUID(int=0x0B6F6A0E7C1D4B579A536F0F5A6D2E11 + number)) for number in range(4)]


@pytest.fixture
def campaign(house: House) -> int:
    """From 60 days ago to 30 days ahead."""
    return make_campaign(house.engine, house.today - 60, house.today + 30)


def listen(house: House, device: str, episode: Episode, *spans: tuple[int, int], day: int = 0, **more: Any) -> Phone:
    """A new log of a device that heard these seconds on a day, sent now."""
    phone = Phone(device)
    for number, (first, end) in enumerate(spans):
        at_ms = (house.today + day) * DAY_MS + 8 * 3_600_000 + number * 1000
        phone.write(episode.uuid, "pause", first * 1000, end * 1000, at_ms, **more)
    house.send(phone, 1, len(spans))
    return phone


def fetch(house: House, episode: Episode, first_ms: int, end_ms: int, *, consumer: bytes = b"", day: int = 0) -> None:
    """The bytes of this part of the recording go out; in the tests' files every millisecond is 16 bytes."""
    first, end = first_ms * 16, end_ms * 16
    consumer = consumer or uuid4().bytes
    at_ms = (house.today + day) * DAY_MS + 9 * 3_600_000
    asked = f"bytes={first}-{end - 1}"
    hit = Hit(at_ms, str(episode.uuid), consumer, "GET", 206, asked, end - first, "Castaway/7.1", "", "f" * 64)
    house.append(consumer[:8], pack(hit))


def impressions(house: House) -> dict[tuple[int, int], dict[str, int]]:
    """(placement, day counted from today) -> what is not zero."""
    rows = house.rows(f"SELECT placement_id, day, {', '.join(NAMES)} FROM placement_day")
    found = {(row[0], row[1] - house.today): {n: v for n, v in zip(NAMES, row[2:], strict=True) if v} for row in rows}
    return {key: counts for key, counts in found.items() if counts}


def reached(house: House) -> list[tuple[str, int, int]]:
    """Device, confirmed impressions, day of the first."""
    rows = house.rows("SELECT device, impressions, first_day FROM campaign_device ORDER BY device")
    return [(str(UUID(bytes=bytes(row[0]))), row[1], row[2] - house.today) for row in rows]


def frequencies(house: House) -> dict[tuple[int, int], int]:
    """(first day, frequency) -> devices."""
    rows = house.rows("SELECT first_day, frequency, devices FROM campaign_frequency WHERE devices <> 0")
    return {(day - house.today, frequency): devices for day, frequency, devices in rows}


WHOLE = dict.fromkeys(("started", "heard_25", "heard_50", "heard_75", "heard_100", "confirmed"), 1)


def test_what_was_heard_on_a_plane_counts_on_the_day_it_was_heard(house: House, tale: Episode, campaign: int) -> None:
    ad = place(house.engine, campaign, tale, (60, 90))
    house.count()
    listen(house, DEVICES[0], tale, (0, 120), day=-3, offline=True)
    listen(house, DEVICES[1], tale, (0, 70), day=-3)
    house.count()
    assert impressions(house) == {
        (ad, -3): {**WHOLE, "started": 2, "heard_25": 2, "offline_confirmed": 1},
    }
    assert reached(house) == [(DEVICES[0], 1, -3)]
    assert wrong(house.recount()) == {}


def test_an_impression_is_one_for_a_device_and_a_day_however_it_was_pieced_together(
    house: House, tale: Episode, campaign: int
) -> None:
    ad = place(house.engine, campaign, tale, (60, 90))
    house.count()
    phone = listen(house, DEVICES[0], tale, (60, 70))
    house.count()
    assert impressions(house) == {(ad, 0): {"started": 1, "heard_25": 1}}
    phone.write(tale.uuid, "pause", 80_000, 95_000, house.now_ms - 1000, offline=True)
    phone.write(tale.uuid, "pause", 60_000, 95_000, house.now_ms - 500)
    for first in (2, 2, 1, 3):
        house.send(phone, first, 3)
        house.count()
    phone.write(tale.uuid, "pause", 200_000, 300_000, house.now_ms - 200)
    house.send(phone, 4, 4)
    house.count()
    assert impressions(house) == {(ad, 0): {**WHOLE, "offline_confirmed": 1}}
    assert frequencies(house) == {(0, 1): 1}
    assert wrong(house.recount()) == {}


def test_frequency_counts_the_impressions_of_all_placements_and_a_late_one_moves_the_first_day(
    house: House, tale: Episode, campaign: int
) -> None:
    place(house.engine, campaign, tale, (60, 90))
    place(house.engine, campaign, tale, (300, 330))
    house.count()
    listen(house, DEVICES[0], tale, (0, 400))
    house.count()
    assert (reached(house), frequencies(house)) == ([(DEVICES[0], 2, 0)], {(0, 2): 1})
    for day in (-2, -4, -1):
        listen(house, DEVICES[0], tale, (0, 400), day=day)
        house.count()
    assert (reached(house), frequencies(house)) == ([(DEVICES[0], 8, -4)], {(-4, 5): 1})
    assert wrong(house.recount()) == {}


def test_counting_back_adds_what_was_heard_before_the_placement_was_made(
    house: House, tale: Episode, campaign: int
) -> None:
    for day in (-8, -3, 0):
        listen(house, DEVICES[0], tale, (0, 120), day=day)
        fetch(house, tale, 0, 120_000, day=day)
    house.count()
    ad = place(house.engine, campaign, tale, (60, 90), from_day=day_from_number(house.today))
    house.count()
    assert list(impressions(house)) == [(ad, 0)]
    change_placement(house.engine, ad, from_day=day_from_number(house.today - 5), is_counted_back=True)
    with house.engine.connect() as connection:
        assert get_counting_progress(connection, ad) == (1, 0)
    house.count()
    with house.engine.connect() as connection:
        assert get_counting_progress(connection, ad).is_done
    assert impressions(house) == {(ad, -3): {**WHOLE, "delivered": 1}, (ad, 0): {**WHOLE, "delivered": 1}}
    assert reached(house) == [(DEVICES[0], 2, -3)]
    assert wrong(house.recount()) == {}


def test_a_removed_placement_keeps_what_was_heard_until_then(house: House, tale: Episode, campaign: int) -> None:
    ad = place(house.engine, campaign, tale, (60, 90))
    house.count()
    for day in (-1, 0):
        listen(house, DEVICES[0], tale, (0, 120), day=day)
        fetch(house, tale, 0, 120_000, day=day)
    house.count()
    change_placement(house.engine, ad, to_day=day_from_number(house.today - 1))
    house.count()
    assert impressions(house) == {(ad, -1): {**WHOLE, "delivered": 1}}
    assert (reached(house), frequencies(house)) == ([(DEVICES[0], 1, -1)], {(-1, 1): 1})
    listen(house, DEVICES[1], tale, (0, 120), day=-1)
    house.count()
    assert reached(house) == [(DEVICES[0], 1, -1), (DEVICES[1], 1, -1)]
    assert wrong(house.recount()) == {}


def test_a_moved_placement_is_counted_anew_and_the_first_day_is_found_again(
    house: House, tale: Episode, campaign: int
) -> None:
    moved = place(house.engine, campaign, tale, (60, 90))
    stays = place(house.engine, campaign, tale, (300, 330))
    house.count()
    listen(house, DEVICES[0], tale, (0, 120), day=-5)
    listen(house, DEVICES[0], tale, (0, 400), day=-2)
    listen(house, DEVICES[1], tale, (0, 120), day=-4)
    house.count()
    assert frequencies(house) == {(-5, 3): 1, (-4, 1): 1}
    change_placement(house.engine, moved, start_ms=500_000, end_ms=520_000)
    house.count()
    assert impressions(house) == {(stays, -2): WHOLE}
    assert (reached(house), frequencies(house)) == ([(DEVICES[0], 1, -2)], {(-2, 1): 1})
    assert wrong(house.recount()) == {}


def test_a_campaigns_own_threshold_and_days_hold_for_its_placements(house: House, tale: Episode, campaign: int) -> None:
    ad = place(house.engine, campaign, tale, (60, 90))
    listen(house, DEVICES[0], tale, (0, 65), day=-3)
    listen(house, DEVICES[0], tale, (0, 65), day=-2)
    house.count()
    assert reached(house) == []
    house.change("UPDATE campaign SET confirm_percent = 0")
    house.count()
    assert reached(house) == [(DEVICES[0], 2, -3)]
    house.change(f"UPDATE campaign SET from_day = {house.today - 2}")
    house.count()
    assert (list(impressions(house)), reached(house)) == ([(ad, -2)], [(DEVICES[0], 1, -2)])
    assert wrong(house.recount()) == {}


@pytest.mark.parametrize(("seconds", "expected"), [(75, {**WHOLE, "heard_25": 1}), (60, {})])
def test_a_shorter_recording_has_less_of_the_ad(
    house: House, tale: Episode, campaign: int, seconds: int, expected: dict[str, int]
) -> None:
    ad = place(house.engine, campaign, tale, (60, 90))
    house.count()
    listen(house, DEVICES[0], tale, (0, 75), day=-3)
    house.count()
    assert impressions(house) == {(ad, -3): {"started": 1, "heard_25": 1, "heard_50": 1, "confirmed": 1}}
    house.change(f"UPDATE episode SET duration_ms = {seconds * 1000}")
    house.count()
    assert impressions(house).get((ad, -3), {}) == expected
    assert len(reached(house)) == len(frequencies(house)) == bool(expected)
    # What arrived when stays as it was counted then, whatever the recording is now.
    assert set(wrong(house.recount())) <= {"arrival_day", "show_arrival"}


def test_a_placement_of_a_show_is_in_what_it_publishes_from_then_on(house: House, tale: Episode, campaign: int) -> None:
    since = day_from_number(house.today - 5)
    ad = place(house.engine, campaign, None, (10, 40), show_id=tale.show_id, from_day=since)
    house.count()
    assert house.rows("SELECT * FROM counted_placement") == []
    fresh = publish(house, tale, -5)
    draft = publish(house, tale, None)
    listen(house, DEVICES[0], fresh, (0, 60), day=-4)
    listen(house, DEVICES[1], tale, (0, 60), day=-4)
    house.count()
    assert impressions(house) == {(ad, -4): WHOLE}
    assert house.rows("SELECT episode_id FROM counted_placement") == [(fresh.id,)]
    set_published(house, draft, 0)
    listen(house, DEVICES[1], draft, (0, 60))
    house.count()
    assert impressions(house) == {(ad, -4): WHOLE, (ad, 0): WHOLE}
    # An older one that is given another date was recorded without the ad.
    set_published(house, tale, -4)
    house.count()
    assert impressions(house) == {(ad, -4): WHOLE, (ad, 0): WHOLE}
    # What was heard of an episode that is withdrawn was heard.
    set_published(house, fresh, None)
    house.count()
    assert impressions(house) == {(ad, -4): WHOLE, (ad, 0): WHOLE}
    assert wrong(house.recount()) == {}


def publish(house: House, beside: Episode, day: int | None) -> Episode:
    """Another episode of the show."""
    with Session(house.engine) as session:
        episode = make_episode(session, session.get_one(Show, beside.show_id), published_at=None)
    set_published(house, episode, day)
    return episode


def set_published(house: House, episode: Episode, day: int | None) -> None:
    """Published at the first instant of a day counted from today, or not at all."""
    at = None if day is None else datetime.fromtimestamp(0, UTC) + timedelta(days=house.today + day)
    with Session(house.engine) as session:
        found = session.get_one(Episode, episode.id)
        found.published_at = at
        found.first_published_at = found.first_published_at or at
        session.add(found)
        session.commit()


def test_an_erased_device_leaves_its_impressions_to_stand_ins(house: House, tale: Episode, campaign: int) -> None:
    place(house.engine, campaign, tale, (60, 90))
    place(house.engine, campaign, tale, (300, 330))
    house.count()
    phone = Phone(DEVICES[0])
    for day in (-3, -1):
        house.day(day)
        phone.write(tale.uuid, "pause", 0, 400_000, house.now_ms - 1000)
        house.send(phone, len(phone.log), len(phone.log))
    house.day(0)
    listen(house, DEVICES[1], tale, (0, 100))
    house.count()
    before = impressions(house)
    assert frequencies(house) == {(-3, 4): 1, (0, 1): 1}
    house.append(phone.bytes, pack(Erase(phone.bytes)))
    house.count()
    assert house.housekeeper.erase() == 1
    assert impressions(house) == before
    assert DEVICES[0] not in {device for device, _, _ in reached(house)}
    assert frequencies(house) == {(-3, 2): 1, (-1, 2): 1, (0, 1): 1}
    assert wrong(house.recount()) == {}


CORRUPTIONS = {
    "too many confirmed": ("UPDATE placement_day SET confirmed = confirmed + 1", "placement_day"),
    "a day lost": ("DELETE FROM placement_day WHERE day = (SELECT min(day) FROM placement_day)", "placement_day"),
    "another app": ("UPDATE placement_split SET value = 'Nobody' WHERE kind = 'app'", "placement_split"),
    "a device more often": ("UPDATE campaign_device SET impressions = 9", "campaign_device"),
    "a device that was not": (
        "INSERT INTO campaign_device SELECT campaign_id + 1, device, 1, 1 FROM campaign_device",
        "campaign_device",
    ),
    "a frequency that was not": ("UPDATE campaign_frequency SET devices = 3", "campaign_frequency"),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_recount_finds_and_mends_a_planted_error(house: House, tale: Episode, campaign: int, name: str) -> None:
    place(house.engine, campaign, tale, (60, 90))
    listen(house, DEVICES[0], tale, (0, 120), day=-3)
    listen(house, DEVICES[0], tale, (0, 120))
    fetch(house, tale, 0, 120_000)
    house.count()
    assert wrong(house.recount()) == {}
    before = impressions(house), reached(house), frequencies(house)
    statement, table = CORRUPTIONS[name]
    house.change(statement)
    assert set(wrong(house.recount())) == {table}
    assert house.recount(apply=True).is_mended
    assert (impressions(house), reached(house), frequencies(house)) == before
    assert wrong(house.recount()) == {}


def test_some_days_are_recounted_alone(house: House, tale: Episode, campaign: int) -> None:
    place(house.engine, campaign, tale, (60, 90))
    for day in (-3, -1):
        house.day(day)
        listen(house, DEVICES[day], tale, (0, 120), day=day)
    house.count()
    house.day(0)
    house.change(f"UPDATE placement_day SET confirmed = 7 WHERE day = {house.today - 3}")
    assert wrong(house.recount((house.today - 1, house.today))) == {}
    assert set(wrong(house.recount((house.today - 3, house.today - 3)))) == {"placement_day"}
