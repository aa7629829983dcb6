"""What is remembered of a request for audio: enough to count a download by, not enough to know a person."""

import hashlib
from dataclasses import dataclass

import structlog
from starlette.requests import Request

from api import clock
from api.addresses import network
from api.events.log import EventLog, Record
from api.events.records import Hit, pack
from models.queries.catalogue import Media

MAX_HEADER_CHARACTERS = 1024
"""User agents in the field are shorter; more than this is somebody filling the log."""
CONSUMER_BYTES = 16

_logger = structlog.get_logger(__name__)


def consumer_key(secret: str) -> bytes:
    """The key that consumers are hashed with: another one than what signs tokens, from the same secret."""
    return hashlib.blake2b(secret.encode(), digest_size=32, person=b"consumer").digest()


def consumer_of(key: bytes, host: str, user_agent: str) -> bytes:
    """Keyed hash of network and user agent: the same for the same consumer, no way back without the key."""
    text = f"{network(host)}\n{user_agent}".encode()
    return hashlib.blake2b(text, key=key, digest_size=CONSUMER_BYTES).digest()


@dataclass(frozen=True, slots=True)
class HitRecorder:
    """Appends hits to the log; never waits and never fails, since audio must go out whatever the log does."""

    log: EventLog
    key: bytes

    def record(self, request: Request, media: Media, status: int, sent_bytes: int) -> None:
        """Append one hit; `sent_bytes` is audio handed to the connection, so a cut download counts what went out."""
        try:
            hit = self._hit(request, media, status, sent_bytes)
            if not self.log.append_nowait(Record(hit.consumer, pack(hit))):
                _logger.warning("hit dropped: the event log is full", episode=hit.episode)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the log is not the listener's problem
            _logger.error("hit dropped: the event log failed", episode=str(media.episode), error=str(error))

    def _hit(self, request: Request, media: Media, status: int, sent_bytes: int) -> Hit:
        headers = request.headers
        user_agent = headers.get("user-agent", "")[:MAX_HEADER_CHARACTERS]
        return Hit(
            at_ms=clock.now_ms(),
            episode=str(media.episode),
            consumer=consumer_of(self.key, request.client.host if request.client else "", user_agent),
            method=request.method,
            status=status,
            range=headers.get("range", "")[:MAX_HEADER_CHARACTERS],
            sent_bytes=sent_bytes,
            user_agent=user_agent,
            referrer=headers.get("referer", "")[:MAX_HEADER_CHARACTERS],
            audio_sha256=media.sha256,
        )
