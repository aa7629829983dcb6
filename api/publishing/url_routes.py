"""The addresses that an episode's audio has, or had, elsewhere: podcast apps tell of a play by the one they know."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from api.bodies import BoundedRoute
from api.deps import PublisherDep, ReadSessionDep, SessionDep
from api.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    documented,
)
from api.publishing import service
from api.publishing.routes import EpisodeId
from models.episode_references import normal_url
from models.queries import episode_urls
from models.tables import Episode, Role

MAX_URLS = 50
"""An episode that moved hosts every year, with a few prefixes each time, has fewer."""

router = APIRouter(
    prefix="/v1",
    tags=["publishing"],
    route_class=BoundedRoute,
    responses=documented(UnauthenticatedError, ForbiddenError, NotFoundError),
)


class UrlTakenError(ConflictError):
    """Another episode has this address; plays told of it would be counted for either."""

    code = "url_taken"


def _web_address(value: str) -> str:
    url = value.strip()
    if not url.isprintable() or not url.lower().startswith(("http://", "https://")) or normal_url(url) is None:
        raise ValueError("give an address that begins with http:// or https://")
    return url


class EpisodeUrls(BaseModel):
    """All addresses of an episode's audio but Earshot's own."""

    model_config = ConfigDict(extra="forbid")

    urls: list[Annotated[str, Field(max_length=2048), AfterValidator(_web_address)]] = Field(
        max_length=MAX_URLS, examples=[["https://old-host.example.com/episodes/1.mp3"]]
    )


@router.get("/episodes/{episode_id}/urls")
def read_urls(episode_id: EpisodeId, user: PublisherDep, session: ReadSessionDep) -> EpisodeUrls:
    """The addresses that the episode is known by elsewhere."""
    episode, _ = service.get_episode(session, user, episode_id)
    return EpisodeUrls(urls=episode_urls.list_urls(session, _key_of(episode)))


@router.put("/episodes/{episode_id}/urls", responses=documented(UrlTakenError, TooLargeError, InvalidError))
def put_urls(episode_id: EpisodeId, body: EpisodeUrls, user: PublisherDep, session: SessionDep) -> EpisodeUrls:
    """Replace the list; for admins, since a play that comes in under one of the addresses is this episode's. They are
    compared without scheme, fragment and the prefixes of measuring services. Earshot's own addresses, old ones too,
    need not be listed."""
    episode, _ = service.get_episode(session, user, episode_id)
    if user.role != Role.ADMIN:
        raise ForbiddenError(
            "Another address has to be confirmed by an admin, since plays told under it become this show's: send the "
            "list to whoever runs this service."
        )
    urls = list({normal_url(url): url for url in body.urls}.values())
    try:
        _refuse_taken(session, episode, urls)
        episode_urls.put_urls(session, _key_of(episode), urls)
    except IntegrityError as error:
        # Another request took one of them in between.
        session.rollback()
        _refuse_taken(session, episode, urls)
        raise UrlTakenError("One of these addresses belongs to another episode.") from error
    return EpisodeUrls(urls=urls)


def _refuse_taken(session: Session, episode: Episode, urls: list[str]) -> None:
    taken = episode_urls.get_owner_of_url(session, urls, _key_of(episode))
    if taken is not None:
        url, other, show = taken
        name = f"{other.title!r} of the show {show.title!r}"
        raise UrlTakenError(f"{url} belongs to the episode {name} ({other.uuid}). Take it out there first, or here.")


def _key_of(episode: Episode) -> int:
    if episode.id is None:
        raise ValueError("this row was never stored")
    return episode.id
