"""The law of impressions: listening and downloads in any order, repeated, cut anywhere, with placements made and
changed before, between and after, give the same rollups, and these are what a brute-force count gives.
"""

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlmodel import Session, select

from api.consumers import MEASUREMENT
from api.events import StoredRecord
from api.events.records import HitChunk, unpack
from api.measurement.committing import commit_records, micro_batch
from api.measurement.impressions_redo import recount_impressions
from models.columns import DAY_MS, day_from_number
from models.engine import make_engine
from models.migrate import migrate
from models.queries import offsets
from models.queries.rebuilding import ALL_TABLES
from models.tables import Episode
from tests.api.measurement.downloads import delivered, oracle, product
from tests.api.measurement.downloads.oracle import Request
from tests.api.measurement.downloads.test_download_law import CAP, EPISODES, FIRST_DAY, logs, records, requests, settle
from tests.api.measurement.test_counting_law import TODAY, Heard, batches, write
from tests.device import Phone
from tests.placed import change_placement, make_campaign, place

TABLES = (*(table.name for table in ALL_TABLES), "log_import", "import_outcome", "consumer_offset", "receipt")
PLACES = ("episode_counted", "counted_placement", "placement", "campaign", "advertiser")
PUBLISHED_DAY = FIRST_DAY - 3
SECONDS = 600
"""Of every recording."""
HISTORY = FIRST_DAY, TODAY + 1
"""The hits are of its first days, the listening of its last."""

heard = st.builds(
    Heard,
    device=st.sampled_from([0, 0, 1]),
    episode=st.sampled_from([0, 0, 0, 1]),
    kind=st.sampled_from(["play", "progress", "progress", "pause", "short", "download"]),
    day=st.sampled_from([0, 0, 0, 0, -1, -2, -40]),
    minute=st.integers(0, 700),
    first=st.sampled_from([0, 5, 10, 20, 25, 29, 30, 45, 60, 90, 300, 580, 595]),
    seconds=st.sampled_from([1, 5, 10, 15, 30, 31, 60, 300]),
    speed=st.just(1),
    offline=st.booleans(),
)
histories = st.lists(heard, min_size=1, max_size=15)


@dataclass(frozen=True)
class Ad:
    """A placement as it is in the end."""

    campaign: int
    episode: int | None
    """Of `EPISODES`; none: of all of the show."""
    start_ms: int
    end_ms: int
    from_day: int
    to_day: int


ads = st.builds(
    lambda campaign, episode, part, days: Ad(campaign, episode, *part, *days),
    st.integers(0, 1),
    st.sampled_from([0, 1, 1, 1, 1, 2, 3, None]),
    st.sampled_from([(0, 10_000), (25_000, 55_000), (20_500, 61_700), (90_000, 110_000), (595_000, 640_000)]),
    st.sampled_from(
        [
            *(
                (FIRST_DAY - 4, TODAY + 1),
                (FIRST_DAY - 4, TODAY + 1),
                (FIRST_DAY, FIRST_DAY + 1),
                (FIRST_DAY + 1, TODAY - 1),
            ),
            *((TODAY, TODAY + 1), (TODAY - 40, TODAY - 1), (TODAY, TODAY - 1)),
        ]
    ),
)
percents = st.lists(st.sampled_from([0, 25, 50, 75, 100]), min_size=2, max_size=2)


@pytest.fixture
def fresh(store_url: str, tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    """Makes stores with the catalogue and nothing counted: copies of a file, or one PostgreSQL database emptied."""
    template = make_engine(store_url)
    migrate(template)
    product.publish(template, EPISODES)
    with template.begin() as connection:
        published_at = datetime.fromtimestamp(PUBLISHED_DAY * DAY_MS / 1000, UTC)
        dates = {"published_at": published_at, "first_published_at": published_at}
        connection.execute(Episode.__table__.update().values(dates))
    engines: list[Engine] = []

    def make() -> Engine:
        for engine in engines:
            engine.dispose()
        if template.dialect.name == "postgresql":
            with template.begin() as connection:
                connection.execute(text(f"TRUNCATE {', '.join(TABLES + PLACES)} RESTART IDENTITY CASCADE"))
            return template
        template.dispose()
        copy = tmp_path / "copy.db"
        for suffix in ("-wal", "-shm"):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)
        shutil.copy(tmp_path / "store.db", copy)
        engines[:] = [make_engine(f"sqlite:///{copy}", durability="NORMAL")]
        return engines[0]

    yield make
    for engine in [*engines, template]:
        engine.dispose()


class Office:
    """Where placements are made, changed and counted."""

    def __init__(self, engine: Engine, percents: list[int], window: str) -> None:
        self.engine = engine
        with engine.begin() as connection:
            offsets.append_consumer(connection, MEASUREMENT, 0)
            for name, value in {"download_window": window, "excess_cap": str(CAP)}.items():
                connection.execute(text("INSERT INTO counting_rule VALUES (:n, :v)"), {"n": name, "v": value})
        self.campaigns = [make_campaign(engine, *HISTORY, confirm_percent=percent) for percent in percents]
        with Session(engine, expire_on_commit=False) as session:
            self.episodes = {str(episode.uuid): episode for episode in session.exec(select(Episode))}
        # Of the show's days, from the one on which all episodes were published.
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE campaign SET from_day = {FIRST_DAY - 4}"))

    def place(self, ad: Ad, **other: int) -> int:
        """Make a placement, as it is to be or otherwise."""
        episode = None if ad.episode is None else self.episodes[EPISODES[ad.episode].uuid]
        where = {"show_id": next(iter(self.episodes.values())).show_id} if episode is None else {}
        seconds = ad.start_ms / 1000, ad.end_ms / 1000
        return place(self.engine, self.campaigns[ad.campaign], episode, seconds, **where, **{**days_of(ad), **other})

    def settle(self, placement: int, ad: Ad) -> None:
        """Have a placement be what it is to be."""
        change_placement(self.engine, placement, start_ms=ad.start_ms, end_ms=ad.end_ms, **days_of(ad))

    def fold(self, payloads: list[bytes], step: int, between: Callable[[], None] = lambda: None) -> None:
        """Run the worker's step over the records, `step` at most at once, and something `between`."""
        stored = [StoredRecord(offset, b"", payload) for offset, payload in enumerate(payloads)]
        while stored:
            batch = micro_batch(stored[:step])
            commit_records(self.engine, 0, batch[0].offset, batch)
            stored = stored[len(batch) :]
            between()


def days_of(ad: Ad) -> dict[str, Any]:
    """The days of a placement as columns."""
    return {"from_day": day_from_number(ad.from_day), "to_day": day_from_number(ad.to_day)}


def contents(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """All rollups of impressions, without rows of nothing."""
    with engine.connect() as connection:
        return {
            table: sorted(
                tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
                for row in connection.execute(text(f"SELECT * FROM {table}"))
                if any(row[keys:])
            )
            for table, keys in {
                "counted_placement": 0,
                "placement_day": 3,
                "placement_split": 4,
                "campaign_device": 0,
                "campaign_frequency": 3,
                "campaign_reach": 0,
            }.items()
        }


def brute_force(
    phones: list[Phone], told: list[Request], window: str, ads: list[Ad], percents: list[int], numbers: dict[str, int]
) -> dict[str, list[tuple[Any, ...]]]:
    """The rollups but for reach, by the words of the docs: sets of seconds, sets of bytes."""
    seconds: dict[tuple[bytes, str, int], set[int]] = defaultdict(set)
    offline = set()
    for phone in phones:
        for event in phone.log:
            key = phone.bytes, event["episode"], event["at_ms"] // DAY_MS
            seconds[key] |= set(range(event["from_ms"] // 1000, min(SECONDS, event["to_ms"] // 1000)))
            if event["offline"] and event["to_ms"] > event["from_ms"]:
                offline.add(key)
    days: dict[tuple[int, int, int], list[int]] = defaultdict(lambda: [0] * 8)
    confirmed: list[tuple[int, bytes, int]] = []
    spots = []
    for placement, ad in enumerate(ads, 1):
        from_day, to_day = max(ad.from_day, FIRST_DAY - 4), min(ad.to_day, TODAY + 1)
        wanted = set(range(ad.start_ms // 1000, min(SECONDS, ad.end_ms // 1000)))
        for episode in of_ad(ad):
            spots.append(delivered.Spot(placement, episode, ad.start_ms, ad.end_ms, from_day, to_day))
            for (device, name, day), of_playback in seconds.items():
                got = of_playback & wanted
                if name != episode or not got or not from_day <= day <= to_day:
                    continue
                row = days[placement, numbers[episode], day]
                share = 100 * len(got) / len(wanted)
                counts = [1, *(share >= quarter for quarter in (25, 50, 75, 100))]
                is_confirmed = share >= percents[ad.campaign]
                counts += [is_confirmed, is_confirmed and (device, name, day) in offline]
                row[1:] = [number + more for number, more in zip(row[1:], counts, strict=True)]
                if is_confirmed:
                    confirmed.append((ad.campaign + 1, device, day))
    of_days, of_splits = delivered.count(told, spots, window, CAP)
    for (placement, episode, day), number in of_days.items():
        days[placement, numbers[episode], day][0] += number
    by_device: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for campaign, device, day in confirmed:
        by_device[campaign, device].append(day)
    devices = [(*key, len(listed), min(listed)) for key, listed in sorted(by_device.items())]
    frequencies = Counter((campaign, first, min(5, times)) for campaign, _, times, first in devices)
    return {
        "placement_day": sorted((*key, *row) for key, row in days.items()),
        "placement_split": sorted((*key, number) for key, number in of_splits.items()),
        "campaign_device": devices,
        "campaign_frequency": sorted((*key, number) for key, number in frequencies.items()),
    }


def of_ad(ad: Ad) -> list[str]:
    """The episodes in which an ad is counted."""
    if ad.episode is not None:
        return [EPISODES[ad.episode].uuid] if ad.from_day <= ad.to_day else []
    return [episode.uuid for episode in EPISODES] if ad.from_day <= min(ad.to_day, PUBLISHED_DAY) else []


@settings(max_examples=30, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=histories,
    files=logs,
    live=st.lists(requests, max_size=6),
    wanted=st.lists(ads, min_size=1, max_size=4),
    percents=percents,
    window=st.sampled_from(oracle.WINDOWS),
    cuts=st.lists(st.integers(0, 24), max_size=4),
    step=st.integers(1, 6),
    chance=st.randoms(use_true_random=False),
)
def test_no_order_and_no_time_of_placing_changes_impressions(
    fresh: Callable[[], Engine],
    history: list[Heard],
    files: list[list[Request]],
    live: list[Request],
    wanted: list[Ad],
    percents: list[int],
    window: str,
    cuts: list[int],
    step: int,
    chance: Any,
) -> None:
    phones = write(history)
    files = [[settle(replace(r, has_range=file[0].has_range)) for r in file] for file in files]
    live = [replace(settle(r), at_ms=settle(r).at_ms + 10 * place + 1, has_range=True) for place, r in enumerate(live)]
    hits = [product.record(hit)[1] for hit in live]
    office = Office(fresh(), percents, window)
    for ad in wanted:
        office.place(ad)
    recount_impressions(office.engine)
    once = [payload for phone in phones for payload in batches(phone, [])]
    once += [record for number, file in enumerate(files) for record in records(file, f"{number}.log", [])]
    office.fold(once + hits, 100)
    recount_impressions(office.engine)
    straight = contents(office.engine)

    numbers = {name: episode.id or 0 for name, episode in office.episodes.items()}
    known = {episode.uuid for episode in EPISODES}
    told = [request for request in [*oracle.merged(files), *live] if request.episode in known]
    expected = brute_force(phones, told, window, wanted, percents, numbers)
    assert {table: rows for table, rows in straight.items() if table in expected} == expected

    again = [payload for phone in phones for payload in batches(phone, cuts)]
    again += [record for number, file in enumerate(files) for record in records(file, f"{number}.log", cuts)]
    again += hits + chance.sample(once, chance.randint(0, len(once)))
    again = in_some_order(chance, again)
    office = Office(fresh(), percents, window)
    placed: list[int] = []

    def between() -> None:
        """Somebody places the next ad, not yet as it is to be; sometimes the worker notices, and it is put right."""
        act = chance.randrange(4)
        if act == 0 and len(placed) < len(wanted):
            ad = wanted[len(placed)]
            other: dict[str, Any] = chance.choice(
                [{}, {"start_ms": 0, "end_ms": 30_000}, {"to_day": day_from_number(TODAY - 1)}]
            )
            placed.append(office.place(ad, **other))
        elif act == 1 and placed:
            number = chance.randrange(len(placed))
            office.settle(placed[number], wanted[number])
        if act < 3:
            recount_impressions(office.engine)

    office.fold(again, step, between)
    placed += [office.place(ad) for ad in wanted[len(placed) :]]
    for placement, ad in zip(placed, wanted, strict=True):
        office.settle(placement, ad)
    recount_impressions(office.engine)
    assert contents(office.engine) == straight


def in_some_order(chance: Any, payloads: list[bytes]) -> list[bytes]:
    """Shuffled, but for the lines of each log: what an import appends stays in its order."""
    order = list(range(len(payloads)))
    chance.shuffle(order)
    of_log: dict[bytes, list[int]] = defaultdict(list)
    for number in order:
        of_log[log_of(payloads[number])].append(number)
    queues = {name: iter(sorted(numbers) if name else numbers) for name, numbers in of_log.items()}
    return [payloads[next(queues[log_of(payloads[number])])] for number in order]


def log_of(payload: bytes) -> bytes:
    """Which access log a record has lines of; nothing for any other record."""
    record = unpack(payload)
    return record.source if isinstance(record, HitChunk) else b""


def test_the_episodes_are_who_they_are_taken_for() -> None:
    assert [UUID(episode.uuid) for episode in EPISODES] == [UUID(int=number) for number in range(4)]
