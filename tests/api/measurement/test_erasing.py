"""Erasing a device: nothing of it is left in store, log and archive, and no total changes."""

from uuid import UUID

import pytest

from api.events.records import Erase, pack
from api.measurement import erasing
from models.tables import Episode
from tests.api.measurement.house import House, wrong
from tests.device import Phone

GOES = "0b6f6a0e-7c1d-4b57-9a53-6f0f5a6d2e11"
STAYS = "1b6f6a0e-7c1d-4b57-9a53-6f0f5a6d2e12"


@pytest.fixture
def phones(house: House, tale: Episode) -> list[Phone]:
    """Two devices that sent for four days, the first two of which are archived."""
    phones = [Phone(GOES), Phone(STAYS)]
    for number in (-5, -4, -1, 0):
        house.day(number)
        for phone in phones:
            phone.write(tale.uuid, "play", at_ms=house.now_ms - 60_000)
            phone.write(tale.uuid, "pause", 0, 45_000, house.now_ms - 50_000, offline=True)
            phone.write(tale.uuid, "pause", 20_000, 65_000, house.now_ms - 40_000)
            phone.write("unknown", "pause", 0, 5000, house.now_ms - 500)
            house.send(phone, max(1, len(phone.log) - 5), len(phone.log))
    house.count()
    house.housekeeper.tidy()
    assert house.archive.end(0) == 4
    return phones


def wish(house: House, phone: Phone) -> None:
    """The device asks to be forgotten."""
    house.append(phone.bytes, pack(Erase(phone.bytes)))
    house.count()


def traces(house: House, phone: Phone) -> list[str]:
    """Where the device's id, or an id of one of its events, still is."""
    found = []
    for table in ("playback", "device_log", "receipt", "set_aside", "device", "erasure"):
        for row in house.rows(f"SELECT * FROM {table}"):
            values = [bytes(value) for value in row if isinstance(value, bytes | memoryview)]
            if any(phone.bytes in value for value in values):
                found.append(table)
    needles = [phone.bytes, phone.device_id.encode(), *(bytes.fromhex(event_id)[:8] for event_id in phone.ids)]
    kept = house.kept_payloads()
    found += ["log or archive" for payload in kept if any(needle in payload for needle in needles)]
    for row in house.rows("SELECT event_ids FROM playback"):
        found += ["event ids" for needle in needles[2:] if needle in bytes(row[0])]
    return found


def test_nothing_is_left_and_no_total_changes(house: House, phones: list[Phone]) -> None:
    before = house.totals()
    assert traces(house, phones[0])
    wish(house, phones[0])
    assert house.housekeeper.erase() == 1
    assert traces(house, phones[0]) == []
    assert traces(house, phones[1])
    assert house.totals() == before
    assert wrong(house.recount()) == {}


def test_what_stays_ties_no_two_days_together(house: House, phones: list[Phone]) -> None:
    wish(house, phones[0])
    house.housekeeper.erase()
    stand_ins = house.rows("SELECT device, first_at_ms, last_at_ms, day FROM playback WHERE length(event_ids) = 0")
    assert len(stand_ins) == 4
    assert len({bytes(row[0]) for row in stand_ins}) == 4
    assert all(first == last == day * 86_400_000 for _, first, last, day in stand_ins)


def test_what_an_erased_device_still_sends_is_received_and_not_kept(
    house: House, phones: list[Phone], tale: Episode
) -> None:
    phone = phones[0]
    listens = house.rows("SELECT sum(listens), sum(heard_seconds) FROM episode_day")
    wish(house, phone)
    house.send(phone, 5, 12)  # told before, and told again while the wish was on its way
    house.housekeeper.erase()
    phone.write(tale.uuid, "pause", 100_000, 160_000, house.now_ms - 1000)
    house.send(phone, 17, 17)
    house.count()
    assert house.rows("SELECT sum(listens), sum(heard_seconds) FROM episode_day") == listens
    assert house.rows("SELECT sum(events) FROM pipeline_day WHERE outcome = 'erased'") == [(9,)]
    assert wrong(house.recount()) == {}
    house.day(3)
    house.housekeeper.tidy()
    assert traces(house, phone) == []
    assert wrong(house.recount()) == {}


def test_asking_twice_is_asking_once(house: House, phones: list[Phone]) -> None:
    before = house.totals()
    wish(house, phones[0])
    wish(house, phones[0])
    assert house.housekeeper.erase() == 1
    wish(house, phones[0])
    assert house.housekeeper.erase() == 0
    house.day(3)
    house.housekeeper.tidy()
    assert traces(house, phones[0]) == []
    assert house.totals() == before
    assert wrong(house.recount()) == {}


@pytest.mark.parametrize("step", ["rewrite of the log", "rewrite of the archive"])
def test_an_interrupted_erasure_is_taken_up_again(
    house: House, phones: list[Phone], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = house.totals()
    wish(house, phones[0])

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(house.log if step == "rewrite of the log" else house.archive, "rewrite", fail)
        with pytest.raises(OSError, match="no space"):
            house.housekeeper.erase()
    assert traces(house, phones[0])
    assert house.housekeeper.erase() == 1
    assert traces(house, phones[0]) == []
    assert house.totals() == before
    assert wrong(house.recount()) == {}


def test_a_later_recording_counts_the_playbacks_of_erased_devices_too(house: House, phones: list[Phone]) -> None:
    wish(house, phones[0])
    house.housekeeper.erase()
    house.change("UPDATE episode SET duration_ms = 40000")
    house.count()
    assert house.rows("SELECT sum(completions), sum(heard_seconds) FROM episode_day") == [(8, 320)]


def test_the_records_of_a_device_are_found_in_log_and_archive(house: House, phones: list[Phone]) -> None:
    device = UUID(GOES).bytes
    found = erasing.records_of(house.log, house.archive, 0, [device])
    assert [record.offset for record in found[device]] == [0, 2, 4, 6]


def test_many_wishes_are_one_reading_of_the_log(
    house: House, phones: list[Phone], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = house.totals()
    strangers = [Phone(str(UUID(int=1000 + number))) for number in range(20)]
    for phone in (*phones, *strangers):
        house.append(phone.bytes, pack(Erase(phone.bytes)))
    house.count()
    readings: list[int] = []
    read = house.archive.read
    monkeypatch.setattr(house.archive, "read", lambda *bounds: readings.append(1) or read(*bounds))
    assert house.housekeeper.erase() == 22
    assert len(readings) == 1
    assert [traces(house, phone) for phone in (*phones, *strangers)] == [[]] * 22
    assert house.totals() == before
    assert wrong(house.recount()) == {}
