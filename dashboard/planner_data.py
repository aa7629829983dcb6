"""What the planner asks of the store: reach, overlap and forecast of shows."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from dashboard import campaign_data
from dashboard.cells import Reached
from models.tables import User

TOO_LITTLE_HISTORY = (
    "Not enough history yet: a forecast needs some weeks in which these shows were listened to. It comes by itself."
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Chosen shows over some days."""

    shows: tuple[int, ...]
    titles: list[str]
    each: list[Reached]
    together: Reached
    overlap: pd.DataFrame
    """row, column, shared, share, text; by places in `titles`."""
    increments: pd.DataFrame
    """title, adds, low, high, text; best first."""
    has_hidden: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """Listens to come."""

    expected: int
    range: str
    caption: str
    history: pd.DataFrame
    days: pd.DataFrame


def shows() -> dict[int, str]:
    """Shows that can be planned with, by their small keys."""
    return {show.id: show.title for show in campaign_data.catalogue()}


def listed(plan: Plan) -> pd.DataFrame:
    """Each pair of shows once: what they share."""
    rows = [
        (plan.titles[cell.row], plan.titles[cell.column], cell.shared)
        for cell in plan.overlap.itertuples()
        if cell.row < cell.column
    ]
    return pd.DataFrame(rows, columns=["one", "other", "shared"])


def plan(user: User, wanted: tuple[int, ...], first: date, last: date) -> Plan:
    """All that the planner shows of these shows."""
    raise NotImplementedError


def forecast(wanted: tuple[int, ...], first: date, last: date) -> Forecast | None:
    """What is expected of these shows from day to day; None without enough history."""
    raise NotImplementedError
