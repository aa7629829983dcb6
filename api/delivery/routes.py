"""Feeds and audio, for anybody. These answer even when counting does not work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Request, Response

from api.delivery import feeds
from api.delivery.episodes import Episodes
from api.delivery.hits import HitRecorder
from api.delivery.media import Delivery
from api.delivery.redirecting import CDN, SignatureError, make_cdn
from api.delivery.schemas import DeliveryOut
from api.deps import ReadSessionDep
from api.errors import NotFoundError, UnavailableError, documented
from api.hits.lookup import make_classifier


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state = app.state
    base_url = state.settings.resolved_base_url()
    state.feeds = feeds.Feeds(base_url)
    hits = HitRecorder(state.log, state.secret, make_classifier(state.settings))
    state.delivery = Delivery(Episodes(state.read_engine), state.audio, hits, base_url, make_cdn(state.settings))
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
REDIRECT: dict[int | str, dict[str, Any]] = {
    302: {"description": "At the CDN of `EARSHOT_CDN_URL`, under a signed address that expires. Never to be cached."}
}
AUDIO = {"audio/mpeg": {"schema": {"type": "string", "format": "binary"}}}
MEDIA: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole recording.", "content": AUDIO},
    206: {"description": "The part that Range asks for.", "content": AUDIO},
    **REDIRECT,
    **UNCHANGED,
    **FAILED,
    416: {"description": "The recording ends before the range begins; Content-Range says where."},
    **documented(NotFoundError, UnavailableError),
}
VERSION = MEDIA | documented(SignatureError)


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


@router.head("/media/{episode}/{filename}", responses=VERSION, response_class=Response)
@router.get("/media/{episode}/{filename}", responses=VERSION, response_class=Response)
async def read_version(
    episode: Annotated[str, Path(description="The episode's id.")],
    filename: Annotated[str, Path(description="The first 16 characters of the file's SHA-256, and its ending.")],
    request: Request,
) -> Response:
    """A recording for the CDN, by the address that the CDN was asked for; its signature tells that it is the CDN's.

    Leaves no hit: the request that was redirected has left one. Without a signature, redirects to the CDN."""
    delivery: Delivery = request.app.state.delivery
    return await delivery.answer_version(request, episode, filename)


@router.get("/v1/delivery")
def read_delivery(request: Request) -> DeliveryOut:
    """Whether a CDN sends the audio, and what downloads are counted from since this service was started."""
    cdn: CDN | None = request.app.state.delivery.cdn
    if cdn is None:
        return DeliveryOut(audio_from="earshot", cdn_url=None, counted_from="requests")
    return DeliveryOut(
        audio_from="cdn", cdn_url=cdn.url, counted_from="redirects" if cdn.counts_redirects else "cdn_logs"
    )
