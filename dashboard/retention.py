"""Who listens at which moment of an episode: what is drawn, and what it says in words. Pure."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dashboard import formats
from models import retention
from models.retention import Stretch

MOST_POINTS = 400
"""More than a screen can tell apart."""


@dataclass(frozen=True, slots=True)
class Course:
    """How an episode was heard, ready to be drawn."""

    playbacks: int
    duration_seconds: int
    frame: pd.DataFrame
    """A row for some seconds: `second`, where it begins; `heard`, `skipped`, `replayed` and `typical`, as shares of the
    playbacks. `typical` is NaN when the show has too few episodes."""
    drop_offs: list[Stretch]
    skipped: list[Stretch]
    replayed: list[Stretch]

    @property
    def is_heard(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self.frame["heard"].any())

    @property
    def has_typical(self) -> bool:
        """Whether there is something to compare with."""
        return bool(self.frame["typical"].notna().any())


def course_of(found: retention.Retention) -> Course:
    """What the chart needs of an episode's retention."""
    seconds, playbacks, duration = found.seconds, found.playbacks, found.duration_seconds
    width = retention.choose_width(duration, MOST_POINTS)
    counted = {"heard": seconds.heard, "skipped": seconds.skipped, "replayed": seconds.replayed}
    frame = pd.DataFrame({"second": retention.edges(duration, width)[:-1]})
    for name, counts in counted.items():
        frame[name] = retention.means(counts, width) / max(1, playbacks)
    typical = retention.typical(found.others, duration, width)
    frame["typical"] = np.nan if typical is None else typical
    return Course(
        playbacks,
        duration,
        frame,
        retention.drop_offs(seconds, playbacks),
        retention.parts(seconds.skipped, playbacks),
        retention.parts(seconds.replayed, playbacks),
    )


# -- words ---------------------------------------------------------------------------------------------------------


def position(second: int) -> str:
    """A moment as players show it: `0:07`, `12:30`, `1:02:03`."""
    minutes, seconds = divmod(second, 60)
    return f"{minutes}:{seconds:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def between(stretch: Stretch) -> str:
    """Both ends of a stretch, as players show them."""
    return f"{position(stretch.from_second)}{formats.DASH}{position(stretch.to_second)}"


def caption(course: Course) -> str:
    """What the curve is a share of, and over which days."""
    of = "the one playback" if course.playbacks == 1 else f"{formats.number(course.playbacks)} playbacks"
    text = f"All days together: of {of}, the share that heard each moment."
    if course.has_typical:
        text += " Dashed: a typical episode of the show, stretched to this length."
    return text


def sentences(course: Course) -> list[str]:
    """What there is to see, the most important first."""
    said = [_of_drop_offs(course)]
    if course.skipped:
        said.append(f"Skipped most: {between(course.skipped[0])}, by {formats.share(course.skipped[0].share)}.")
    if course.replayed:
        said.append(f"Played again most: {between(course.replayed[0])}, by {formats.share(course.replayed[0].share)}.")
    middle = course.frame.iloc[(course.frame["second"] <= course.duration_seconds / 2).sum() - 1]
    half_way = f"Half-way, {formats.share(middle['heard'])} are listening"
    if course.has_typical:
        half_way += f"; in a typical episode of this show, {formats.share(middle['typical'])}"
    return [*said, f"{half_way}."]


def listed(course: Course) -> str:
    """The sentences as a list, in Markdown."""
    return "\n".join(f"- {sentence}" for sentence in sentences(course))


def alt(course: Course) -> str:
    """The chart for who does not see it."""
    return " ".join(["Share of the playbacks that heard each moment.", *sentences(course)])


def _of_drop_offs(course: Course) -> str:
    if not course.drop_offs:
        return "No part loses many listeners at once."
    greatest, *others = course.drop_offs
    text = f"Most leave at {between(greatest)}: {formats.share(greatest.share)} of playbacks end there"
    # Every episode loses some in its opening; the next loss says more about this one.
    return f"{text}; next {between(others[0])}, {formats.share(others[0].share)}." if others else f"{text}."


def hover(row: pd.Series) -> str:
    """The moment, who listens, and who skips or plays it again if anybody does; what is typical stands below it."""
    did = [f"{formats.share(row['heard'])} listening"]
    for name, word in (("skipped", "skipped"), ("replayed", "played again")):
        if not formats.is_flat(formats.share(row[name])):
            did.append(f"{formats.share(row[name])} {word}")
    text = f"<b>{position(int(row['second']))}</b> {formats.DASH} {', '.join(did)}"
    return text if pd.isna(row["typical"]) else f"{text}<br>typical: {formats.share(row['typical'])} listening"


def table(course: Course) -> pd.DataFrame:
    """The chart as rows, in per cent, for who would rather read or compute than look."""
    rows = pd.DataFrame({"from": [position(second) for second in course.frame["second"]]})
    for name in ("heard", "skipped", "replayed", "typical"):
        rows[name] = (course.frame[name] * 100).round(1)
    return rows if course.has_typical else rows.drop(columns="typical")
