"""Feeds and audio, for anybody. These answer even when counting does not work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Request, Response

from api.delivery import feeds
from api.delivery.episodes import Episodes
from api.delivery.hits import HitRecorder, consumer_key
from api.delivery.media import Delivery
from api.deps import ReadSessionDep
from api.errors import NotFoundError, UnavailableError, documented


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state = app.state
    state.feeds = feeds.Feeds(state.settings.resolved_base_url())
    hits = HitRecorder(state.log, consumer_key(state.secret))
    state.delivery = Delivery(Episodes(state.read_engine), state.audio, hits)
    yield


router = APIRouter(tags=["delivery"], lifespan=_lifespan)

UNCHANGED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The copy that If-None-Match or If-Modified-Since names is still good."}
}
FAILED: dict[int | str, dict[str, Any]] = {
    412: {"description": "If-Match or If-Unmodified-Since names another version."}
}
FEED: dict[int | str, dict[str, Any]] = {
    200: {"description": "RSS 2.0.", "content": {"application/rss+xml": {"schema": {"type": "string"}}}},
    **UNCHANGED,
    **FAILED,
    **documented(NotFoundError, feeds.GoneError, UnavailableError),
}
AUDIO = {"audio/mpeg": {"schema": {"type": "string", "format": "binary"}}}
MEDIA: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole recording.", "content": AUDIO},
    206: {"description": "The part that Range asks for.", "content": AUDIO},
    **UNCHANGED,
    **FAILED,
    416: {"description": "The recording ends before the range begins; Content-Range says where."},
    **documented(NotFoundError, UnavailableError),
}


@router.head("/feeds/{slug}.xml", responses=FEED, response_class=Response)
@router.get("/feeds/{slug}.xml", responses=FEED, response_class=Response)
def read_feed(
    slug: Annotated[str, Path(description="The show's slug.")], request: Request, session: ReadSessionDep
) -> Response:
    """A show's feed: RSS 2.0 with the tags of Apple Podcasts and Podcasting 2.0, newest episode first."""
    return feeds.respond(request, request.app.state.feeds.get(session, slug))


@router.head("/media/{filename}", responses=MEDIA, response_class=Response)
@router.get("/media/{filename}", responses=MEDIA, response_class=Response)
async def read_media(
    filename: Annotated[str, Path(description="The episode's id and `.mp3`, or the recording's own ending.")],
    request: Request,
) -> Response:
    """An episode's audio. Answers Range, If-Range and the conditional headers; each request becomes one hit."""
    delivery: Delivery = request.app.state.delivery
    return await delivery.answer(request, filename)
