"""Numbers, days and durations as people read them."""

import math
import re
from datetime import date, datetime

from models.metrics import Metric

SECONDS_PER_HOUR = 3600
TIMES = "\N{MULTIPLICATION SIGN}"
MULTIPLE = 10
"""From this many times the period before on, growth is told as a multiple."""
_MARKUP = re.compile(r"[!-/:-@\[-`{-~]")
"""ASCII punctuation: what CommonMark allows a backslash before."""
DASH = "\N{EN DASH}"
"""Stands for what cannot be said, a share of nothing for example."""


def number(value: float) -> str:
    """`1,234`."""
    return f"{value:,.0f}"


def hours(seconds: float) -> str:
    """`0.4 h`, `37 h`, `1,234 h`, `12.3 k h`."""
    value = seconds / SECONDS_PER_HOUR
    if value < 9.95:
        return f"{value:.1f} h"
    return f"{value:,.0f} h" if value < 9_999.5 else f"{value / 1000:,.1f} k h"


def size(value: float) -> str:
    """`812 B`, `9.6 MB`, `120 GB`; a kilobyte is 1,000 bytes."""
    unit, *greater = ("B", "kB", "MB", "GB", "TB", "PB")
    while value >= 999.5 and greater:
        value, unit, greater = value / 1000, greater[0], greater[1:]
    return f"{value:.1f} {unit}" if value < 9.95 and unit != "B" else f"{value:,.0f} {unit}"


def share(value: float) -> str:
    """`45 %`; a dash when there was nothing to take a share of."""
    return DASH if math.isnan(value) else f"{value * 100:.0f} %"


def value(metric: Metric, amount: float) -> str:
    """An amount of a metric, in the unit a reader expects."""
    if metric.unit == "share":
        return share(amount)
    if metric.unit == "bytes":
        return size(amount)
    return hours(amount) if metric.unit == "seconds" else number(amount)


def change(metric: Metric, now: float, before: float) -> str:
    """`+12 %` for amounts, a multiple for much growth, `-3.1 pp` (percentage points) for shares; empty when there is
    nothing to compare with."""
    if metric.unit == "share":
        return "" if math.isnan(now) or math.isnan(before) else f"{(now - before) * 100:+.1f} pp"
    if not before:
        return ""
    # Against next to nothing a percentage is noise with many digits.
    return f"{TIMES} {now / before:,.0f}" if now >= MULTIPLE * before else f"{(now - before) / before * 100:+,.0f} %"


def plain(text: str) -> str:
    """Text that Markdown leaves as it is: titles are text, whatever characters are in them."""
    return _MARKUP.sub(r"\\\g<0>", text)


def is_flat(text: str) -> bool:
    """Whether a change rounds to nothing."""
    return not any(digit in text for digit in "123456789")


def day(value: date) -> str:
    """`3 Nov 2026`."""
    return f"{value.day} {value:%b %Y}"


def ago(elapsed_ms: int) -> str:
    """`just now`, `3 s ago`, `12 min ago`, `5 h ago`."""
    seconds = max(0, elapsed_ms) // 1000
    if seconds < 1:
        return "just now"
    if seconds < 60:
        return f"{seconds} s ago"
    return f"{seconds // 60} min ago" if seconds < SECONDS_PER_HOUR else f"{seconds // SECONDS_PER_HOUR} h ago"


def duration(milliseconds: int) -> str:
    """`42 min`, `3 min`, `35 s`."""
    seconds = milliseconds // 1000
    return f"{seconds} s" if seconds < 60 else f"{round(seconds / 60)} min"


def publication(published_at: datetime | None, now: datetime) -> str:
    """`Draft`, `Published 3 Nov 2026`, or when it will be."""
    if published_at is None:
        return "Draft"
    when = day(published_at.date())
    return f"Published {when}" if published_at <= now else f"To be published {when}, {published_at:%H:%M} UTC"


def shorten(title: str, letters: int) -> str:
    """The title, cut at a word when it is longer than so many letters."""
    if len(title) <= letters:
        return title
    head = title[: letters - 1]
    return head.rsplit(" ", 1)[0].rstrip(f" ,.;:-{DASH}") + "…"
