"""What was set aside is counted once when its cause is gone, as of its first receipt."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlmodel import Session, select

from api import clock
from api.events.log import append_all
from api.events.records import Actions, pack
from api.measurement.causes import Cause
from api.measurement.replaying import list_ready
from models.columns import DAY_MS
from models.tables import Episode
from tests.api.measurement.house import House, wrong
from tests.device import Phone
from tests.factories import make_episode

DEVICE = "0b6f6a0e-7c1d-4b57-9a53-6f0f5a6d2e11"
IMPORTED = UUID(int=5)


def import_episode(house: House, **changes: object) -> None:
    """The episode comes into the catalogue."""
    with Session(house.engine) as session:
        episode = make_episode(session)
        episode.uuid = IMPORTED
        for name, value in changes.items():
            setattr(episode, name, value)
        session.add(episode)
        session.commit()


def replay(house: House, cause: Cause = Cause.UNKNOWN_EPISODE) -> int:
    """Hand what is ready to the log; how much that was."""
    with house.engine.connect() as connection:
        ready = list_ready(connection, cause)
    asyncio.run(append_all(house.log, ready))
    return len(ready)


OUTCOMES = "SELECT received_day, outcome, events FROM pipeline_day WHERE events <> 0 ORDER BY received_day, outcome"
COUNTED = "SELECT day, starts, listens, heard_seconds FROM episode_day ORDER BY day"


@pytest.fixture
def waiting(house: House) -> Phone:
    """Two listens of an episode that nobody knows, received three days ago, one of them twice."""
    phone = Phone(DEVICE)
    house.day(-3)
    phone.write(IMPORTED, "pause", 0, 60_000, house.now_ms - 1000, offline=True)
    phone.write(IMPORTED, "pause", 0, 40_000, house.now_ms - DAY_MS)
    house.send(phone, 1, 2)
    house.send(phone, 2, 2)
    house.count()
    assert house.rows(OUTCOMES) == [(house.today - 3, "duplicate", 1), (house.today - 3, "unknown_episode", 2)]
    house.day(0)
    return phone


def test_an_episode_imported_later_is_counted_as_of_the_receipt(house: House, waiting: Phone) -> None:
    assert replay(house) == 0
    import_episode(house)
    assert replay(house) == 2
    house.count()
    assert house.rows(OUTCOMES) == [(house.today - 3, "counted", 2), (house.today - 3, "duplicate", 1)]
    assert house.rows(COUNTED) == [(house.today - 4, 1, 1, 40), (house.today - 3, 1, 1, 60)]
    assert house.rows("SELECT received_day, day, listens FROM arrival_day ORDER BY day") == [
        (house.today - 3, house.today - 4, 1),
        (house.today - 3, house.today - 3, 1),
    ]
    assert house.rows("SELECT * FROM set_aside") == []
    assert wrong(house.recount()) == {}


def test_a_replay_asked_for_twice_counts_once(house: House, waiting: Phone) -> None:
    import_episode(house)
    assert [replay(house), replay(house)] == [2, 2]
    house.count()
    before = house.totals()
    assert replay(house) == 0
    house.send(waiting, 1, 2)
    house.count()
    assert house.rows(COUNTED) == [(house.today - 4, 1, 1, 40), (house.today - 3, 1, 1, 60)]
    assert house.totals()["episode_day"] == before["episode_day"]
    assert wrong(house.recount()) == {}


def test_what_is_sent_again_before_the_replay_is_a_duplicate(house: House, waiting: Phone) -> None:
    import_episode(house)
    house.send(waiting, 1, 2)
    house.count()
    assert house.rows(COUNTED) == []
    replay(house)
    house.count()
    assert house.rows(COUNTED) == [(house.today - 4, 1, 1, 40), (house.today - 3, 1, 1, 60)]
    # The recount judges each event by the catalogue of now, and so needs no replay.
    assert wrong(house.recount()) == {}


def test_only_the_events_whose_cause_is_gone_are_replayed(house: House, waiting: Phone) -> None:
    long_ahead = clock.now() + timedelta(days=90)
    import_episode(house, published_at=long_ahead)
    assert replay(house) == 0
    with Session(house.engine) as session:
        episode = session.exec(select(Episode).where(Episode.uuid == IMPORTED)).one()
        episode.published_at = datetime.fromtimestamp((house.today - 3) * 86_400 + 30 * 3600, UTC)
        session.add(episode)
        session.commit()
    assert replay(house) == 1
    house.count()
    assert house.rows(COUNTED) == [(house.today - 3, 1, 1, 60)]
    assert house.rows("SELECT cause FROM set_aside") == [("unknown_episode",)]


def test_a_podcast_app_s_play_is_found_by_its_guid_later(house: House) -> None:
    house.day(-2)
    url, guid = "https://cdn.example/night-trains.mp3", "night-trains-1"
    play = uuid4().bytes * 2, house.now_ms - 5000, 0, 1_800_000, "", "https://feed.example/rss", url, guid
    record = pack(Actions(UUID(int=9).bytes, house.now_ms, [play]))
    house.append(UUID(int=9).bytes, record)
    house.append(UUID(int=9).bytes, record)
    house.count()
    assert house.rows(OUTCOMES) == [(house.today - 2, "duplicate", 1), (house.today - 2, "unknown_episode", 1)]
    import_episode(house, guid=guid, duration_ms=1_900_000)
    house.day(0)
    assert replay(house) == 1
    house.count()
    assert house.rows(COUNTED) == [(house.today - 2, 1, 1, 1800)]
    assert wrong(house.recount()) == {}
