"""What a campaign's page shows, as frames. An advertiser's are what is left after hiding."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from dashboard.cells import Reached


class Totals(NamedTuple):
    """Over all days; absent where hidden."""

    delivered: Any
    confirmed: Any
    offline: Any


@dataclass(frozen=True, slots=True)
class Report:
    """All of it."""

    totals: Totals
    days: pd.DataFrame
    """day, delivered, confirmed, offline."""
    quartiles: pd.DataFrame
    """name, impressions, share, confirms."""
    episodes: pd.DataFrame
    """title, show, delivered, confirmed, offline, started, heard_100."""
    splits: dict[str, pd.DataFrame]
    """Title -> name, delivered, share."""
    reached: Reached
    curve: pd.DataFrame
    """day, reach, low, high, is_exact."""
    frequency: pd.DataFrame
    """name, devices, share."""
    has_hidden: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted."""
        return self.days.empty
