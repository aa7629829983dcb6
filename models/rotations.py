"""When the key of the consumers' numbers changes, and what of the time before can be compared with the time after."""

from typing import Any

ROTATION_DAYS = 90
"""A key serves for so many UTC days; it changes at midnight, so a calendar window is never cut by it."""
OVERLAP_DAYS = 29
"""For so many days after a rotation the earlier key's number is kept too: unique consumers of up to 30 days are then
counted exactly across it."""


def rotation_of(day: Any) -> Any:
    """Which key serves on a UTC day, given as days since 1970-01-01; of an int, or of a NumPy array of them."""
    return day // ROTATION_DAYS


def has_earlier(day: Any) -> Any:
    """Whether the earlier key's number is kept on that day too."""
    return day % ROTATION_DAYS < OVERLAP_DAYS


def key_days(first: int, last: int) -> tuple[range, range]:
    """The days from `first` to `last`, both included, in two stretches whose numbers can be compared with each other:
    those to take under the day's own key, and those to take under the key before it. At most `OVERLAP_DAYS` + 1 days.
    """
    if last - first > OVERLAP_DAYS:
        raise ValueError(f"consumers of {last - first + 1} days were asked for; {OVERLAP_DAYS + 1} can be compared")
    border = rotation_of(last) * ROTATION_DAYS
    if first >= border:
        return range(first, last + 1), range(0)
    return range(first, border), range(border, last + 1)
