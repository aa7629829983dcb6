"""Forecasts on shows that are made up: does the range hold the truth as often as it says?"""

import re
from datetime import date, timedelta

import numpy as np
import pytest

from models.forecast import (
    LEAST_EPISODES,
    EpisodeHistory,
    Forecast,
    NotEnough,
    forecast_episode,
    forecast_show,
)

TODAY = date(2026, 6, 1)
FIRST = TODAY + timedelta(days=1)
WEEK = np.array([1, 1, 1.05, 1.1, 1, 0.72, 0.7])


def make_show(seed: int, days: int) -> list[EpisodeHistory]:
    """A show of some size, rhythm, growth and steadiness; its episodes are heard much at first, then ever less."""
    rng = np.random.default_rng(seed)
    gap, level = int(rng.choice([1, 3, 7, 7, 7, 14])), 10 ** rng.uniform(1.8, 3.6)
    growth, decay, tail = rng.normal(0.004, 0.008), rng.uniform(2, 9), rng.uniform(0.002, 0.02)
    steadiness = rng.uniform(0.05, 0.35)
    begun, ahead = TODAY - timedelta(days=days), 60
    mood = np.exp(np.cumsum(rng.normal(0, 0.01, days + ahead)) + growth * np.arange(days + ahead) / 7)
    weekdays = WEEK[(begun.weekday() + np.arange(days + ahead)) % 7]
    episodes = []
    for number, released in enumerate(range(-int(rng.integers(0, 60)), days + ahead, gap)):
        first = max(released, 0)
        ages = np.arange(first, days + ahead) - released
        shape = np.exp(-ages / decay) / decay + tail * np.exp(-ages / 120)
        mean = level * np.exp(rng.normal(0, steadiness)) * shape * mood[first:] * weekdays[first:]
        counts = rng.poisson(mean * rng.gamma(30, 1 / 30, len(mean)))
        by_day = {begun + timedelta(days=first + place): int(count) for place, count in enumerate(counts) if count}
        episodes.append(EpisodeHistory(number, begun + timedelta(days=released), by_day))
    return episodes


def known(episodes: list[EpisodeHistory]) -> list[EpisodeHistory]:
    """What of it has happened by today."""
    return [
        episode._replace(by_day={day: count for day, count in episode.by_day.items() if day < TODAY})
        for episode in episodes
        if episode.released < TODAY
    ]


CASES = {
    "four weeks of an ad in a whole show": ("new", 28, 200),
    "a week of an ad in a whole show that is young": ("new", 7, 75),
    "four weeks of all that a show has": ("all", 28, 120),
    "four weeks of one of the last episodes": ("episode", 28, 150),
}


@pytest.mark.parametrize(("kind", "length", "days"), CASES.values(), ids=CASES)
def test_the_range_holds_the_truth_about_eight_times_of_ten(kind: str, length: int, days: int) -> None:
    last, held, asked, widths = FIRST + timedelta(days=length - 1), 0, 0, []
    for seed in range(100):
        episodes = make_show(seed, days)
        past = known(episodes)
        if kind == "episode":
            chosen = past[-1 - seed % 3]
            answer = forecast_episode(past, chosen, FIRST, last, TODAY)
            future = [episode for episode in episodes if episode.episode_id == chosen.episode_id]
        else:
            answer = forecast_show(past, FIRST, last, TODAY, only_new=kind == "new")
            future = [episode for episode in episodes if kind == "all" or FIRST <= episode.released <= last]
        if isinstance(answer, NotEnough):
            continue
        truth = sum(count for e in future for day, count in e.by_day.items() if FIRST <= day <= last)
        asked += 1
        held += answer.low <= truth <= answer.high
        widths.append((answer.high - answer.low) / max(answer.expected, 1))
    print(f"{kind}: {held} of {asked} held, median width {np.median(widths):.2f}")
    assert asked >= 90
    assert held >= 0.75 * asked
    assert np.median(widths) < 1.2, "a range that holds everything says nothing"


def steady(episode_id: int, age: int, listens: int, days: int = 400) -> EpisodeHistory:
    """An episode that is heard as much every day."""
    released = TODAY - timedelta(days=age)
    return EpisodeHistory(episode_id, released, {released + timedelta(days=day): listens for day in range(days)})


def test_a_show_that_is_heard_alike_every_day_goes_on_like_that() -> None:
    answer = forecast_show([steady(1, 120, 100)], FIRST, FIRST + timedelta(days=27), TODAY, only_new=False)
    assert isinstance(answer, Forecast)
    assert answer.expected == pytest.approx(2800)
    assert answer.low < 2800 < answer.high


def test_only_episodes_of_the_span_are_new() -> None:
    weekly = [steady(number, 7 * number + 5, 10) for number in range(1, 30)]
    answer = forecast_show(weekly, FIRST, FIRST + timedelta(days=6), TODAY, only_new=True)
    assert isinstance(answer, Forecast)
    assert answer.expected == pytest.approx(10 * answer_days(weekly), abs=1)


def answer_days(weekly: list[EpisodeHistory]) -> int:
    """Days that a weekly episode has in a week that begins on FIRST's weekday."""
    return 7 - (weekly[0].released.weekday() - FIRST.weekday()) % 7


def test_weeks_without_an_episode_are_part_of_the_range() -> None:
    fortnightly = [steady(number, 14 * number, 10) for number in range(1, 12)]
    answer = forecast_show(fortnightly, FIRST, FIRST + timedelta(days=6), TODAY, only_new=True)
    assert isinstance(answer, Forecast)
    assert answer.low == 0
    assert answer.expected == pytest.approx(5), "ten, or nothing"
    assert 10 < answer.high < 15


def test_an_episode_is_compared_with_others_at_its_age() -> None:
    fading = [
        EpisodeHistory(n, TODAY - timedelta(days=60 + n), {TODAY - timedelta(days=60 + n - age): 1000 >> age // 7
                                                            for age in range(56)})
        for n in range(6)
    ]  # fmt: skip
    own = EpisodeHistory(9, TODAY - timedelta(days=13), {TODAY - timedelta(days=13 - age): 2000 >> age // 7
                                                         for age in range(13)})  # fmt: skip
    answer = forecast_episode([*fading, own], own, FIRST, FIRST + timedelta(days=6), TODAY)
    assert isinstance(answer, Forecast)
    # Twice as much as the others: their third week had 250 a day.
    assert answer.expected == pytest.approx(3500, rel=0.01)
    assert answer.samples == 6


def test_what_has_no_past_has_no_forecast() -> None:
    last = FIRST + timedelta(days=27)
    answer = forecast_show([steady(1, 50, 100)], FIRST, last, TODAY, only_new=False)
    assert isinstance(answer, NotEnough)
    assert "28 days need 62 days of listening, and there are 47; up to 17 days can be forecast" in answer.reason
    assert isinstance(forecast_show([], FIRST, last, TODAY, only_new=True), NotEnough)
    few = [steady(number, 90, 5) for number in range(LEAST_EPISODES)]
    alone = forecast_episode(few, few[0], FIRST, last, TODAY)
    assert isinstance(alone, NotEnough)
    assert "4 other episodes" in alone.reason
    assert isinstance(forecast_episode(few, steady(9, -90, 0), FIRST, last, TODAY), NotEnough)


@pytest.mark.parametrize("day", range(7))
def test_the_advice_for_a_young_show_is_true(day: int) -> None:
    first = FIRST + timedelta(days=day)
    refused = forecast_show([steady(1, 55, 10)], first, first + timedelta(days=27), TODAY, only_new=False)
    assert isinstance(refused, NotEnough)
    need, have, longest = (int(number) for number in re.findall(r"\d+", refused.reason)[1:])
    assert (need, have) == (62, 52)
    for length, is_possible in ((longest, True), (longest + 1, False)):
        answer = forecast_show([steady(1, 55, 10)], first, first + timedelta(days=length - 1), TODAY, only_new=False)
        assert isinstance(answer, Forecast) == is_possible
    enough = forecast_show([steady(1, 65, 10)], first, first + timedelta(days=27), TODAY, only_new=False)
    assert isinstance(enough, Forecast)


def test_the_last_days_are_left_out_since_listening_is_still_on_its_way() -> None:
    late, first = steady(1, 120, 100), TODAY + timedelta(days=7)
    for back in range(1, 4):
        late.by_day[TODAY - timedelta(days=back)] = 0  # type: ignore[index]
    found, wanted = (
        forecast_show([episode], first, first + timedelta(days=6), TODAY, only_new=False)
        for episode in (late, steady(1, 120, 100))
    )
    assert isinstance(found, Forecast)
    assert found == wanted
