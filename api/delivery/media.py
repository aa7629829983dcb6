"""One request for audio: what is sent for it, and what is remembered of it."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import clock
from api.delivery.conditions import Verdict, may_continue, verdict
from api.delivery.episodes import Episodes
from api.delivery.hits import HitRecorder
from api.delivery.ranges import Span, UnsatisfiableError, parse_range
from api.delivery.sending import FileSpan, OnEnd
from api.errors import NotFoundError, UnavailableError
from api.storage import LocalAudio
from models.media_types import EXTENSIONS
from models.queries.catalogue import Media

CACHE_CONTROL = "public, max-age=300"
"""Short: what a cache in between answers is a hit that nobody counts, and a replaced recording stays hidden."""

COMMON_HEADERS = {
    "Cache-Control": CACHE_CONTROL,
    "Accept-Ranges": "bytes",
    "Access-Control-Allow-Origin": "*",  # players on other sites; there is nothing here that a cookie would open
    "X-Content-Type-Options": "nosniff",
}

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Answers requests for audio."""

    episodes: Episodes
    audio: LocalAudio
    hits: HitRecorder

    async def answer(self, request: Request, filename: str) -> Response:
        """The response for `/media/{filename}`. Raises NotFoundError and UnavailableError."""
        media = await self._find(filename)
        try:
            file = await run_in_threadpool(_open, self.audio.path(media.sha256))
        except OSError as error:
            _logger.error("audio file cannot be read", sha256=media.sha256, error=str(error))
            self.hits.record(request, media, 503, 0)
            raise UnavailableError("This recording cannot be read at this moment. Try again later.", 60) from error

        return _respond(request, media, file, partial(self.hits.record, request, media))

    async def _find(self, filename: str) -> Media:
        # No hit for an episode that is not there: there is nothing that it could be counted for.
        missing = NotFoundError("There is no such episode here. The show's feed has the current addresses.")
        stem, _, extension = filename.rpartition(".")
        try:
            episode = UUID(stem)
        except ValueError:
            raise missing from None
        media = await self.episodes.get(episode)
        if media is None or media.published_at > clock.now():
            raise missing
        # Addresses with .mp3 go on working when a recording is replaced by one of another type.
        if extension not in {"mp3", EXTENSIONS.get(media.media_type)}:
            raise missing
        return media


def _open(path: Path) -> BinaryIO:
    return path.open("rb", buffering=0)


def _respond(request: Request, media: Media, file: BinaryIO, on_end: OnEnd) -> FileSpan:
    stat = os.fstat(file.fileno())
    size, last_modified = stat.st_size, datetime.fromtimestamp(int(stat.st_mtime), UTC)
    etag = f'"{media.sha256}"'
    headers = {**COMMON_HEADERS, "ETag": etag, "Last-Modified": format_datetime(last_modified, usegmt=True)}
    outcome = verdict(request.headers, etag, last_modified)
    if outcome is Verdict.NOT_MODIFIED:
        return FileSpan(304, headers, on_end, file)
    if outcome is Verdict.FAILED:
        return FileSpan(412, headers | {"Content-Length": "0"}, on_end, file)
    try:
        span = _range_of(request, size, etag, last_modified)
    except UnsatisfiableError:
        return FileSpan(416, headers | {"Content-Range": f"bytes */{size}", "Content-Length": "0"}, on_end, file)
    if span is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    status, span = (200, Span(0, size)) if span is None else (206, span)
    headers |= {"Content-Type": media.media_type, "Content-Length": str(span.length)}
    return FileSpan(status, headers, on_end, file, None if request.method == "HEAD" else span)


def _range_of(request: Request, size: int, etag: str, last_modified: datetime) -> Span | None:
    header = request.headers.get("range")
    # Range means something for GET only: RFC 9110, 14.2.
    if header is None or request.method != "GET":
        return None
    if not may_continue(request.headers.get("if-range"), etag, last_modified):
        return None
    return parse_range(header, size)
