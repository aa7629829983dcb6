"""Places in a recording and dates, as people type and read them. Pure."""

import re
from datetime import date

from dashboard import formats

_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{2})(?:\.(\d{1,3}))?")


def said(milliseconds: int) -> str:
    """`1:05`, `1:02:03`, `0:30.5`."""
    seconds, rest = divmod(milliseconds, 1000)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    clock = f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"
    return f"{clock}.{rest:03}".rstrip("0") if rest else clock


def try_parse(text: str) -> int | None:
    """Milliseconds of `12:30`, `1:02:03` or `0:30.5`; None for anything else."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds, fraction = found.groups()
    # Past an hour, minutes are those of a clock; without one, 90:00 is an hour and a half.
    if int(seconds) > 59 or (hours is not None and int(minutes) > 59):
        return None
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))


def span(start_ms: int, end_ms: int) -> str:
    """`12:30 to 13:00`."""
    return f"{said(start_ms)} to {said(end_ms)}"


def days(first: date, last: date) -> str:
    """`3 to 30 Nov 2026`, `28 Nov to 4 Dec 2026`, `30 Dec 2026 to 2 Jan 2027`; one day is named once."""
    if first == last:
        return formats.day(last)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {formats.day(last)}"
    return (
        f"{first.day} {first:%b} to {formats.day(last)}"
        if first.year == last.year
        else (f"{formats.day(first)} to {formats.day(last)}")
    )
