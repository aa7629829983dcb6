"""The past stays what it was: whatever catalogue, devices, archive and clocks do in between, a recount agrees."""

import shutil
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import Session

from api import clock
from api.events.records import Erase, pack
from api.measurement import housekeeping
from api.measurement.rebuild import MissingRecordsError
from api.measurement.worker import LogBehindStoreError, Worker
from models.columns import DAY_MS
from models.counting import Playback
from models.tables import Episode
from tests.api.measurement.house import House, wrong
from tests.api.measurement.test_replay import IMPORTED, import_episode, replay
from tests.device import Phone
from tests.factories import make_episode

DEVICE = "0b6f6a0e-7c1d-4b57-9a53-6f0f5a6d2e11"


def live(house: House, tale: Episode, days: range) -> Phone:
    """A listen a day, counted."""
    phone = Phone(DEVICE)
    for number in days:
        house.day(number)
        phone.write(tale.uuid, "pause", 0, 60_000, house.now_ms - 1000)
        house.send(phone, len(phone.log), len(phone.log))
    house.count()
    return phone


def change(house: House, episode: Episode, **fields: object) -> None:
    """Change the catalogue."""
    with Session(house.engine) as session:
        found = session.get_one(Episode, episode.id)
        for name, value in fields.items():
            setattr(found, name, value)
        session.add(found)
        session.commit()


@pytest.mark.parametrize("published_in_days", [None, 30])
def test_what_was_counted_before_an_episode_was_withdrawn_stays(
    house: House, tale: Episode, published_in_days: int | None
) -> None:
    live(house, tale, range(-3, 0))
    days = published_in_days
    change(house, tale, published_at=None if days is None else clock.now() + timedelta(days=days))
    assert wrong(house.recount()) == {}
    phone = Phone(str(UUID(int=3)))
    phone.write(tale.uuid, "pause", 0, 60_000, house.now_ms - 1000)
    house.send(phone, 1, 1)
    house.count()
    assert house.rows("SELECT cause FROM set_aside") == [("before_publication",)]
    assert wrong(house.recount()) == {}


def test_a_replay_between_later_events_is_counted_where_it_came(house: House) -> None:
    phone = Phone(DEVICE)
    house.day(-3)
    at_ms = house.now_ms - 1000
    phone.write(IMPORTED, "pause", 0, 20_000, at_ms)
    house.send(phone, 1, 1)
    house.count()
    import_episode(house)
    house.day(-2)
    phone.write(IMPORTED, "pause", 20_000, 45_000, at_ms)
    house.send(phone, 2, 2)
    house.count()
    house.day(-1)
    assert replay(house) == 1
    house.count()
    assert house.rows("SELECT listens, heard_seconds FROM episode_day") == [(1, 45)]
    assert wrong(house.recount()) == {}


def test_recounting_some_days_does_not_bring_an_erased_device_back(house: House, tale: Episode) -> None:
    phone = live(house, tale, range(-6, 1))
    house.append(phone.bytes, pack(Erase(phone.bytes)))
    house.count()
    house.housekeeper.erase()
    house.day(1)
    house.send(phone, 1, 7)
    house.count()
    days = house.today - 2, house.today + 1
    assert wrong(house.recount(days)) == {}
    house.recount(days, apply=True)
    assert wrong(house.recount()) == {}


def test_recounting_some_days_knows_what_was_set_aside_before_them(house: House, tale: Episode) -> None:
    phone = Phone(DEVICE)
    house.day(-3)
    phone.write(tale.uuid, "pause", 0, 60_000, house.now_ms + DAY_MS)
    house.send(phone, 1, 1)
    house.count()
    house.day(0)
    house.send(phone, 1, 1)
    house.count()
    assert house.rows("SELECT outcome FROM pipeline_day ORDER BY outcome") == [("clock_ahead",), ("duplicate",)]
    assert wrong(house.recount((house.today - 2, house.today))) == {}


def test_a_wish_that_comes_while_days_are_archived_waits_its_turn(
    house: House, tale: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = live(house, tale, range(-5, -2))
    house.append(phone.bytes, pack(Erase(phone.bytes)))
    house.day(0)
    with monkeypatch.context() as patch:
        # The worker folds the wish when the housekeeper has just looked for wishes.
        patch.setattr(housekeeping, "erase_pending", lambda *_: house.count())
        house.housekeeper.tidy()
    assert house.archive.end(0) == 4
    assert house.housekeeper.erase() == 1
    assert house.rows("SELECT sum(listens) FROM episode_day") == [(3,)]
    assert wrong(house.recount()) == {}


def test_a_hole_in_the_archive_is_filled_from_the_log_or_named(house: House, tale: Episode) -> None:
    live(house, tale, range(-8, 0))
    house.day(0)
    house.housekeeper.tidy()
    lost = house.archive.files(0)[2].path
    lost.unlink()
    assert wrong(house.recount()) == {}
    house.log.trim(0, 6, house.now_ms)
    with pytest.raises(MissingRecordsError, match="from offset 2 to"):
        house.recount(apply=True)
    assert house.rows("SELECT sum(listens) FROM episode_day") == [(8,)]


def test_an_archive_of_another_log_is_refused(house: House, tale: Episode, tmp_path: Path) -> None:
    live(house, tale, range(-5, 0))
    house.day(0)
    house.housekeeper.tidy()
    house.log.close()
    for path in tmp_path.glob("events.db*"):
        path.unlink()
    house.change("DELETE FROM consumer_offset")
    again = House(house.engine, house.settings, pytest.MonkeyPatch())
    try:
        with pytest.raises(LogBehindStoreError, match="another log"):
            again.count()
        for _ in range(8):
            again.hit(tale.uuid)
        with pytest.raises(LogBehindStoreError, match="another log"):
            again.count()
        shutil.rmtree(house.archive.folder)
        again.count()
    finally:
        again.close()


def test_a_draft_in_the_show_hides_nothing_of_an_erased_device(house: House, tale: Episode) -> None:
    phone = live(house, tale, range(-3, 0))
    with Session(house.engine) as session:
        draft = make_episode(session)
        draft.show_id, draft.duration_ms = tale.show_id, None
        session.add(draft)
        session.commit()
    house.append(phone.bytes, pack(Erase(phone.bytes)))
    house.count()
    house.housekeeper.erase()
    assert wrong(house.recount()) == {}


def test_an_erased_device_whose_rows_come_back_can_be_erased_again(house: House, tale: Episode) -> None:
    phone = live(house, tale, range(-2, 0))
    for _ in range(2):
        house.append(phone.bytes, pack(Erase(phone.bytes)))
        house.count()
        assert house.housekeeper.erase() == 1
        assert not [row for row in house.rows("SELECT device FROM playback") if bytes(row[0]) == phone.bytes]
        # As in an older copy of the store that is put in place.
        with house.engine.begin() as connection:
            stand_in = Playback.__table__.select().limit(1)
            row = dict(connection.execute(stand_in).mappings().one()) | {"device": phone.bytes}
            connection.execute(Playback.__table__.insert(), [row])


def test_a_record_of_a_newer_version_stops_neither_archive_nor_erasing(house: House, tale: Episode) -> None:
    phone = live(house, tale, range(-4, -2))
    house.append(phone.bytes, b"\x92\x63\x01")
    house.count()
    house.append(phone.bytes, pack(Erase(phone.bytes)))
    house.day(0)
    house.count()
    house.housekeeper.tidy()
    assert house.archive.end(0) == 4
    assert not [row for row in house.rows("SELECT device FROM playback") if bytes(row[0]) == phone.bytes]


def test_records_of_a_clock_far_ahead_do_not_keep_the_days_behind_them(house: House, tale: Episode) -> None:
    live(house, tale, range(-5, -4))
    house.now_ms += 400 * DAY_MS
    house.hit(tale.uuid)
    live_again = Phone(str(UUID(int=8)))
    for number in (-4, -3):
        house.day(number)
        live_again.write(tale.uuid, "pause", 0, 60_000, house.now_ms - 1000)
        house.send(live_again, len(live_again.log), len(live_again.log))
    house.count()
    house.day(30)
    house.housekeeper.tidy()
    assert house.archive.end(0) == 4
    assert house.log.start(0) == 4
    assert wrong(house.recount()) == {}


def test_the_worker_goes_on_where_an_older_archive_ends(house: House, tale: Episode) -> None:
    live(house, tale, range(-5, 0))
    house.day(0)
    house.housekeeper.tidy()
    Worker(house.engine, house.log, house.settings).drain()
