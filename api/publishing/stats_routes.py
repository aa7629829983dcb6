"""How much a show was heard, read from the rollups."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field
from sqlmodel import Session

from api import clock
from api.deps import PublisherDep, ReadSessionDep
from api.errors import ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError, documented
from api.periods import From, To, parse_period
from api.publishing import service
from api.publishing.arrival_routes import CompletenessOut, completeness_of
from api.publishing.retention_routes import StatsBySecond, Width, refuse_days, retention_of
from models import metrics
from models.queries import catalogue, stats
from models.tables import User

router = APIRouter(prefix="/v1", tags=["stats"])


class Counts(BaseModel):
    """The sums of a row. Sums by day and by episode of the same span agree."""

    starts: int = Field(description=metrics.STARTS.definition)
    listens: int = Field(description=metrics.LISTENS.definition)
    offline_listens: int = Field(description=metrics.OFFLINE_LISTENS.definition)
    completions: int = Field(description=metrics.COMPLETIONS.definition)
    heard_seconds: int = Field(description=metrics.HEARD_SECONDS.definition)


class DayRow(Counts):
    """One UTC day."""

    day: date
    completeness: CompletenessOut | None = Field(
        description="How much of the day's listens has arrived. Null as long as there is too little history to tell."
    )


class EpisodeRow(Counts):
    """One episode."""

    episode_id: UUID


class StatsByDay(BaseModel):
    """`by=day`: every day of the span up to today, in order; a day without playbacks has zeros."""

    rows: list[DayRow]


class StatsByEpisode(BaseModel):
    """`by=episode`: each episode with a counted playback in the span, most heard first, deleted ones too."""

    rows: list[EpisodeRow]


By = Annotated[Literal["day", "episode", "second"], Query(description="What a row stands for.")]
OfEpisode = Annotated[UUID | None, Query(description="With `by=second`, and only then: the episode's id.")]


@router.get(
    "/shows/{show_id}/stats",
    responses=documented(UnauthenticatedError, ForbiddenError, NotFoundError, InvalidError),
)
def read_stats(
    session: ReadSessionDep,
    user: PublisherDep,
    show_id: Annotated[UUID, Path(description="The show's id.")],
    first: From = None,
    last: To = None,
    by: By = "day",
    episode: OfEpisode = None,
    width: Width = None,
) -> StatsByDay | StatsByEpisode | StatsBySecond:
    """Starts, listens, offline listens, completions and seconds heard, per UTC day or per episode; or the retention of
    one episode, per second.

    Creators read their own shows, admins every show. Days are UTC days of the listening, not of its arrival: the rows
    of past days grow when a phone that was offline reports late.
    """
    if by == "second":
        refuse_days(first, last)
        return _retention(session, user, show_id, episode, width)
    if episode is not None or width is not None:
        raise InvalidError("episode and width go with by=second. Add it, or leave them out.")
    today = clock.now().date()
    period = parse_period(first, last, today)
    show = catalogue.get_show(session, show_id, service.scope_of(user))
    if show is None:
        raise NotFoundError("There is no such show among yours. GET /v1/shows lists them with their ids.")
    key = service.key_of(show)
    if by == "day":
        days = stats.fill_days(stats.list_day_sums(session, key, period), period, today)
        shares = completeness_of(session, key, {row.day: row.listens for row in days})
        return StatsByDay(rows=[DayRow(**row._asdict(), completeness=shares[row.day]) for row in days])
    episodes = stats.list_episode_sums(session, key, period)
    return StatsByEpisode(rows=[_episode_row(row) for row in episodes if row.is_counted])


def _retention(
    session: Session, user: User, show_id: UUID, episode_id: UUID | None, width: int | None
) -> StatsBySecond:
    if episode_id is None:
        raise InvalidError("by=second is of one episode: add episode=<its id>. GET /v1/shows/{id}/episodes lists them.")
    episode, show = service.get_episode(session, user, episode_id)
    if show.uuid != show_id:
        raise NotFoundError("This show has no such episode. GET /v1/shows/{id}/episodes lists them.")
    return retention_of(session, episode, width)


def _episode_row(row: stats.EpisodeSums) -> EpisodeRow:
    counts = {slug: getattr(row, slug) for slug in metrics.ADDITIVE_SLUGS}
    return EpisodeRow(episode_id=row.uuid, **counts)
