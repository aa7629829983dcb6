"""Which file an episode's audio is, also while the store does not answer."""

import time
from collections import OrderedDict
from uuid import UUID

import anyio
import structlog
from anyio import CapacityLimiter, to_thread
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from api.errors import UnavailableError
from models.queries import catalogue
from models.queries.catalogue import Media

REMEMBERED = 10_000
"""Episodes served lately that can be served again without the store."""
PATIENCE_SECONDS = 2.0
"""How long a request waits for the store; reading one row takes a millisecond."""
PAUSE_SECONDS = 1.0
"""After a failure, what is remembered is served for this long before the store is asked again."""
MAX_LOOKUPS = 16
"""Threads that look episodes up; a store that hangs must not take those that send audio."""

_logger = structlog.get_logger(__name__)


class Episodes:
    """Reads an episode's row for each request, so that a deletion works at once; falls back on the row before."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._remembered: OrderedDict[UUID, Media] = OrderedDict()
        self._ask_again_at = 0.0
        self._limiter = CapacityLimiter(MAX_LOOKUPS)

    async def get(self, episode: UUID) -> Media | None:
        """The episode's audio, None when it has none to show. Raises UnavailableError when nobody knows."""
        remembered = self._remembered.get(episode)
        if remembered is not None and time.monotonic() < self._ask_again_at:
            return remembered
        try:
            with anyio.fail_after(PATIENCE_SECONDS):
                media = await to_thread.run_sync(self._read, episode, abandon_on_cancel=True, limiter=self._limiter)
        except (SQLAlchemyError, TimeoutError) as error:
            return self._fall_back(remembered, error)
        self._remember(episode, media)
        return media

    def _read(self, episode: UUID) -> Media | None:
        with Session(self._engine) as session:
            return catalogue.get_media(session, episode)

    def _fall_back(self, remembered: Media | None, error: Exception) -> Media:
        self._ask_again_at = time.monotonic() + PAUSE_SECONDS
        _logger.error("the store does not answer", error=repr(error), is_remembered=remembered is not None)
        if remembered is None:
            raise UnavailableError("The catalogue cannot be read at this moment. Try again in a few seconds.")
        return remembered

    def _remember(self, episode: UUID, media: Media | None) -> None:
        self._remembered.pop(episode, None)
        if media is not None:
            self._remembered[episode] = media
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
