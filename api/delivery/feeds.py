"""Feeds, rendered once and sent many times."""

import hashlib
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api import clock
from api.delivery.conditions import Verdict, verdict
from api.delivery.rss import render
from api.errors import ApiError, NotFoundError, UnavailableError
from models.queries import catalogue
from models.queries.catalogue import FeedState

MAX_CACHED_BYTES = 64 << 20
SLUG = re.compile("[a-z0-9-]{1,64}", re.ASCII)
CACHE_CONTROL = "public, max-age=60"

_logger = structlog.get_logger(__name__)

Version = tuple[datetime, int, datetime | None]
"""The show's `updated_at`, how many episodes are listed, and the newest one's date.

Publishing moves `updated_at` with every change to what is listed; the other two notice a scheduled episode falling due.
"""


class GoneError(ApiError):
    """The show was deleted; apps may stop asking."""

    status = 410
    code = "gone"


@dataclass(frozen=True, slots=True)
class Feed:
    """A rendered feed."""

    version: Version
    body: bytes
    etag: str
    last_modified: datetime
    """Whole seconds."""


class Feeds:
    """The feeds rendered lately, by slug, up to a number of bytes."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._feeds: OrderedDict[str, Feed] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, session: Session, slug: str) -> Feed:
        """The feed as it has to be now; as it was lately, while the store does not answer. Raises ApiError."""
        if not SLUG.fullmatch(slug):
            raise NotFoundError("There is no feed at this address.")
        with self._lock:
            cached = self._feeds.get(slug)
        try:
            return self._get_fresh(session, slug, cached)
        except SQLAlchemyError as error:
            _logger.error("the store does not answer", error=repr(error), is_remembered=cached is not None)
            if cached is None:
                raise UnavailableError("The feed cannot be read at this moment. Try again in a minute.", 60) from error
            return cached

    def _get_fresh(self, session: Session, slug: str, cached: Feed | None) -> Feed:
        now = clock.now()
        state = catalogue.get_feed_state(session, slug, now)
        if state is None:
            raise NotFoundError("There is no feed at this address.")
        if state.show.deleted_at is not None:
            raise GoneError("This show was deleted.")
        if state.show.feed_url is not None:
            # No redirect: whoever may import a feed could send this installation's visitors anywhere.
            raise NotFoundError(f"This show is hosted elsewhere. Its feed is at {state.show.feed_url}")
        # The version is read before the episodes: a change in between makes the copy old, never falsely new.
        version = (state.show.updated_at, state.episodes, state.newest_published_at)
        if cached is not None and cached.version == version:
            return cached
        feed = self._render(session, state, version, now)
        self._keep(slug, feed)
        return feed

    def _render(self, session: Session, state: FeedState, version: Version, now: datetime) -> Feed:
        show = state.show
        newest = state.newest_published_at or show.updated_at
        changed_at = max(show.updated_at, newest).replace(microsecond=0)
        episodes = catalogue.list_feed_episodes(session, show.id or 0, now)
        body = render(show, episodes, changed_at, self._base_url)
        return Feed(version, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', changed_at)

    def _keep(self, slug: str, feed: Feed) -> None:
        with self._lock:
            before = self._feeds.pop(slug, None)
            self._feeds[slug] = feed
            self._bytes += len(feed.body) - (len(before.body) if before else 0)
            while self._bytes > MAX_CACHED_BYTES and len(self._feeds) > 1:
                self._bytes -= len(self._feeds.popitem(last=False)[1].body)


def respond(request: Request, feed: Feed) -> Response:
    """The feed, its headers only, or word that the client's copy is still good."""
    headers = {
        "ETag": feed.etag,
        "Last-Modified": format_datetime(feed.last_modified, usegmt=True),
        "Cache-Control": CACHE_CONTROL,
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
    }
    outcome = verdict(request.headers, feed.etag, feed.last_modified)
    if outcome is not Verdict.SEND:
        return Response(status_code=outcome.value, headers=headers)
    headers["Content-Type"] = "application/rss+xml; charset=utf-8"
    if request.method == "HEAD":
        return Response(headers=headers | {"Content-Length": str(len(feed.body))})
    return Response(feed.body, headers=headers)
