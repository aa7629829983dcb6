"""A campaign's report, reach and frequency as frames. Pure; `models/campaign_reports.py` decides what may be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboard import cells, countries, formats, outcome_texts
from dashboard.cells import Reached
from models import campaign_reports
from models.campaign_reports import Frequency, ToldCounts, ToldDay, ToldEpisode
from models.planning import Point
from models.queries.downloads import APP, COUNTRY, DEVICE

SPLITS = {APP: "Apps", DEVICE: "Devices", COUNTRY: "Countries"}
BARS = 8
UNKNOWN = "Unknown"
QUARTILES = {"started": "Began", "heard_25": "25 %", "heard_50": "50 %", "heard_75": "75 %", "heard_100": "All"}
PERCENTS = {"started": 0, "heard_25": 25, "heard_50": 50, "heard_75": 75, "heard_100": 100}
TIMES = ("Once", "Twice", "3 times", "4 times", "5 times or more")
COUNTS = ("delivered", "confirmed", "offline_confirmed", "started", "heard_100")


@dataclass(frozen=True, slots=True)
class Report:
    """All that a campaign's page shows of what it brought. Hidden numbers are absent."""

    totals: ToldCounts
    days: pd.DataFrame
    """day, delivered, confirmed, offline."""
    quartiles: pd.DataFrame
    """name, impressions, share, confirms."""
    episodes: pd.DataFrame
    """title, show, delivered, confirmed, offline, started, heard_100."""
    splits: dict[str, pd.DataFrame]
    """Title -> name, delivered, share; hidden ones are left out."""
    reached: Reached
    curve: pd.DataFrame
    """day, reach, low, high, is_exact, is_rounded."""
    frequency: pd.DataFrame
    """name, devices, share."""
    is_guarded: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted."""
        return self.days.empty


def build(
    report: campaign_reports.Report,
    points: Sequence[Point],
    frequency: Frequency,
    *,
    confirm_percent: int,
    is_guarded: bool,
) -> Report:
    """All of it."""
    return Report(
        totals=report.totals,
        days=days(report.days),
        quartiles=quartiles(report.totals, confirm_percent),
        episodes=episodes(report.episodes),
        splits={title: split(kind, report.splits[kind]) for kind, title in SPLITS.items()},
        reached=cells.reached_of(frequency.reach, is_rounded=is_guarded),
        curve=curve(points, is_guarded=is_guarded),
        frequency=frequencies(frequency.devices),
        is_guarded=is_guarded,
    )


def days(rows: Sequence[ToldDay]) -> pd.DataFrame:
    """From the first day with an impression to the last."""
    columns = {"delivered": "delivered", "confirmed": "confirmed", "offline": "offline_confirmed"}
    return _counted({"day": [row.day for row in rows]}, rows, columns)


def quartiles(totals: ToldCounts, confirm_percent: int) -> pd.DataFrame:
    """How many impressions heard so much of the ad."""
    told = [getattr(totals, name) for name in QUARTILES]
    frame = pd.DataFrame(
        {
            "name": list(QUARTILES.values()),
            "share": ["" if cells.is_hidden(value) else cells.share(value, totals.started) for value in told],
            "confirms": [percent == confirm_percent for percent in PERCENTS.values()],
        }
    )
    return frame.assign(impressions=pd.array(told, dtype="Int64"))


def episodes(rows: Sequence[ToldEpisode]) -> pd.DataFrame:
    """A row for each episode, the most confirmed first."""
    ordered = sorted(rows, key=lambda row: (-(row.counts.confirmed or 0), -(row.counts.delivered or 0)))
    columns = {name.removesuffix("_confirmed"): name for name in COUNTS}
    words = {"title": [row.title for row in ordered], "show": [row.show_title for row in ordered]}
    return _counted(words, [row.counts for row in ordered], columns)


def split(kind: str, rows: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """Delivered impressions by app, device class or country: most first, what a card has no room for as one."""
    counts = [(_name(kind, value), number) for value, number in sorted(rows, key=lambda row: -row[1])]
    if len(counts) > BARS:
        rest = counts[BARS - 1 :]
        counts = [*counts[: BARS - 1], (f"{len(rest)} others", sum(number for _, number in rest))]
    return _shared([name for name, _ in counts], [number for _, number in counts], "delivered")


def curve(points: Sequence[Point], *, is_guarded: bool) -> pd.DataFrame:
    """Reach by the end of each day; nothing while nobody is reached."""
    reached = [cells.reached_of(point.reach, is_rounded=is_guarded) for point in points]
    words = {
        "day": [point.day for point in points],
        "is_exact": [one.is_exact for one in reached],
        "is_rounded": [one.is_rounded for one in reached],
    }
    frame = _counted(words, reached, {"reach": "value", "low": "low", "high": "high"})
    return frame if frame["reach"].fillna(0).gt(0).any() else frame.head(0)


def frequencies(devices: Mapping[int, int | None]) -> pd.DataFrame:
    """Devices by how often they heard the ad, from once to five times and more; nothing when there is none."""
    counts = list(devices.values())
    is_any = any(count is None or count for count in counts)
    return _shared(list(TIMES), counts, "devices") if is_any else _shared([], [], "devices")


def _counted(words: dict[str, Any], rows: Sequence[Any], columns: Mapping[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(words)
    for name, field in columns.items():
        frame[name] = pd.array([getattr(row, field) for row in rows], dtype="Int64")
    return frame


def _shared(names: list[str], told: Sequence[int | None], column: str) -> pd.DataFrame:
    """Counts, and of each its share of what is told in all: nothing that is not told can be worked out from it."""
    total = max(1, sum(value or 0 for value in told))
    shares = ["" if value is None else _share(value / total) for value in told]
    return pd.DataFrame({"name": names, "share": shares}).assign(**{column: pd.array(list(told), dtype="Int64")})


def _share(value: float) -> str:
    return "< 1 %" if 0 < value < 0.005 else formats.share(value)


def _name(kind: str, value: str) -> str:
    if not value:
        return UNKNOWN
    return {APP: str, DEVICE: outcome_texts.device_name, COUNTRY: countries.name_of}[kind](value)
