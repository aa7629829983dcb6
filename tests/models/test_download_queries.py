"""Reads of the downloads' rollups, against counts over single downloads."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from models.columns import day_from_number, day_number
from models.downloads import CountingRule
from models.periods import Period, ending
from models.queries.download_consumers import list_consumers
from models.queries.downloads import (
    Of,
    Rules,
    fill_days,
    get_last_day,
    get_rules,
    list_days,
    list_episodes,
    list_hit_days,
    list_hours,
    list_outcomes,
    list_split,
)
from models.queries.first_days import list_first_days
from models.rotations import ROTATION_DAYS, key_days
from models.sketches import EXACT_UP_TO
from models.tables import Show
from tests.downloaded import FILE_BYTES, Download, put_consumers, put_downloads, put_hits
from tests.factories import make_episode, make_show

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
APPS = ("Overcast", "AntennaPod", "")
Stored = dict[int, list[Download]]


def some_downloads(seed: int, days: int = 10, count: int = 300) -> list[Download]:
    """Downloads of the days from `FIRST` on."""
    chance = random.Random(seed)
    return [
        Download(
            FIRST + timedelta(seconds=chance.randrange(days * 86_400)),
            chance.choice(APPS),
            chance.choice(("phone", "computer")),
            chance.choice(("DE", "AT", "")),
        )
        for _ in range(count)
    ]


@pytest.fixture
def session(engine: Engine):
    """A session of its own, once on each engine."""
    with Session(engine) as session:
        yield session


@pytest.fixture
def show(session: Session) -> Show:
    """A show whose neighbour is downloaded too."""
    other = make_episode(session)
    put_downloads(session, other, some_downloads(99))
    return make_show(session)


@pytest.fixture
def stored(session: Session, show: Show) -> Stored:
    """Downloads of two episodes, by the episode's key."""
    found = {}
    for seed in (1, 2):
        episode = make_episode(session, show)
        found[episode.id] = some_downloads(seed, count=seed * 100)
        put_downloads(session, episode, found[episode.id])
    return found


PERIOD = Period(date(2026, 3, 3), date(2026, 3, 7))


def counted(stored: Stored, of: Of) -> list[Download]:
    """The downloads that a read of `PERIOD` has to find."""
    return [
        download
        for key, downloads in stored.items()
        for download in downloads
        if of.episode_id in {None, key} and PERIOD.first <= download.at.date() <= PERIOD.last
    ]


@pytest.mark.parametrize("of_one", [False, True], ids=["show", "episode"])
def test_every_way_of_cutting_has_the_same_downloads(
    session: Session, show: Show, stored: Stored, of_one: bool
) -> None:
    of = Of(show.id, min(stored) if of_one else None)
    wanted = counted(stored, of)
    assert dict(list_days(session, of, PERIOD)) == Counter(download.at.date() for download in wanted)
    hours = Counter(int(download.at.timestamp()) // 3600 for download in wanted)
    assert dict(list_hours(session, of, PERIOD)) == hours
    for kind in ("app", "device", "country"):
        assert dict(list_split(session, of, PERIOD, kind)) == Counter(getattr(d, kind) for d in wanted)
    assert sum(row.downloads for row in list_episodes(session, of, PERIOD)) == len(wanted) > 0


def test_days_and_hours_come_in_order_and_the_rest_by_size(session: Session, show: Show, stored: Stored) -> None:
    of = Of(show.id)
    days, hours = list_days(session, of, PERIOD), list_hours(session, of, PERIOD)
    assert days == sorted(days)
    assert hours == sorted(hours)
    for rows in (list_split(session, of, PERIOD, "app"), list_episodes(session, of, PERIOD)):
        counts = [row.downloads for row in rows]
        assert counts == sorted(counts, reverse=True)


def test_episodes_without_downloads_are_listed_too(session: Session, show: Show, stored: Stored) -> None:
    quiet = make_episode(session, show)
    assert [(row.episode_id, row.downloads) for row in list_episodes(session, Of(show.id), PERIOD)][-1] == (quiet.id, 0)


def test_outcomes_add_up_to_all_hits_with_their_bytes(session: Session, show: Show) -> None:
    episode = make_episode(session, show)
    day = PERIOD.first
    for outcome, hits in {"download": 3, "bot": 5, "short": 2, "watch": 0}.items():
        put_hits(session, episode, day, outcome, hits)
    put_hits(session, episode, day - timedelta(days=1), "bot", 70)
    assert list_outcomes(session, Of(show.id), PERIOD) == [
        ("bot", 5, 5_000),
        ("download", 3, 3 * FILE_BYTES),
        ("short", 2, 2_000),
    ]


def test_days_have_all_their_hits_beside_their_downloads(session: Session, show: Show) -> None:
    first, second = make_episode(session, show), make_episode(session, show)
    for episode, outcome, hits in ((first, "download", 3), (first, "bot", 5), (second, "short", 2)):
        put_hits(session, episode, PERIOD.first, outcome, hits)
    sent = 3 * FILE_BYTES + 7_000
    assert list_hit_days(session, Of(show.id), PERIOD) == [(PERIOD.first, 3, 10, sent)]
    assert list_hit_days(session, Of(show.id, second.id), PERIOD) == [(PERIOD.first, 0, 2, 2_000)]


def test_the_last_day_is_that_of_the_newest_hit_of_any_kind(session: Session, show: Show) -> None:
    assert get_last_day(session, Of(show.id)) is None
    older, newer = make_episode(session, show), make_episode(session, show)
    put_hits(session, older, PERIOD.last, "bot", 1)
    put_hits(session, newer, PERIOD.first, "download", 1)
    assert get_last_day(session, Of(show.id)) == PERIOD.last
    assert get_last_day(session, Of(show.id, newer.id)) == PERIOD.first


def test_days_are_filled_with_zeros_up_to_today(session: Session, show: Show, stored: Stored) -> None:
    period = Period(date(2026, 3, 9), date(2026, 3, 14))
    filled = fill_days(list_days(session, Of(show.id), period), period, today=date(2026, 3, 12))
    assert [row.day.day for row in filled] == [9, 10, 11, 12]
    assert [row.downloads > 0 for row in filled] == [True, True, False, False]


def test_the_rules_are_the_store_s_or_the_defaults(session: Session) -> None:
    assert get_rules(session) == Rules("calendar", 1000)
    session.add_all(
        [CountingRule(name="download_window", value="last_touch"), CountingRule(name="excess_cap", value="0")]
    )
    session.commit()
    assert get_rules(session) == Rules("last_touch", 0)


# -- first days ----------------------------------------------------------------------------------------------------


def brute(downloads: list[Download], published_at: datetime, now: datetime) -> tuple[int | None, ...]:
    """The same, one download after the other."""
    begin = published_at.replace(minute=0, second=0, microsecond=0)
    counts: list[int | None] = []
    for days in (7, 30, 90):
        end = begin + timedelta(days=days)
        counts.append(None if end > now else sum(begin <= download.at < end for download in downloads))
    return tuple(counts)


@pytest.mark.parametrize("published", ["00:00", "00:59", "06:30", "23:59"])
def test_first_days_are_counted_from_the_hour_of_publication(session: Session, show: Show, published: str) -> None:
    hours, minutes = map(int, published.split(":"))
    now = FIRST + timedelta(days=100)
    wanted: dict[int, tuple[int | None, ...]] = {}
    for seed in range(3):
        published_at = FIRST + timedelta(days=seed * 35, hours=hours, minutes=minutes)
        episode = make_episode(session, show, published_at=published_at)
        downloads = some_downloads(seed, days=100, count=400)
        put_downloads(session, episode, downloads)
        put_hits(session, episode, published_at.date() + timedelta(days=3), "duplicate", 1_000)
        wanted[episode.id] = brute(downloads, published_at, now)
    found = list_first_days(session, Of(show.id), now)
    assert {row.episode_id: row.downloads for row in found} == wanted
    assert [row.published_at for row in found] == sorted((row.published_at for row in found), reverse=True)
    assert [row[-1] is None for row in wanted.values()] == [False, True, True]


def test_a_download_of_the_border_s_hour_falls_on_its_side(session: Session, show: Show) -> None:
    published_at = FIRST + timedelta(hours=6, minutes=30)
    episode = make_episode(session, show, published_at=published_at)
    begin = FIRST + timedelta(hours=6)
    borders = [timedelta(0), timedelta(days=7), timedelta(days=30), timedelta(days=90)]
    sides = [begin + border + step for border in borders for step in (timedelta(hours=-1), timedelta(0))]
    put_downloads(session, episode, [Download(at) for at in sides])
    (row,) = list_first_days(session, Of(show.id, episode.id), begin + timedelta(days=400))
    assert row.downloads == (2, 4, 6)


def test_a_span_is_told_in_the_hour_that_it_is_over(session: Session, show: Show) -> None:
    make_episode(session, show, published_at=FIRST + timedelta(hours=6, minutes=30))
    over = FIRST + timedelta(days=7, hours=6)
    assert list_first_days(session, Of(show.id), over - timedelta(seconds=1))[0].downloads == (None, None, None)
    assert list_first_days(session, Of(show.id), over)[0].downloads == (0, None, None)


def test_drafts_and_what_is_not_out_yet_have_no_first_days(session: Session, show: Show) -> None:
    make_episode(session, show, published_at=None)
    make_episode(session, show, published_at=FIRST + timedelta(days=1))
    assert list_first_days(session, Of(show.id), FIRST) == []


# -- unique consumers ----------------------------------------------------------------------------------------------


def values(session: Session, of: Of, day: date) -> list[int]:
    """Unique consumers over the 1, 7 and 30 days that end with this one."""
    (row,) = list_consumers(session, of, Period(day, day))
    return [estimate.value for estimate in row.over]


MIDDLE = day_from_number(ROTATION_DAYS * 228 + 60)
"""A day that is 60 days behind a rotation, and 30 before the next."""


def test_a_consumer_of_many_days_is_one(session: Session, show: Show) -> None:
    for days_ago in range(40):
        put_consumers(session, show.id, MIDDLE - timedelta(days=days_ago), [1, 2, 100 + days_ago])
    assert values(session, Of(show.id), MIDDLE) == [3, 9, 32]
    assert values(session, Of(show.id), MIDDLE + timedelta(days=1)) == [0, 8, 31]


def test_a_show_s_consumers_are_not_its_episodes_sum(session: Session, show: Show) -> None:
    put_consumers(session, show.id, MIDDLE, [1, 2, 3])
    put_consumers(session, show.id, MIDDLE, [1, 2], episode_id=7)
    put_consumers(session, show.id, MIDDLE, [2, 3], episode_id=8)
    assert values(session, Of(show.id), MIDDLE) == [3, 3, 3]
    assert values(session, Of(show.id, 8), MIDDLE) == [2, 2, 2]


def test_consumers_are_the_same_across_a_rotation(session: Session, show: Show) -> None:
    border = day_from_number(ROTATION_DAYS * 229)
    for number in range(-35, 35):
        people = [1, 2, 1000 + number]
        # Behind the border everybody has another number, and for 29 days the one before beside it.
        own = people if number < 0 else [person + 50_000 for person in people]
        put_consumers(
            session, show.id, border + timedelta(days=number), own, earlier=people if 0 <= number < 29 else []
        )
    for number in (-1, 0, 3, 28, 29, 34):
        assert values(session, Of(show.id), border + timedelta(days=number)) == [3, 9, 32], number


def test_the_days_to_compare_under_a_key_are_those_that_have_it() -> None:
    border = ROTATION_DAYS * 229
    assert key_days(border - 5, border - 1) == (range(border - 5, border), range(0))
    assert key_days(border, border + 29) == (range(border, border + 30), range(0))
    assert key_days(border - 1, border + 28) == (range(border - 1, border), range(border, border + 29))
    with pytest.raises(ValueError, match="30 can be compared"):
        key_days(border - 1, border + 29)


def test_many_consumers_are_an_estimate_with_bounds(session: Session, show: Show) -> None:
    chance = random.Random(5)
    people = [chance.getrandbits(64) for _ in range(20_000)]
    for days_ago in range(7):
        put_consumers(
            session, show.id, MIDDLE - timedelta(days=days_ago), people[days_ago * 2000 : days_ago * 2000 + 4000]
        )
    (row,) = list_consumers(session, Of(show.id), Period(MIDDLE, MIDDLE))
    one, seven, _ = row.over
    assert (one.value, one.is_exact) == (4_000, True)
    assert not seven.is_exact
    assert EXACT_UP_TO < seven.low <= 16_000 <= seven.high


def test_every_day_of_a_period_has_a_row(session: Session, show: Show) -> None:
    put_consumers(session, show.id, MIDDLE, [1])
    rows = list_consumers(session, Of(show.id), ending(MIDDLE + timedelta(days=1), 3))
    assert [row.over[0].value for row in rows] == [0, 1, 0]
    assert [day_number(row.day) for row in rows] == [day_number(MIDDLE) + step for step in (-1, 0, 1)]
