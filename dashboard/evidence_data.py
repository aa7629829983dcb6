"""What an admin looks at before approving a statement: what was kept back of its month, and what may still come."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import pandas as pd
import streamlit as st

from dashboard import clock, data, store
from dashboard.statement_data import Detail
from models import completeness
from models.downloads import DOWNLOAD
from models.periods import Period
from models.queries import downloads, payable, stats
from models.queries.arrivals import list_arrivals
from models.queries.downloads import Of
from models.queries.payable import LISTENS, Scope
from models.statements import last_day


class HeldBy(NamedTuple):
    """What a rule keeps back of a statement's episodes in its month, or refuses for good."""

    rule: str
    state: str
    """`open` or `void`."""
    listens: int
    impressions: int
    """Of the kind that their campaigns pay for."""


class Completeness(NamedTuple):
    """How much of a month's listens is thought to have arrived, over the creator's shows."""

    arrived: int
    expected: int
    low: int
    high: int
    unknown: int
    """Arrived ones of days of which it cannot be said how many will have come."""

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.arrived / self.expected if self.expected else 1.0


class Evidence(NamedTuple):
    """All of it."""

    held: list[HeldBy]
    hits: list[tuple[str, int]]
    """What became of the month's requests for audio of these shows: outcome, hits; downloads first."""
    completeness: Completeness


def evidence(detail: Detail) -> Evidence:
    """Of the creator's shows and the statement's month, as it stands now."""
    shows = sorted({line.episode.show_id for line in detail.lines})
    pairs = sorted({(line.line.episode_id, line.line.campaign_id) for line in detail.lines})
    return _evidence(detail.statement.creator_id, detail.statement.month, tuple(shows), tuple(pairs))


@st.cache_data(ttl=data.CACHE_SECONDS, max_entries=200, show_spinner=False)
def _evidence(creator_id: int, month: date, shows: tuple[int, ...], pairs: tuple[tuple[int, int], ...]) -> Evidence:
    last = last_day(month)
    with store.read() as session:
        sums = payable.list_held_sums(session.connection(), Scope(first=month, last=last, creator_id=creator_id))
        hits: dict[str, int] = defaultdict(int)
        for show_id in shows:
            for row in downloads.list_outcomes(session, Of(show_id), Period(month, last)):
                hits[row.outcome] += row.hits
    return Evidence(
        _held_by(sums, set(pairs)),
        sorted(hits.items(), key=lambda item: (item[0] != DOWNLOAD, -item[1])),
        _complete(shows, Period(month, last)),
    )


def _held_by(sums: list[payable.HeldSum], pairs: set[tuple[int, int]]) -> list[HeldBy]:
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in sums:
        if (row.episode_id, row.campaign_id) in pairs:
            found[row.rule, row.state][row.campaign_id != LISTENS] += row.number
    return [HeldBy(rule, state, *numbers) for (rule, state), numbers in sorted(found.items())]


def _complete(shows: tuple[int, ...], period: Period) -> Completeness:
    arrived = expected = low = high = unknown = 0
    for show_id in shows:
        with store.read() as session:
            rows = list_arrivals(session, show_id, clock.today())
            counts = {row.day: row.listens for row in stats.list_day_sums(session, show_id, period)}
        for day, found in completeness.estimate(rows, counts, clock.now()).items():
            count = counts[day]
            arrived += count
            if found is None:
                unknown += count
                expected, low, high = expected + count, low + count, high + count
            else:
                expected, low, high = expected + found.expected_listens, low + found.low, high + found.high
    return Completeness(arrived, max(expected, arrived), low, high, unknown)


def frame_of_hits(found: Evidence, name_of: Callable[[str], str]) -> pd.DataFrame:
    """Outcomes by their names, with their hits."""
    return pd.DataFrame([(name_of(outcome), hits) for outcome, hits in found.hits], columns=["name", "hits"])
