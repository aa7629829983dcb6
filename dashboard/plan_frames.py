"""Frames of the planner's figures, made of numbers that may be told. Pure."""

from collections.abc import Sequence

import pandas as pd

from dashboard import cells, formats
from dashboard.cells import Reached

FEWER = cells.short(None)
"""In a cell of the matrix, which has no room for the words; they stand under the pointer and in the list."""


def overlap(matrix: Sequence[Sequence[Reached]]) -> pd.DataFrame:
    """A row for each cell: what it says, and the share of the row's devices that the column's show has too."""
    rows = []
    for row, reached in enumerate(matrix):
        for column, shared in enumerate(reached):
            whole = reached[row]
            share = _share(shared, whole)
            text = _number(shared) if row == column else FEWER if share is None else formats.share(share)
            rows.append((row, column, cells.reach(shared), share, text))
    return pd.DataFrame(rows, columns=["row", "column", "shared", "share", "text"])


def increments(adds: Sequence[tuple[str, Reached]]) -> pd.DataFrame:
    """A row for each show that could be added, best first."""
    ordered = sorted(adds, key=lambda row: -(row[1].value or -1))
    frame = pd.DataFrame(
        {"title": [title for title, _ in ordered], "text": [_added(reached) for _, reached in ordered]}
    )
    for name, field in {"adds": "value", "low": "low", "high": "high"}.items():
        frame[name] = pd.array([getattr(reached, field) for _, reached in ordered], dtype="Int64")
    return frame


def pairs(frame: pd.DataFrame, titles: Sequence[str]) -> pd.DataFrame:
    """Each pair of shows once: what they share, with how sure it is."""
    rows = [
        (titles[cell.row], titles[cell.column], cell.shared) for cell in frame.itertuples() if cell.row < cell.column
    ]
    return pd.DataFrame(rows, columns=["one", "other", "shared"])


def _share(shared: Reached, whole: Reached) -> float | None:
    if shared.value is None or whole.value is None:
        return None
    # Both are estimates: of a show that is wholly within another, a little more than all may come out.
    return min(1.0, shared.value / whole.value) if whole.value else 0.0


def _number(reached: Reached) -> str:
    return FEWER if reached.value is None else formats.number(reached.value)


def _added(reached: Reached) -> str:
    if reached.value is None:
        return cells.FEWER
    between = (
        "exact" if reached.is_exact else f"{formats.number(reached.low or 0)} to {formats.number(reached.high or 0)}"
    )
    return f"<b>+{formats.number(reached.value)}</b> ({between})"
