"""The promise of the ranges, kept: a history told again as of earlier dates, and what became of each estimate."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from models.columns import day_from_number
from models.completeness import estimate
from models.counting import ShowArrival
from models.queries.arrivals import list_arrivals
from tests.late_listens import FIRST, Story, arrived, as_of, instant, tell

DAYS = 160
STORIES = {
    "5 a day": (Story(5), Story(4, release_weekday=1), Story(6, growth=0.004)),
    "100 a day": (
        Story(100),
        Story(120, spread=0.3, release_weekday=3),
        Story(90, outage=(104 * 24 + 8, 105 * 24 + 10)),
        Story(150, starts=85),
    ),
    "5,000 a day": (
        Story(5000),
        Story(2500, growth=0.006),
        Story(5000, spread=0.25, release_weekday=2, outage=(101 * 24 + 6, 102 * 24 + 9)),
    ),
}
NARROW = {"5 a day": (2.2, 1.0), "100 a day": (0.9, 0.35), "5,000 a day": (0.45, 0.22)}
"""The most that half of the ranges may be wide, as a share of the final number: of today at noon, of yesterday."""


class Judged(NamedTuple):
    """What was said of a day at some time, and whether it came true."""

    age_hours: int
    share: float
    is_provisional: bool
    holds: bool
    width: float
    """Of the range, as a share of the final number."""
    true_share: float


def replay(story: Story, seed: int) -> Iterator[Judged]:
    """Ask at midnight and at noon of 16 days for the three weeks up to then."""
    table = tell(story, seed, DAYS)
    first = max(95, story.starts + 19)
    for today in range(first, first + 16):
        for hour in (0, 12):
            days = range(max(story.starts + 1, today - 21), today + 1)
            yield from judge(table, today, hour, days)


def judge(table: np.ndarray, today: int, hour: int, days: range) -> Iterator[Judged]:
    """One look at the days, and what they came to."""
    counts = arrived(table, today, hour, days)
    for day, said in estimate(as_of(table, today, hour), counts, instant(today, hour)).items():
        assert said is not None
        number = (day - FIRST).days
        final = int(table[number].sum())
        yield Judged(
            (today - number) * 24 + hour,
            said.share,
            said.is_provisional,
            said.low <= final <= said.high,
            (said.high - said.low) / max(final, 1),
            counts[day] / max(final, 1),
        )


@pytest.fixture(scope="module")
def judged() -> dict[str, list[Judged]]:
    """Every look at every show, by the size of the show."""
    return {
        size: [look for number, story in enumerate(stories) for look in replay(story, seed=number)]
        for size, stories in STORIES.items()
    }


def held(looks: list[Judged]) -> float:
    """The share of ranges that contained the final number."""
    return float(np.mean([look.holds for look in looks]))


def test_nine_ranges_of_ten_hold_the_final_number(judged: dict[str, list[Judged]]) -> None:
    provisional = {size: [look for look in looks if look.is_provisional] for size, looks in judged.items()}
    assert min(len(looks) for looks in provisional.values()) > 500
    assert held([look for looks in provisional.values() for look in looks]) >= 0.9
    assert {size: held(looks) for size, looks in provisional.items() if held(looks) < 0.85} == {}
    for first_hour, end_hour in ((0, 1), (1, 24), (24, 48), (48, 96), (96, 500)):
        of_age = [look for looks in provisional.values() for look in looks if first_hour <= look.age_hours < end_hour]
        assert held(of_age) >= 0.85, (first_hour, end_hour)


def test_days_that_are_called_final_are(judged: dict[str, list[Judged]]) -> None:
    final = [look for looks in judged.values() for look in looks if not look.is_provisional]
    assert held(final) >= 0.9
    assert np.quantile([look.true_share for look in judged["5,000 a day"] if not look.is_provisional], 0.05) > 0.98


@pytest.mark.parametrize("size", STORIES)
def test_ranges_say_something(judged: dict[str, list[Judged]], size: str) -> None:
    for (first_hour, end_hour), most in zip(((12, 13), (24, 48)), NARROW[size], strict=True):
        widths = [look.width for look in judged[size] if first_hour <= look.age_hours < end_hour]
        assert np.median(widths) < most


@pytest.mark.parametrize("size", STORIES)
def test_the_stated_share_is_right_on_the_average(judged: dict[str, list[Judged]], size: str) -> None:
    looks = [look for look in judged[size] if look.is_provisional and look.age_hours > 0]
    assert np.mean([look.share - look.true_share for look in looks]) == pytest.approx(0, abs=0.03)


def test_a_show_is_spoken_of_from_its_third_week_on() -> None:
    table = tell(Story(300, starts=60), seed=1, days=100)
    known = []
    for today in range(61, 90):
        counts = arrived(table, today, 12, range(today, today + 1))
        (said,) = estimate(as_of(table, today, 12), counts, instant(today, 12)).values()
        known.append(said is not None)
    assert known == [False] * 16 + [True] * 13


def test_the_same_is_said_from_the_stores_rows(engine: Engine) -> None:
    table = tell(Story(200), seed=3, days=130)
    for today in (100, 117):
        rows = list(as_of(table, today, 12))
        with Session(engine) as session:
            for row in rows:
                session.merge(
                    ShowArrival(
                        show_id=7,
                        day=day_from_number(row.day),
                        lag_hours=row.lag_hours,
                        starts=row.listens,
                        listens=row.listens,
                        heard_seconds=row.listens * 60,
                    )
                )
            session.commit()
            now, counts = instant(today, 12), arrived(table, today, 12, range(today - 21, today + 1))
            found = estimate(list_arrivals(session, 7, now.date()), counts, now)
        assert found == estimate(rows, counts, now)
        holds = [said.low <= table[(day - FIRST).days].sum() <= said.high for day, said in found.items() if said]
        assert len(holds) == 22
        assert np.mean(holds) >= 0.85
