"""Shares as people add them up, and lists cut to what a card has room for. Pure."""

from collections.abc import Sequence

import pandas as pd

from dashboard import formats

TENTHS = 1000
"""Of a per cent in a whole."""


def percentages(counts: Sequence[int]) -> list[float]:
    """Each count's share in per cent, to one decimal, so that together they are exactly 100 (the largest remainders are
    rounded up); nothing for nothing."""
    total = sum(counts)
    if not total:
        return [0.0] * len(counts)
    tenths = [count * TENTHS // total for count in counts]
    rests = sorted(range(len(counts)), key=lambda place: -(counts[place] * TENTHS % total))
    for place in rests[: TENTHS - sum(tenths)]:
        tenths[place] += 1
    return [tenth / 10 for tenth in tenths]


def said(counts: Sequence[int]) -> list[str]:
    """Each count's share of all; what is there is never said to be nothing."""
    total = max(1, sum(counts))
    return ["< 1 %" if 0 < count / total < 0.005 else formats.share(count / total) for count in counts]


def top(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """The first rows of `name` and `downloads`, with all others as one, so that nothing is missing from the sum."""
    if len(frame) <= most:
        return frame
    rest = frame.iloc[most - 1 :]
    other = pd.DataFrame([(f"{len(rest)} others", rest["downloads"].sum())], columns=list(frame.columns))
    return pd.concat([frame.iloc[: most - 1], other], ignore_index=True)
