"""How much an ad will be heard, from the show's own history: pure functions of counts by episode and day.

The method is plain on purpose, and stated in docs/advertising.md: what the same placement would have brought in past
spans of the same length, beginning on the same weekday, of late and with half of their trend. The range is as wide as
the same rule was wrong in the past.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.privacy_cells import LEAST, whole

HISTORY_DAYS = 400
"""How far back a forecast looks."""
LEVEL = 0.8
"""How often the truth is to lie in the range."""
SETTLING_DAYS = 3
"""Days before today that are left out: part of their listening is still on its way."""
LEAST_SPANS = 5
"""Past spans of the same length that a forecast needs; each begins a week after the one before."""
MOST_SPANS = 30
RECENT_SPANS = 4
"""Those whose median is the level."""
MOST_TREND = 0.03
"""Change from week to week, as a logarithm, that is believed at most; half of it is carried on."""
USUAL_ERROR = 0.16
"""What a forecast is wrong by (as a logarithm) when the show's own past says little about it."""
USUAL_WEIGHT = 3.0
"""How many errors of its own that is worth."""
LEAST_EPISODES = 4
"""Other episodes, old enough, that the forecast of one is made from."""
MOST_EPISODES = 20
PAST_DAYS = 28
"""Days before the span by which an episode is compared with others."""

Counts = npt.NDArray[np.float64]


class EpisodeHistory(NamedTuple):
    """One episode's counts."""

    episode_id: int
    released: date
    """UTC day."""
    by_day: Mapping[date, int]


class Forecast(NamedTuple):
    """What is expected, and between what it will lie eight times of ten."""

    expected: float
    low: float
    high: float
    samples: int
    """Past spans, or other episodes, that it is made from."""

    def scaled(self, factor: float) -> "Forecast":
        """The same of a part of it."""
        return self._replace(expected=self.expected * factor, low=self.low * factor, high=self.high * factor)


@dataclass(frozen=True, slots=True)
class NotEnough:
    """Why there is no forecast yet."""

    reason: str

    def scaled(self, _factor: float) -> "NotEnough":
        """A part of nothing is no more."""
        return self


Answer = Forecast | NotEnough


class Told(NamedTuple):
    """A forecast in whole numbers."""

    expected: int
    low: int
    high: int
    samples: int


def tell(answer: Answer, *, hides_few: bool) -> Told | NotEnough:
    """The forecast as it is shown; `hides_few`: in whole fifties, for whom small numbers are not."""
    if isinstance(answer, NotEnough):
        return answer
    told = Told(round(answer.expected), math.floor(answer.low), math.ceil(answer.high), answer.samples)
    if not hides_few:
        return told
    if told.expected < LEAST:
        return NotEnough(f"Fewer than {LEAST} are expected; so few are not shown.")
    return told._replace(expected=whole(told.expected), low=whole(told.low), high=whole(told.high) + LEAST)


# -- a show ----------------------------------------------------------------------------------------------------------


def forecast_show(
    episodes: Sequence[EpisodeHistory], first: date, last: date, today: date, *, only_new: bool
) -> Answer:
    """All that is heard of a show from `first` to `last`; `only_new`: of episodes released within that span only, as an
    ad in the whole show gets it."""
    begun = min((episode.released for episode in episodes), default=today)
    known_from = min((day for episode in episodes for day in episode.by_day), default=today)
    known_from = max(known_from, begun)
    end = today - timedelta(days=SETTLING_DAYS)
    length = (last - first).days + 1
    # One row for each episode, one column for each day that is known.
    table = _table(episodes, known_from, end)
    releases = np.array([(episode.released - known_from).days for episode in episodes])

    def value(start: int) -> float:
        span = table[:, start : start + length]
        if only_new:
            span = span[(releases >= start) & (releases < start + length)]
        return float(span.sum())

    ahead = (first - known_from).days
    starts = _starts(ahead, table.shape[1] - length)
    if len(starts) < LEAST_SPANS:
        return _too_short(table.shape[1], length, ahead)
    return _from_spans(value, starts, ahead, length)


def _too_short(known: int, length: int, ahead: int) -> NotEnough:
    """What to do about a history of `known` days only."""
    between = 7 * (LEAST_SPANS - 1)
    longest = known - between - ahead % 7
    hint = f"; up to {longest} days can be forecast" if longest >= 1 else ""
    # The first day that is known may be of the wrong weekday: with six more there is a right one.
    need = length + between + 6
    return NotEnough(
        f"Not enough history yet: {length} days need {need} days of listening, and there are {known}{hint}."
    )


def _table(episodes: Sequence[EpisodeHistory], first: date, end: date) -> Counts:
    days = max(0, (end - first).days)
    table = np.zeros((len(episodes), days))
    for row, episode in enumerate(episodes):
        for day, count in episode.by_day.items():
            place = (day - first).days
            if 0 <= place < days:
                table[row, place] = count
    return table


def _starts(ahead: int, last: int) -> list[int]:
    """Where past spans begin: on the weekday of the one that is forecast, oldest first."""
    if last < 0:
        return []
    return sorted(range(last - (last - ahead) % 7, -1, -7)[:MOST_SPANS])


def _from_spans(value: Callable[[int], float], starts: Sequence[int], ahead: int, length: int) -> Forecast:
    places = np.array(starts, dtype=np.float64)
    values = np.array([value(start) for start in starts])
    if not values.all():
        return _from_rare(values)
    logs = np.log1p(values)
    expected = _extrapolate(places, logs, ahead)
    # Backtest: each past span from those that were over before it began, as far ahead as now.
    errors = []
    for place, actual in zip(places, logs, strict=True):
        known = places <= place - max(length, ahead - places[-1])
        if known.sum() >= RECENT_SPANS:
            errors.append(actual - _extrapolate(places[known], logs[known], place))
    independent = len(errors) * min(1.0, 7 / length)
    return _forecast(expected, np.array(errors), independent, len(starts))


def _from_rare(values: Counts) -> Forecast:
    """Some spans had nothing, as half the weeks of a show that comes every other week: between the extremes of late."""
    recent = values[-2 * RECENT_SPANS :]
    mean = float(recent.mean())
    spread = np.exp(1.2816 * USUAL_ERROR)
    return Forecast(mean, float(np.quantile(recent, 0.1) / spread), float(recent.max() * spread), len(values))


def _extrapolate(places: Counts, logs: Counts, ahead: float) -> float:
    """The recent level, with half of the trend carried on from there."""
    recent = places[-RECENT_SPANS:]
    weeks = (ahead - float(recent.mean())) / 7
    return float(np.median(logs[-RECENT_SPANS:])) + weeks * _trend(places, logs) / 2


def _trend(places: Counts, logs: Counts) -> float:
    """The median slope between any two spans (Theil and Sen), per week; a few odd weeks do not move it."""
    later, earlier = np.triu_indices(len(places), 1)[::-1]
    slopes = (logs[later] - logs[earlier]) / (places[later] - places[earlier]) * 7
    return float(np.clip(np.median(slopes), -MOST_TREND, MOST_TREND)) if len(slopes) else 0.0


# -- an episode ------------------------------------------------------------------------------------------------------


def forecast_episode(
    episodes: Sequence[EpisodeHistory], episode: EpisodeHistory, first: date, last: date, today: date
) -> Answer:
    """What is heard of one episode from `first` to `last`: what others were heard at the same age, beside what they and
    it were heard before."""
    end = today - timedelta(days=SETTLING_DAYS)
    age, length = (first - episode.released).days, (last - first).days + 1
    if age < 0:
        age, length = 0, (last - episode.released).days + 1
    if length < 1:
        return NotEnough("The episode is not out by then.")
    own_age = min(age, max(0, (end - episode.released).days))
    past = min(own_age, PAST_DAYS)
    others = [
        other
        for other in sorted(episodes, key=lambda other: other.released, reverse=True)
        if other.episode_id != episode.episode_id and (end - other.released).days >= age + length
    ][:MOST_EPISODES]
    if len(others) < LEAST_EPISODES:
        return NotEnough(
            f"Not enough history yet: {LEAST_EPISODES} other episodes of the show must have been out for "
            f"{age + length} days, and {len(others)} have."
        )
    before = [_between(other, own_age - past, own_age) for other in others]
    after = [_between(other, age, age + length) for other in others]
    own = _between(episode, own_age - past, own_age)
    logs = np.log1p(after) - (np.log1p(before) if past else 0.0)
    expected = float(np.median(logs)) + (float(np.log1p(own)) if past else 0.0)
    return _forecast(expected, logs - np.median(logs), float(len(others)), len(others))


def _between(episode: EpisodeHistory, first_age: int, end_age: int) -> int:
    return sum(episode.by_day.get(episode.released + timedelta(days=age), 0) for age in range(first_age, end_age))


# -- the range -------------------------------------------------------------------------------------------------------


def _forecast(log_expected: float, errors: Counts, independent: float, samples: int) -> Forecast:
    """Expected value and range, from how wrong the rule was before."""
    # Single wild errors count as large ones, not as what they are.
    squares = np.minimum(errors**2, (3 * USUAL_ERROR) ** 2 + 9 * np.median(errors**2)) if len(errors) else errors
    mean_square = float(squares.mean()) if len(errors) else 0.0
    expected = float(np.expm1(log_expected))
    variance = (USUAL_WEIGHT * USUAL_ERROR**2 + independent * mean_square) / (USUAL_WEIGHT + independent)
    # Even a rule that is never wrong does not know who will listen.
    spread = 1.2816 * np.sqrt(variance * (1 + 1 / (USUAL_WEIGHT + independent)) + 1 / max(expected, 1.0))
    low, high = np.expm1(log_expected - spread), np.expm1(log_expected + spread)
    return Forecast(max(0.0, expected), max(0.0, float(low)), float(high), samples)
