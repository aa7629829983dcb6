"""Shows and episodes over HTTP, for creators (their own) and admins (all). Audio is in `audio_routes.py`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.bodies import BoundedRoute
from api.deps import PublisherDep, ReadSessionDep, SessionDep
from api.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    documented,
)
from api.publishing import schemas, service
from api.publishing.views import episode_out, show_out
from models.queries import catalogue
from models.tables import Episode, Show

router = APIRouter(
    prefix="/v1",
    tags=["publishing"],
    route_class=BoundedRoute,
    responses=documented(UnauthenticatedError, ForbiddenError, TooLargeError, InvalidError),
)
missing = documented(NotFoundError)


def get_base_url(request: Request) -> str:
    """What public addresses begin with."""
    return str(request.app.state.settings.resolved_base_url())


BaseUrl = Annotated[str, Depends(get_base_url)]
ShowId = Annotated[UUID, Path(description="The show's id.")]
EpisodeId = Annotated[UUID, Path(description="The episode's id.")]
Limit = Annotated[int, Query(ge=1, le=500, description="Items in one page.")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="Items before this page.")]


@router.post("/shows", status_code=201, responses=documented(service.SlugTakenError))
def add_show(body: schemas.NewShow, user: PublisherDep, session: SessionDep, base_url: BaseUrl) -> schemas.ShowOut:
    """Make a show. It belongs to whoever makes it."""
    return show_out(service.add_show(session, user, body.model_dump()), base_url)


@router.get("/shows")
def list_shows(
    user: PublisherDep, session: ReadSessionDep, base_url: BaseUrl, limit: Limit = 100, offset: Offset = 0
) -> schemas.ShowList:
    """Your shows; for an admin everybody's."""
    scope = service.scope_of(user)
    shows = catalogue.list_shows(session, scope, limit=limit, offset=offset)
    total = catalogue.count_shows(session, scope)
    return schemas.ShowList(items=[show_out(show, base_url) for show in shows], total=total)


@router.get("/shows/{show_id}", responses=missing)
def read_show(show_id: ShowId, user: PublisherDep, session: ReadSessionDep, base_url: BaseUrl) -> schemas.ShowOut:
    """One show."""
    return show_out(service.get_show(session, user, show_id), base_url)


@router.patch("/shows/{show_id}", responses=missing)
def change_show(
    show_id: ShowId, body: schemas.ShowChanges, user: PublisherDep, session: SessionDep, base_url: BaseUrl
) -> schemas.ShowOut:
    """Change what is sent, keep the rest."""
    return show_out(service.change_show(session, user, show_id, body.model_dump(exclude_none=True)), base_url)


@router.delete("/shows/{show_id}", status_code=204, responses=missing)
def delete_show(show_id: ShowId, user: PublisherDep, session: SessionDep) -> Response:
    """Take the show, its feed and its episodes away. Counts stay, and the slug is never given to another show."""
    service.delete_show(session, user, show_id)
    return Response(status_code=204)


@router.post(
    "/shows/{show_id}/episodes", status_code=201, responses=documented(NotFoundError, service.HostedElsewhereError)
)
def add_episode(
    show_id: ShowId, body: schemas.NewEpisode, user: PublisherDep, session: SessionDep, base_url: BaseUrl
) -> schemas.EpisodeOut:
    """Make a draft. Then send its audio, then publish it."""
    return _out(service.add_episode(session, user, show_id, body.model_dump()), base_url)


@router.get("/shows/{show_id}/episodes", responses=missing)
def list_episodes(
    show_id: ShowId,
    user: PublisherDep,
    session: ReadSessionDep,
    base_url: BaseUrl,
    limit: Limit = 100,
    offset: Offset = 0,
) -> schemas.EpisodeList:
    """A show's episodes, drafts too, the last made first."""
    show = service.get_show(session, user, show_id)
    episodes = catalogue.list_episodes(session, service.key_of(show), limit=limit, offset=offset)
    total = catalogue.count_episodes(session, service.key_of(show))
    return schemas.EpisodeList(items=[episode_out(episode, show, base_url) for episode in episodes], total=total)


@router.get("/episodes/{episode_id}", responses=missing)
def read_episode(
    episode_id: EpisodeId, user: PublisherDep, session: ReadSessionDep, base_url: BaseUrl
) -> schemas.EpisodeOut:
    """One episode."""
    return _out(service.get_episode(session, user, episode_id), base_url)


@router.patch("/episodes/{episode_id}", responses=missing)
def change_episode(
    episode_id: EpisodeId, body: schemas.EpisodeChanges, user: PublisherDep, session: SessionDep, base_url: BaseUrl
) -> schemas.EpisodeOut:
    """Change what is sent, keep the rest."""
    return _out(service.change_episode(session, user, episode_id, body.model_dump(exclude_none=True)), base_url)


@router.delete("/episodes/{episode_id}", status_code=204, responses=missing)
def delete_episode(episode_id: EpisodeId, user: PublisherDep, session: SessionDep) -> Response:
    """Take the episode out of the feed, and its audio away. Counts stay."""
    service.delete_episode(session, user, episode_id)
    return Response(status_code=204)


@router.post("/episodes/{episode_id}/publish", responses=documented(NotFoundError, service.NoAudioError))
def publish_episode(
    episode_id: EpisodeId,
    user: PublisherDep,
    session: SessionDep,
    base_url: BaseUrl,
    body: schemas.Publication | None = None,
) -> schemas.EpisodeOut:
    """Put the episode into the feed, at once or from a later instant on."""
    published_at = body.published_at if body else None
    return _out(service.publish_episode(session, user, episode_id, published_at), base_url)


@router.post("/episodes/{episode_id}/unpublish", responses=documented(NotFoundError, service.HostedElsewhereError))
def unpublish_episode(
    episode_id: EpisodeId, user: PublisherDep, session: SessionDep, base_url: BaseUrl
) -> schemas.EpisodeOut:
    """Make the episode a draft again."""
    return _out(service.unpublish_episode(session, user, episode_id), base_url)


def _out(found: tuple[Episode, Show], base_url: str) -> schemas.EpisodeOut:
    return episode_out(*found, base_url)
