"""Days that are still arriving: which, how much of them is there, and how a page says so. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd

from dashboard import formats
from models.completeness import Completeness
from models.lags import Distribution

COLUMNS = ["day", "share", "expected_listens", "low", "high"]
PLUS_MINUS = "\N{PLUS-MINUS SIGN}"
LOPSIDED = 1.5
"""From this many times the smaller side of a range on, the larger one is not said with a plus-minus sign."""


def frame(found: Mapping[date, Completeness | None]) -> pd.DataFrame:
    """A row for each provisional day; days that are final, and those of which nothing is known, have none."""
    rows = [
        (day, of_day.share, of_day.expected_listens, of_day.low, of_day.high)
        for day, of_day in found.items()
        if of_day is not None and of_day.is_provisional
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def shares_only(rows: pd.DataFrame) -> pd.DataFrame:
    """The same days without numbers: for an episode, whose completeness is its show's."""
    return rows.assign(expected_listens=float("nan"), low=float("nan"), high=float("nan"))


def say(row: Any) -> str:
    """`about 83 % in, expect 12,300 ± 400`, from a row of the frame."""
    arrived = f"about {formats.share(row.share)} in"
    return arrived if pd.isna(row.expected_listens) else f"{arrived}, expect {_expectation(row)}"


def caption(rows: pd.DataFrame, today: date) -> str:
    """What stands above a chart whose hatched columns still grow."""
    if rows.empty:
        return "Days are UTC. Phones that were offline report later, so the last days still grow."
    said = [f"{name} is {say(row)}" for row in rows.itertuples() if (name := _name(row.day, today))]
    known = f" {'; '.join(reversed(said)).capitalize()}." if said else ""
    outline = "" if rows["expected_listens"].isna().all() else " The outline is what is expected, with its range."
    return f"Days are UTC. Hatched days are still arriving: phones that were offline report later.{outline}{known}"


def lag_sentence(lags: Distribution) -> str:
    """How long it takes until a day can be trusted."""
    half, most, nearly_all = (_after(lags.lag_of(share)) for share in (0.5, 0.9, 0.99))
    return f"Half of a day's listens are here {half} after it began, 90 % after {most}, 99 % after {nearly_all}."


def _name(day: date, today: date) -> str:
    return {today: "today", today - timedelta(days=1): "yesterday"}.get(day, "")


def _expectation(row: Any) -> str:
    below, above = row.expected_listens - row.low, row.high - row.expected_listens
    if max(below, above) > LOPSIDED * max(min(below, above), 1):
        return f"{formats.number(row.expected_listens)} ({formats.number(row.low)} to {formats.number(row.high)})"
    step = _step(max(below, above))
    expected = round(row.expected_listens / step) * step
    # Rounded up: a range that is said narrower than it is would promise too much.
    around = -(-max(expected - row.low, row.high - expected) // step) * step
    return f"{formats.number(expected)} {PLUS_MINUS} {formats.number(around)}"


def _step(around: float) -> int:
    """What to round to: the greatest of 1, 5, 10, 50, 100 and so on that goes three times into the range."""
    steps = (digit * 10**zeros for zeros in range(9) for digit in (1, 5))
    return max((step for step in steps if 3 * step <= around), default=1)


def _after(hours: float) -> str:
    return f"{hours:.0f} hours" if hours < 47.5 else f"{hours / 24:.1f} days"
