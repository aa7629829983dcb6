"""One request for audio: what is sent for it, and what is remembered of it."""

import os
from dataclasses import dataclass, replace
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
from api.delivery.hits import Arrival, HitRecorder
from api.delivery.ranges import Span, UnsatisfiableError, parse_range
from api.delivery.redirecting import CDN, SignatureError, try_parse_version
from api.delivery.sending import FileSpan, OnEnd
from api.errors import NotFoundError, UnavailableError
from api.hits.traits import Trait
from api.storage import LocalAudio
from models.media_types import EXTENSIONS, MEDIA_TYPES
from models.queries.catalogue import Media

CACHE_CONTROL = "public, max-age=300"
"""Short: what a cache in between answers is a hit that nobody counts, and a replaced recording stays hidden."""

PULL_CACHE_CONTROL = "public, max-age=300, s-maxage=31536000"
"""For a CDN, whose addresses name the version: there a recording never changes, and every request is in its log."""
REDIRECT_CACHE_CONTROL = "no-store"
"""A redirect kept somewhere is a hit that nobody counts, and sends people to an address that has expired."""

CORS = {"Access-Control-Allow-Origin": "*"}
"""Players on other sites; there is nothing here that a cookie would open."""
COMMON_HEADERS = {**CORS, "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff"}

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Answers requests for audio."""

    episodes: Episodes
    audio: LocalAudio
    hits: HitRecorder
    base_url: str
    cdn: CDN | None = None

    async def answer(self, request: Request, filename: str) -> Response:
        """The response for `/media/{filename}`. Raises NotFoundError and UnavailableError."""
        at_ms = clock.now_ms()
        stem, _, extension = filename.rpartition(".")
        media = await self._find(stem)
        # Addresses with .mp3 go on working when a recording is replaced by one of another type.
        if extension not in {"mp3", EXTENSIONS.get(media.media_type)}:
            raise _missing()
        if self.cdn is not None:
            return self._redirect(self.cdn, Arrival(request, media, at_ms))
        record = partial(self.hits.record, Arrival(request, media, at_ms))
        try:
            return await self._send(request, media, CACHE_CONTROL, record)
        except UnavailableError:
            record(503, 0)
            raise

    async def answer_version(self, request: Request, stem: str, filename: str) -> Response:
        """The response for `/media/{stem}/{filename}`, an address at the CDN: what the CDN lacks it asks for here.

        No hit is left when the CDN pulls: the listener's request has left one, or is in the CDN's log.
        Raises NotFoundError, SignatureError and UnavailableError.
        """
        at_ms = clock.now_ms()
        name, _, extension = filename.rpartition(".")
        version = try_parse_version(name)
        media_type = MEDIA_TYPES.get(extension)
        if version is None or media_type is None:
            raise _missing()
        media = await self._find(stem)
        if self.cdn is None:  # not any more; people hold such addresses for some hours
            return _found(f"{self.base_url}/media/{media.episode}.mp3")
        if "signature" not in request.query_params:
            return self._redirect(self.cdn, Arrival(request, media, at_ms))
        if not self.cdn.vouches_for(request, at_ms):
            raise SignatureError("This address was not signed here, or expired long ago. Ask for the feed's address.")
        if not media.sha256.startswith(version):
            # Replaced while somebody was fetching it: the rest has to be of the version that was begun.
            sha256 = await run_in_threadpool(self.audio.find, version)
            if sha256 is None:
                raise _missing()
            media = replace(media, sha256=sha256, media_type=media_type)
        return await self._send(request, media, PULL_CACHE_CONTROL, _record_nothing)

    def _redirect(self, cdn: CDN, arrival: Arrival) -> Response:
        if cdn.counts_redirects:
            arrival = replace(arrival, traits=Trait.REDIRECT)
        self.hits.record(arrival, 302, 0)
        return _found(cdn.address(arrival.media, arrival.at_ms))

    async def _find(self, stem: str) -> Media:
        # No hit for an episode that is not there: there is nothing that it could be counted for.
        try:
            episode = UUID(stem)
        except ValueError:
            raise _missing() from None
        # One address each: a CDN keeps one copy of it, and an access log says by it what was asked for.
        media = await self.episodes.get(episode) if str(episode) == stem.lower() else None
        if media is None or media.published_at > clock.now():
            raise _missing()
        return media

    async def _send(self, request: Request, media: Media, cache_control: str, on_end: OnEnd) -> Response:
        try:
            file = await run_in_threadpool(_open, self.audio.path(media.sha256))
        except OSError as error:
            _logger.error("audio file cannot be read", sha256=media.sha256, error=str(error))
            raise UnavailableError("This recording cannot be read at this moment. Try again later.", 60) from error
        return _respond(request, media, file, cache_control, on_end)


def _missing() -> NotFoundError:
    return NotFoundError("There is no such episode here. The show's feed has the current addresses.")


def _found(address: str) -> Response:
    return Response(status_code=302, headers={"Location": address, "Cache-Control": REDIRECT_CACHE_CONTROL, **CORS})


def _record_nothing(_status: int, _sent_bytes: int) -> None:
    return


def _open(path: Path) -> BinaryIO:
    return path.open("rb", buffering=0)


def _respond(request: Request, media: Media, file: BinaryIO, cache_control: str, on_end: OnEnd) -> FileSpan:
    stat = os.fstat(file.fileno())
    size, last_modified = stat.st_size, datetime.fromtimestamp(int(stat.st_mtime), UTC)
    etag = f'"{media.sha256}"'
    headers = {**COMMON_HEADERS, "Cache-Control": cache_control, "ETag": etag}
    headers["Last-Modified"] = format_datetime(last_modified, usegmt=True)
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
