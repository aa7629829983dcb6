"""Retention: how many playbacks heard each second of an episode, read from the rollup."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from api import clock
from api.deps import PublisherDep, ReadSessionDep
from api.errors import ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError, documented
from api.publishing import service
from models import metrics
from models import retention as curves
from models.queries import retention
from models.tables import Episode

MOST_ROWS = 600
"""Without a width, a row stands for so many seconds that there are at most this many rows."""
MAX_WIDTH = 3600

router = APIRouter(prefix="/v1", tags=["stats"])


class SecondRow(BaseModel):
    """Some seconds of the recording: means over them, to two decimals; with `width=1` whole numbers of playbacks."""

    second: int
    """The row's first second. It ends where the next one begins, the last one with the recording."""
    heard: float
    """Playbacks that heard the second."""
    skipped: float
    """Playbacks that had begun, had not ended, and did not hear it."""
    replayed: float
    """Playbacks that heard it more than once; they are in `heard` too."""


class StretchOut(BaseModel):
    """A stretch of the recording that stands out."""

    from_second: int
    to_second: int
    """Where it ends, not included."""
    playbacks: float
    """How many left in it; or skipped or replayed a second of it, on average."""
    share: float
    """The same as a share of all playbacks, 0 to 1."""


class StatsBySecond(BaseModel):
    """`by=second`: an episode's retention over all days."""

    episode_id: UUID
    playbacks: int = Field(description=metrics.STARTS.definition)
    duration_seconds: int
    width_seconds: int
    rows: list[SecondRow]
    drop_offs: list[StretchOut] = Field(description="Where many leave and do not come back, the greatest loss first.")
    skipped: list[StretchOut] = Field(description="Where many skip, the most skipped first.")
    replayed: list[StretchOut] = Field(description="Where many play again, the most replayed first.")
    typical: list[float] | None = Field(
        description="For each row, the share of playbacks (0 to 1) that hear the same share of the length, averaged "
        f"over the show's {curves.TYPICAL_EPISODES} newest others of {curves.TYPICAL_LEAST_PLAYBACKS} playbacks "
        f"or more; null when there are fewer than {curves.TYPICAL_LEAST_EPISODES} of those."
    )


Width = Annotated[
    int | None,
    Query(
        ge=1,
        le=MAX_WIDTH,
        description=f"With `by=second`: seconds in a row. Without it, as few as give at most {MOST_ROWS} rows.",
    ),
]


@router.get(
    "/episodes/{episode_id}/stats",
    responses=documented(UnauthenticatedError, ForbiddenError, NotFoundError, InvalidError),
)
def read_retention(
    session: ReadSessionDep,
    user: PublisherDep,
    episode_id: Annotated[UUID, Path(description="The episode's id.")],
    by: Annotated[Literal["second"], Query(description="What a row stands for.")] = "second",
    width: Width = None,
    first: Annotated[str | None, Query(alias="from", include_in_schema=False)] = None,
    last: Annotated[str | None, Query(alias="to", include_in_schema=False)] = None,
) -> StatsBySecond:
    """How many playbacks heard, skipped and replayed each second, and where listeners leave.

    Over all days: `from` and `to` are refused. Creators read their own episodes, admins every episode. The same answer
    as of the show's stats with `by=second&episode=`.
    """
    refuse_days(first, last)
    episode, _ = service.get_episode(session, user, episode_id)
    return retention_of(session, episode, width)


def refuse_days(first: object, last: object) -> None:
    """There is one curve for all days; one that pretended to be of a few would be believed."""
    if first is not None or last is not None:
        raise InvalidError("by=second is over all days. Leave out from and to.")


def retention_of(session: Session, episode: Episode, width: int | None) -> StatsBySecond:
    """The answer for one episode."""
    found = retention.get_retention(session, episode, clock.now())
    width = width or curves.choose_width(found.duration_seconds, MOST_ROWS)
    seconds, playbacks = found.seconds, found.playbacks
    typical = curves.typical(found.others, found.duration_seconds, width)
    return StatsBySecond(
        episode_id=episode.uuid,
        playbacks=playbacks,
        duration_seconds=found.duration_seconds,
        width_seconds=width,
        rows=_rows(seconds, width),
        drop_offs=_stretches(curves.drop_offs(seconds, playbacks)),
        skipped=_stretches(curves.parts(seconds.skipped, playbacks)),
        replayed=_stretches(curves.parts(seconds.replayed, playbacks)),
        typical=None if typical is None else typical.round(4).tolist(),
    )


def _rows(seconds: curves.PerSecond, width: int) -> list[SecondRow]:
    counted = (seconds.heard, seconds.skipped, seconds.replayed)
    columns = [curves.means(counts, width).round(2).tolist() for counts in counted]
    return [
        SecondRow(second=place * width, heard=heard, skipped=skipped, replayed=replayed)
        for place, (heard, skipped, replayed) in enumerate(zip(*columns, strict=True))
    ]


def _stretches(found: list[curves.Stretch]) -> list[StretchOut]:
    return [
        StretchOut(
            from_second=stretch.from_second,
            to_second=stretch.to_second,
            playbacks=round(stretch.playbacks, 2),
            share=round(stretch.share, 4),
        )
        for stretch in found
    ]
