"""How much of a day has arrived, and what it will come to. Pure: counts in, numbers out.

The method, what it takes for granted and how often its ranges held are in docs/metrics.md, section "completeness".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from models.columns import day_number
from models.lags import EDGES, MIN_REFERENCES, Arrival, Flags, Floats, Watched, age_hours, develop, watch

FINAL_SHARE = 0.99
"""From here on a day is not provisional any more."""

FINAL_HOURS = 92 * 24
"""Older days are final: an event that happened more than 90 days before its receipt is not counted."""

LEAST_MATURITY = 0.5
"""Days of which less has arrived are no reference: what they will come to is a guess itself."""

RECENT_DAYS = 14
"""Days before a day that tell how much it usually brings."""

LEAST_LEVEL = 0.05
"""Listens a day that even the quietest show is thought to bring."""

VARIATION = (0.15**2, 4.0)
"""Least and most squared coefficient of variation of what a day brings, around what is usual."""

LEAST_SHARE, MOST_SHARE = 1e-4, 1 - 1e-6
"""Of a day that has arrived; not 0 or 1, because there is always something that was never seen yet."""

OUTLIER_DISTANCES = 4.0
"""Times the median distance from the mean beyond which a reference day's share counts as if it were there: one day
without a network must not widen every range for eight weeks."""

TAILS = (0.025, 0.975)
"""What may be below and above a range: it should hold 19 times of 20."""

DRAWS = 2000
"""How often the rest of a day is played out."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """What is known of the number of listens that a day will have come to."""

    share: float
    """Share of the final listens that is expected to have arrived by now."""
    expected_listens: int
    low: int
    """The final number is expected from `low` to `high`, 19 times of 20; never below what has arrived."""
    high: int

    @property
    def is_provisional(self) -> bool:
        """Whether more than a hundredth is still expected."""
        return self.share < FINAL_SHARE


def estimate(
    arrivals: Iterable[Arrival], listens: Mapping[date, int], now: datetime
) -> dict[date, Completeness | None]:
    """The completeness of each day in `listens`, of which so many have arrived; None where it cannot be said.

    `arrivals` are those of the show in the last `REFERENCE_DAYS` and the day before them; more do no harm.
    """
    watched = watch(arrivals, now)
    reference = _Reference.of(watched) if watched.is_enough else None
    return {day: _estimate_day(reference, day_number(day), max(count, 0), now) for day, count in listens.items()}


@dataclass(frozen=True, slots=True)
class _Reference:
    """The days that others are compared with."""

    watched: Watched
    curve: Floats
    maturity: Floats
    """Share of each day that has arrived, by the curve."""
    finals: Floats
    """What each day will have come to, by the curve."""
    is_known: Flags
    """Which of these are good enough."""
    level: "_Level"

    @classmethod
    def of(cls, watched: Watched) -> "_Reference":
        curve = develop(watched)
        maturity = np.interp(watched.ages, EDGES, curve)
        is_known = maturity >= LEAST_MATURITY
        finals = watched.arrived / np.maximum(maturity, LEAST_MATURITY)
        return cls(watched, curve, maturity, finals, is_known, _Level.of(watched.numbers, finals, is_known, maturity))


def _estimate_day(reference: _Reference | None, number: int, listens: int, now: datetime) -> Completeness | None:
    age = age_hours(number, now)
    if age >= FINAL_HOURS:
        return Completeness(1.0, listens, listens, listens)
    if reference is None or age < 0:
        return None
    arrived = _arrived_share(reference, number, age)
    return _play_out(listens, arrived, reference.level.usual(number), reference.level.variation)


# -- how much has arrived ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Share:
    """The share of a day that has arrived, as a distribution."""

    mean: float
    variance: float


def _arrived_share(reference: _Reference, number: int, age: float) -> _Share:
    """From what had arrived of other days at this age."""
    watched = reference.watched
    used = watched.is_older(age) & reference.is_known & (watched.numbers != number) & (reference.finals > 0)
    if used.sum() < MIN_REFERENCES:
        # Nearly as old as all that is known. What little is left by the curve is as uncertain as it is large.
        mean = min(float(np.interp(age, EDGES, reference.curve)), MOST_SHARE)
        return _Share(mean, (1 - mean) ** 2)
    finals = reference.finals[used]
    arrived = np.minimum(watched.at(age)[used], finals)
    is_same_weekday = (watched.numbers[used] - number) % 7 == 0
    others = _other_weekdays_weight(arrived, finals, is_same_weekday)
    weights = np.where(is_same_weekday, 1.0, others) * reference.maturity[used]
    mean = float(np.clip((weights * arrived).sum() / (weights * finals).sum(), LEAST_SHARE, MOST_SHARE))
    return _Share(mean, _variance(mean, arrived / finals, finals, weights))


def _other_weekdays_weight(arrived: Floats, finals: Floats, is_same: Flags) -> float:
    """With few listens chance hides what is particular to a weekday, so all days serve; with many it shows.

    The more so, the further apart the two are, measured by how sure the weekday's own share is.
    """
    weight = max(0.1, 20 / (20 + float(finals.mean())))
    days = int(is_same.sum())
    if days < 3 or days == len(is_same):
        return weight
    own, other = (float(arrived[group].sum() / finals[group].sum()) for group in (is_same, ~is_same))
    distances = arrived / finals - np.where(is_same, own, other)
    unsure = float((finals * distances**2).sum() / finals.sum()) / days
    return weight * unsure / (unsure + (own - other) ** 2) if own != other else weight


def _variance(mean: float, shares: Floats, finals: Floats, weights: Floats) -> float:
    """How far the share of one more day is from the mean: what days differ by, beyond the chance of their counts."""
    weights_of_listens = weights * finals
    total = weights_of_listens.sum()
    distances = np.abs(shares - mean)
    ranked = np.argsort(distances)
    middle = int(np.searchsorted(weights_of_listens[ranked].cumsum(), total / 2))
    distances = np.minimum(distances, OUTLIER_DISTANCES * float(distances[ranked][middle]))
    days = weights.sum() ** 2 / (weights**2).sum()
    by_chance = mean * (1 - mean) / finals
    spread = (weights_of_listens * (distances**2 * days / max(days - 1, 1) - by_chance)).sum() / total
    # Days that agree by luck do not make the next one certain.
    spread = max(float(spread), (0.05 * mean * (1 - mean)) ** 2)
    # Eight weekdays are few: the mean itself is uncertain, and the spread more so (Student's t has such tails).
    return float(spread * (1 + 1 / days) * (1 + 4 / max(days - 2, 2)) + mean * (1 - mean) / total)


# -- how much a day usually brings ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Level:
    """What a day brings: the last days' mean, times its weekday's factor."""

    first: int
    """The first watched day."""
    factors: Floats
    """By day number modulo 7."""
    even: Floats
    """Each day's listens without its weekday's factor; NaN where not known."""
    mean: float
    variation: float
    """Squared coefficient of variation of days around what was usual."""

    @classmethod
    def of(cls, numbers: NDArray[np.int64], finals: Floats, is_known: Flags, maturity: Floats) -> "_Level":
        mean = max(float(finals[is_known].mean()), LEAST_LEVEL)
        weekdays = numbers % 7
        of_weekday = [finals[is_known & (weekdays == weekday)] for weekday in range(7)]
        # One average day more in each keeps a weekday that was seen twice from standing out by chance.
        factors = np.array([(days.sum() + mean) / ((len(days) + 1) * mean) for days in of_weekday])
        even = np.where(is_known, finals / factors[weekdays], np.nan)
        level = cls(int(numbers[0]), factors, even, mean, VARIATION[1])
        is_judged = is_known & (maturity >= 0.9) & (np.arange(len(numbers)) >= RECENT_DAYS // 2)
        variation = _variation(finals[is_judged], np.array([level.usual(int(n)) for n in numbers[is_judged]]))
        return cls(level.first, factors, even, mean, variation)

    def usual(self, number: int) -> float:
        """What the days before this one let expect of it."""
        place = max(number - self.first, 0)
        recent = self.even[max(place - RECENT_DAYS, 0) : place]
        recent = recent[~np.isnan(recent)]
        level = float(recent.mean()) if len(recent) >= 3 else self.mean
        return max(level * float(self.factors[number % 7]), LEAST_LEVEL)


def _variation(finals: Floats, usual: Floats) -> float:
    """How far days were from what was usual, beyond the chance of their counts; squared, relative to the level."""
    if len(finals) < 3:
        return VARIATION[1]
    squares = ((finals - usual) ** 2).sum() - usual.sum()
    # A level that is a mean of some days is uncertain itself, and few days tell little of how far others may be.
    few = 1.2 + 4 / len(finals)
    return float(np.clip(squares / (usual**2).sum() * few, *VARIATION))


# -- both together -------------------------------------------------------------------------------------------------


def _play_out(listens: int, arrived: _Share, usual: float, variation: float) -> Completeness:
    """Bayes by weighted draws: the level has a gamma distribution around `usual`, the share a beta distribution, and
    both what has arrived and what is left are Poisson counts. Draws in which `listens` are likely weigh more."""
    # Always the same draws: the same day asked twice has the same answer.
    random = np.random.default_rng(1)
    strength = max(arrived.mean * (1 - arrived.mean) / arrived.variance - 1, 0.5)
    share = random.beta(arrived.mean * strength, (1 - arrived.mean) * strength, DRAWS)
    share = np.clip(share, 1e-6, 1 - 1e-9)
    shape, rate = 1 / variation + listens, 1 / (variation * usual) + share
    likelihood = listens * np.log(share) - shape * np.log(rate)
    weights = np.exp(likelihood - likelihood.max())
    weights /= weights.sum()
    level = shape / rate
    rest = random.poisson(random.gamma(shape, 1 / rate) * (1 - share))
    ranked = np.argsort(rest)
    ends = np.searchsorted(weights[ranked].cumsum(), TAILS).clip(max=DRAWS - 1)
    low, high = (int(count) for count in rest[ranked][ends])
    expected = listens + float((weights * level * (1 - share)).sum())
    return Completeness(
        share=float((weights * level * share).sum() / (weights * level).sum()),
        expected_listens=int(np.clip(round(expected), listens + low, listens + high)),
        low=listens + low,
        high=listens + high,
    )
