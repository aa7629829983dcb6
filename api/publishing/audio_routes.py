"""Audio on its way in. Its own file and router, because its body is large and read as it comes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.deps import PublisherDep, ReadSessionDep, SessionDep
from api.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    documented,
)
from api.publishing import service, uploads
from api.publishing.probing import probe
from api.publishing.routes import BaseUrl, EpisodeId
from api.publishing.schemas import AudioOut
from api.publishing.views import audio_out


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    uploads.clean(app.state.audio)
    yield


# No max_body_size: the limit is a setting, and is checked while the body streams to the disk.
router = APIRouter(prefix="/v1", tags=["publishing"], lifespan=_lifespan)

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself: MP3, M4A (AAC or ALAC) or WAV.",
        "content": {type_: {"schema": {"type": "string", "format": "binary"}} for type_ in ("audio/mpeg", "audio/mp4")},
    }
}


@router.put(
    "/episodes/{episode_id}/audio",
    openapi_extra=BODY,
    responses=documented(
        uploads.IncompleteError,
        UnauthenticatedError,
        ForbiddenError,
        NotFoundError,
        service.HostedElsewhereError,
        uploads.StalledError,
        TooLargeError,
        uploads.UnsupportedTypeError,
        InvalidError,
        uploads.NoRoomError,
    ),
)
async def put_audio(
    episode_id: EpisodeId,
    request: Request,
    user: PublisherDep,
    reading: ReadSessionDep,
    session: SessionDep,
    base_url: BaseUrl,
) -> AudioOut:
    """Give an episode its recording, or another one. Refused unless it is whole, and audio that apps play."""
    await run_in_threadpool(service.get_hosted_episode, reading, user, episode_id)
    # An upload takes minutes; it must not keep a connection, and on SQLite the log of changes, that long.
    await run_in_threadpool(reading.close)
    uploads.check_type(request.headers.get("content-type"))
    state = request.app.state
    try:
        async with uploads.receive(
            state.audio,
            request.stream(),
            declared_bytes=_declared_bytes(request),
            max_bytes=state.settings.max_audio_bytes,
        ) as upload:
            probed = await run_in_threadpool(probe, upload.path)
            await run_in_threadpool(state.audio.keep, upload.path, upload.sha256)
    except ClientDisconnect as error:
        raise uploads.IncompleteError("The connection ended before the file did. Send it again.") from error
    episode, _ = await run_in_threadpool(
        service.replace_audio, session, user, episode_id, sha256=upload.sha256, size=upload.bytes, probed=probed
    )
    return audio_out(episode, base_url)


def _declared_bytes(request: Request) -> int | None:
    text = request.headers.get("content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise uploads.IncompleteError("Content-Length is not a number.")
    return int(text)
