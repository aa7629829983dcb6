"""Numbers that may be hidden, and how sure one is: what an advertiser reads instead of a count of few devices. Pure.

In frames a hidden number is absent (`pd.NA`); a number that is nothing is 0.
"""

from typing import Any, NamedTuple

import pandas as pd

from dashboard import formats
from models.privacy_cells import LEAST, Cell

FEWER = f"fewer than {LEAST}"
ROUNDED = (
    f"Counts are told in steps of {LEAST}, rounded down, so that nobody can be found in them; what has not come to "
    f"{LEAST} yet stands as *{FEWER}*."
)
SAMPLED = (
    f"So that nobody can be found in them, these numbers are made from one device of {LEAST}: hence their ranges. What "
    f"may be fewer than {LEAST} devices stands as *{FEWER}*."
)


class Reached(NamedTuple):
    """How many devices, and from where to where it may be; without a value it is hidden."""

    value: int | None
    low: int | None = None
    high: int | None = None
    is_exact: bool = True
    is_rounded: bool = False
    """The range is that of the step in which it is told, and holds always."""


def reached_of(cell: Cell, *, is_rounded: bool = False) -> Reached:
    """A number of devices as it may be told."""
    return Reached(cell.value, cell.low, cell.high, cell.is_exact, is_rounded)


def is_hidden(value: Any) -> bool:
    """Whether a cell of a frame is hidden."""
    return value is None or bool(pd.isna(value))


def number(value: Any) -> str:
    """`1,234`, or that it is too few to tell."""
    return FEWER if is_hidden(value) else formats.number(value)


def short(value: Any) -> str:
    """`1,234`, or `< 50`: for a card, where the words stand below."""
    return f"< {LEAST}" if is_hidden(value) else formats.number(value)


def share(part: Any, whole: Any) -> str:
    """`45 %`; a dash of nothing; too few to tell when either is hidden."""
    if is_hidden(part) or is_hidden(whole):
        return FEWER
    return formats.share(part / whole) if whole else formats.DASH


def certainty(reached: Reached) -> str:
    """What stands beside every number of devices: `exact`, or its range."""
    if is_hidden(reached.value):
        return f"{FEWER}, or nobody yet"
    if reached.is_exact:
        return "exact"
    between = f"{formats.number(reached.low or 0)} to {formats.number(reached.high or 0)}"
    return between if reached.is_rounded else f"{between}, 19 times of 20"


def reach(reached: Reached) -> str:
    """`1,234 (exact)`, `12,300 (12,100 to 12,600, 19 times of 20)`."""
    return FEWER if is_hidden(reached.value) else f"{formats.number(reached.value or 0)} ({certainty(reached)})"


def heights(values: pd.Series) -> list[float]:
    """How high to draw each of them: nothing for a hidden one, which has a mark of its own."""
    return [0.0 if is_hidden(value) else float(value) for value in values]


def hidden_places(values: pd.Series) -> list[int]:
    """The rows whose number is hidden."""
    return [place for place, value in enumerate(values) if is_hidden(value)]
