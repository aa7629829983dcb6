"""The recount finds whatever is not as log and archive say, and mends it."""

import pytest

from api.measurement.rebuild import MissingRecordsError
from models.columns import DAY_MS
from models.tables import Episode
from tests.api.measurement.house import House, wrong
from tests.device import Phone

DEVICES = ["0b6f6a0e-7c1d-4b57-9a53-6f0f5a6d2e11", "1b6f6a0e-7c1d-4b57-9a53-6f0f5a6d2e12"]


@pytest.fixture
def busy(house: House, tale: Episode) -> House:
    """Two devices over five days: late events, repetitions, an unknown episode, hits."""
    phones = [Phone(device) for device in DEVICES]
    for number in range(-5, 0):
        house.day(number)
        for phone in phones:
            for late in (0, 1):
                at_ms = house.now_ms - late * DAY_MS - 1000
                phone.write(tale.uuid, "play", at_ms=at_ms)
                phone.write(tale.uuid, "pause", 0, 50_000 + 1000 * number, at_ms, offline=bool(late))
            phone.write("unknown", "pause", 0, 5000, house.now_ms - 500)
            house.send(phone, max(1, len(phone.log) - 6), len(phone.log))
        house.hit(tale.uuid)
        house.count()
    house.day(0)
    return house


def test_an_honest_store_agrees_with_its_log(busy: House) -> None:
    report = busy.recount()
    assert wrong(report) == {}
    assert report.is_equal
    assert report.events == busy.rows("SELECT sum(events) FROM pipeline_day WHERE kind = 'event'")[0][0]
    assert {table.table for table in report.tables if table.rows} == {
        *("playback", "episode_day", "arrival_day", "show_arrival", "episode_heard"),
        *("pipeline_day", "set_aside", "device_log", "consumer_day", "counting_rule"),
        *("hit_outcome", "download_hour", "download_split", "download_consumers"),
        *("show_hit_outcome", "show_download_split", "show_reach", "open_block"),
    }


CORRUPTIONS = {
    "a rollup that says too much": ("UPDATE episode_day SET listens = listens + 1", "episode_day"),
    "a rollup's row lost": ("DELETE FROM arrival_day WHERE day = (SELECT min(day) FROM arrival_day)", "arrival_day"),
    "a rollup's row invented": ("INSERT INTO hit_outcome VALUES (77, 3, 'short', 5, 5)", "hit_outcome"),
    "a playback lost": ("DELETE FROM playback WHERE day = (SELECT max(day) FROM playback)", "playback"),
    "retention of nobody": ("DELETE FROM episode_heard", "episode_heard"),
    "a cause that was not": ("UPDATE set_aside SET cause = 'too_late'", "set_aside"),
    "a lag that was not": ("UPDATE show_arrival SET heard_seconds = 0", "show_arrival"),
    "a day that no close would find": ("DELETE FROM open_block", "open_block"),
    "an outcome lost": ("DELETE FROM pipeline_day WHERE outcome = 'duplicate'", "pipeline_day"),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corrupted_table_is_found_and_mended(busy: House, name: str) -> None:
    before = busy.totals()
    statement, table = CORRUPTIONS[name]
    busy.change(statement)
    found = busy.recount()
    assert set(wrong(found)) == {table}
    assert found.tables[[report.table for report in found.tables].index(table)].examples
    assert busy.totals() != before or table in {"playback", "set_aside", "open_block"}
    assert busy.recount(apply=True).is_mended
    assert wrong(busy.recount()) == {}
    assert busy.totals() == before


def test_counting_goes_on_from_a_mended_store(busy: House, tale: Episode) -> None:
    busy.change("DELETE FROM playback")
    busy.recount(apply=True)
    phone = Phone("2b6f6a0e-7c1d-4b57-9a53-6f0f5a6d2e13")
    phone.write(tale.uuid, "pause", 0, 60_000, busy.now_ms - 1000)
    busy.send(phone, 1, 1)
    busy.count()
    assert wrong(busy.recount()) == {}


def test_some_days_are_recounted_alone(busy: House) -> None:
    today = busy.today
    busy.change(f"UPDATE episode_day SET listens = 99 WHERE day = {today - 3}")
    assert wrong(busy.recount((today - 2, today))) == {}
    assert wrong(busy.recount((today - 3, today - 3))) == {"episode_day": (0, 0, 1)}
    assert busy.recount((today - 3, today - 3), apply=True).is_mended
    assert wrong(busy.recount()) == {}


def test_archive_and_log_together_are_enough_when_the_log_was_trimmed(busy: House) -> None:
    busy.day(30)
    busy.housekeeper.tidy()
    assert busy.log.start(0) == busy.log.end(0)
    assert wrong(busy.recount()) == {}
    assert busy.recount().events > 0


def test_half_in_the_archive_half_in_the_log(busy: House) -> None:
    busy.day(-1)
    busy.housekeeper.tidy()
    assert 0 < (busy.archive.end(0) or 0) < busy.log.end(0)
    assert wrong(busy.recount()) == {}


def test_what_was_forgotten_is_named_and_the_rest_can_be_recounted(busy: House) -> None:
    busy.log.trim(0, 3, busy.now_ms + DAY_MS)
    with pytest.raises(MissingRecordsError, match="before offset 3"):
        busy.recount()
    assert wrong(busy.recount((busy.today - 2, busy.today))) == {}


def test_records_that_are_not_counted_yet_are_no_difference(busy: House, tale: Episode) -> None:
    phone = Phone("2b6f6a0e-7c1d-4b57-9a53-6f0f5a6d2e13")
    phone.write(tale.uuid, "pause", 0, 60_000, busy.now_ms - 1000)
    busy.send(phone, 1, 1)
    assert wrong(busy.recount()) == {}
