"""Days on which a show's downloads are not like those of the weeks before."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from statistics import median

from models.periods import Period
from models.queries.audit import ShowDay

HISTORY_DAYS = 28
"""A day is compared with so many before it; whole weeks, so that no weekday has more weight."""
MIN_HISTORY_DAYS = 14
"""Since the show's first download; with fewer days of it, nothing is said of a day."""
MAX_SCORE = 3.5
"""Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993): beyond it, a modified z-score is an outlier."""
DEVIATIONS = 1.4826
"""Median absolute deviations in a standard deviation of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A day that stands out."""

    show: str
    day: date
    downloads: int
    usual: float
    """The median of the days before."""
    score: float
    """Standard deviations, measured robustly; below 0: a drop."""
    is_release: bool
    """Whether an episode came out on that day or the day before."""


def score(history: list[int], downloads: int) -> float:
    """The modified z-score of a day against those before it.

    The spread is the median absolute deviation. A count of n scatters by the root of n from chance alone, so the spread
    is at least that: otherwise a show with the same three downloads every day would stand out with its fifth.
    """
    usual = median(history)
    spread = DEVIATIONS * median(abs(n - usual) for n in history)
    return (downloads - usual) / max(spread, sqrt(usual), 1.0)


def find(rows: Iterable[ShowDay], released: Set[tuple[int, date]], period: Period) -> list[Anomaly]:
    """The days of the period that stand out, the most striking first. `rows` reach back `HISTORY_DAYS` before it; a day
    without a row had no downloads."""
    shows: dict[int, dict[date, int]] = {}
    titles: dict[int, str] = {}
    for row in rows:
        titles[row.show_id] = row.title
        shows.setdefault(row.show_id, {})[row.day] = row.downloads
    found = [
        Anomaly(titles[show_id], day, downloads, usual, found_score, bool(_eves(show_id, day) & released))
        for show_id, days in shows.items()
        for day, downloads, usual, found_score in _of_show(days, period)
    ]
    return sorted(found, key=lambda anomaly: (-abs(anomaly.score), anomaly.day, anomaly.show))


def _of_show(days: Mapping[date, int], period: Period) -> Iterable[tuple[date, int, float, float]]:
    begin = min(days)
    for day in period.each_day():
        before = [day - timedelta(days=n) for n in range(1, HISTORY_DAYS + 1)]
        history = [days.get(earlier, 0) for earlier in before if earlier >= begin]
        if len(history) < MIN_HISTORY_DAYS:
            continue
        downloads = days.get(day, 0)
        found_score = score(history, downloads)
        if abs(found_score) > MAX_SCORE:
            yield day, downloads, median(history), found_score


def _eves(show_id: int, day: date) -> set[tuple[int, date]]:
    return {(show_id, day), (show_id, day - timedelta(days=1))}
