"""Downloads of shows and episodes, and what became of the other hits; read from the rollups."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from sqlmodel import Session

from api import clock, csv_answers
from api.csv_answers import CsvWanted
from api.deps import PublisherDep, ReadSessionDep
from api.errors import ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError, documented
from api.periods import From, To, parse_period
from api.publishing import download_answers as answers
from api.publishing import download_schemas as shapes
from api.publishing import service
from models.periods import Period
from models.queries.downloads import Of
from models.tables import Episode, User

MAX_FINE_DAYS = 93
"""Of an answer by the hour, and of one about consumers, whose every row unites 30 days."""

router = APIRouter(prefix="/v1", tags=["downloads"])
_ANSWERS = {
    **documented(UnauthenticatedError, ForbiddenError, NotFoundError, InvalidError),
    **csv_answers.DOCUMENTED,
}

ShowId = Annotated[UUID, Path(description="The show's id.")]
EpisodeId = Annotated[UUID, Path(description="The episode's id.")]
By = Annotated[
    Literal["day", "hour", "episode", "app", "device", "country"], Query(description="What a row stands for.")
]
ByOfEpisode = Annotated[Literal["day", "hour", "app", "device", "country"], Query(description="What a row stands for.")]


@router.get("/shows/{show_id}/downloads", responses=_ANSWERS, response_model=shapes.DownloadsOut)
def read_downloads(
    session: ReadSessionDep,
    user: PublisherDep,
    is_csv: CsvWanted,
    show_id: ShowId,
    first: From = None,
    last: To = None,
    by: By = "day",
) -> Response:
    """A show's IAB downloads per UTC day, hour, episode, app, device class or country.

    Creators read their own shows, admins every show. Past days change when an access log is imported later.
    """
    of, name = _show(session, user, show_id)
    return answers.answer_downloads(session, of, name, by, _period(first, last, is_fine=by == "hour"), is_csv)


@router.get("/episodes/{episode_id}/downloads", responses=_ANSWERS, response_model=shapes.DownloadsOut)
def read_downloads_of_episode(
    session: ReadSessionDep,
    user: PublisherDep,
    is_csv: CsvWanted,
    episode_id: EpisodeId,
    first: From = None,
    last: To = None,
    by: ByOfEpisode = "day",
) -> Response:
    """One episode's IAB downloads per UTC day, hour, app, device class or country."""
    of, name = _episode(session, user, episode_id)
    return answers.answer_downloads(session, of, name, by, _period(first, last, is_fine=by == "hour"), is_csv)


@router.get("/shows/{show_id}/downloads/consumers", responses=_ANSWERS, response_model=shapes.ConsumersOut)
def read_consumers(
    session: ReadSessionDep,
    user: PublisherDep,
    is_csv: CsvWanted,
    show_id: ShowId,
    first: From = None,
    last: To = None,
) -> Response:
    """Different consumers, pairs of address and user agent, with a download: of each day, and of the 7 and 30 days
    that end with it."""
    of, name = _show(session, user, show_id)
    return answers.answer_consumers(session, of, name, _period(first, last, is_fine=True), is_csv)


@router.get("/episodes/{episode_id}/downloads/consumers", responses=_ANSWERS, response_model=shapes.ConsumersOut)
def read_consumers_of_episode(
    session: ReadSessionDep,
    user: PublisherDep,
    is_csv: CsvWanted,
    episode_id: EpisodeId,
    first: From = None,
    last: To = None,
) -> Response:
    """Different consumers of one episode: of each day, and of the 7 and 30 days that end with it."""
    of, name = _episode(session, user, episode_id)
    return answers.answer_consumers(session, of, name, _period(first, last, is_fine=True), is_csv)


@router.get("/shows/{show_id}/downloads/first-days", responses=_ANSWERS, response_model=shapes.FirstDaysOut)
def read_first_days(session: ReadSessionDep, user: PublisherDep, is_csv: CsvWanted, show_id: ShowId) -> Response:
    """Each published episode's downloads in its first 7, 30 and 90 times 24 hours, from the hour of publication on."""
    of, name = _show(session, user, show_id)
    return answers.answer_first_days(session, of, name, is_csv)


@router.get("/shows/{show_id}/hits", responses=_ANSWERS, response_model=shapes.HitsOut)
def read_hits(
    session: ReadSessionDep,
    user: PublisherDep,
    is_csv: CsvWanted,
    show_id: ShowId,
    first: From = None,
    last: To = None,
) -> Response:
    """All requests for a show's audio by what became of them: downloads, and each cause why others are none."""
    of, name = _show(session, user, show_id)
    return answers.answer_hits(session, of, name, _period(first, last), is_csv)


@router.get("/episodes/{episode_id}/hits", responses=_ANSWERS, response_model=shapes.HitsOut)
def read_hits_of_episode(
    session: ReadSessionDep,
    user: PublisherDep,
    is_csv: CsvWanted,
    episode_id: EpisodeId,
    first: From = None,
    last: To = None,
) -> Response:
    """All requests for one episode's audio by what became of them."""
    of, name = _episode(session, user, episode_id)
    return answers.answer_hits(session, of, name, _period(first, last), is_csv)


# -- what is asked for ---------------------------------------------------------------------------------------------


def _show(session: Session, user: User, show_id: UUID) -> tuple[Of, str]:
    show = service.get_show(session, user, show_id)
    return Of(service.key_of(show)), show.slug


def _episode(session: Session, user: User, episode_id: UUID) -> tuple[Of, str]:
    episode, show = service.get_episode(session, user, episode_id)
    return Of(service.key_of(show), _key(episode)), str(episode.uuid)


def _key(episode: Episode) -> int:
    if episode.id is None:
        raise ValueError("this episode was never stored")
    return episode.id


def _period(first: date | None, last: date | None, *, is_fine: bool = False) -> Period:
    period = parse_period(first, last, clock.now().date())
    if is_fine and period.days > MAX_FINE_DAYS:
        raise InvalidError(f"This goes into detail: ask for at most {MAX_FINE_DAYS} days at once, not {period.days}.")
    return period
