"""`POST /v1/sync`, without a framework in the way.

It runs for every batch of every phone, so it is a bare ASGI callable: FastAPI's machinery around a route costs more
than all that is done here. Its documentation is put into the OpenAPI by `openapi.py`.
"""

from hashlib import sha256
from typing import Protocol

import msgspec
import structlog
from starlette.types import Receive, Scope, Send

from api import clock
from api.errors import ApiError, MethodError, UnauthenticatedError, UnavailableError
from api.events import EventLog, LogUnavailableError, Record
from api.events.records import SyncBatch, pack
from api.sync.allowance import Allowance
from api.sync.compression import MAX_BODY_BYTES, too_large, unpack_body
from api.sync.envelope import parse_batch
from api.sync.tokens import DeviceTokens
from models.metrics import LISTEN_SECONDS

_encode = msgspec.json.Encoder().encode
_logger = structlog.get_logger(__name__)
_KEEPS_THE_GIL = 2047
"""Bytes up to which hashlib does not release the GIL."""
_WORTH_THE_GIL = 64 << 10
_JSON = (b"content-type", b"application/json")


class SyncState(Protocol):
    """What the route needs of `app.state`."""

    tokens: DeviceTokens
    log: EventLog
    allowance: Allowance


class ClientGoneError(Exception):
    """The connection was cut before the body was whole; there is nobody to answer."""


async def take_batch(scope: Scope, receive: Receive, send: Send) -> None:
    """Take a batch: check it, append it durably, acknowledge it."""
    state = scope["app"].state
    headers: list[tuple[bytes, bytes]] = []
    try:
        status, body = 202, await _take(scope, receive, state)
    except ClientGoneError:
        return
    except ApiError as error:
        status = error.status
        headers = [(name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items()]
        body = _encode({"error": error.code, "message": error.message})
    headers += [_JSON, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _take(scope: Scope, receive: Receive, state: SyncState) -> bytes:
    if scope["method"] != "POST":
        raise MethodError("Send batches with POST.", "POST")
    token = encoding = ""
    for name, value in scope["headers"]:
        if name == b"authorization":
            token = value.decode("latin-1")
        elif name == b"content-encoding":
            encoding = value.decode("latin-1").strip().lower()
    device = state.tokens.device_of(token[7:].strip()) if token[:7].lower() == "bearer " else None
    if device is None:
        raise UnauthenticatedError("The token is no good. Register again with POST /v1/devices, and keep the log.")
    text = unpack_body(await _read_body(receive), encoding)
    batch = parse_batch(text)
    if not state.allowance.take(device.bytes, len(batch.accepted)):
        raise UnavailableError("This device sends more than any listener can hear. Keep the rest for later.", 60)
    receipt = _sha256(text)
    received_ms = clock.now_ms()
    record = SyncBatch(
        device.bytes,
        received_ms,
        receipt,
        batch.after,
        batch.head,
        batch.first_seq,
        batch.last_seq,
        batch.accepted,
    )
    try:
        await state.log.append(Record(device.bytes, pack(record)))
    except LogUnavailableError as error:
        _logger.warning("batch not taken", cause=str(error))
        raise UnavailableError("The batch could not be kept just now. Keep it and send it again.") from error
    return _encode(
        {
            "receipt": receipt.hex(),
            "server_time_ms": received_ms,
            "listen_seconds": LISTEN_SECONDS,
            "accepted": len(batch.accepted),
            "rejected": [{"seq": seq, "cause": cause} for seq, cause in batch.rejected],
        }
    )


def _sha256(text: bytes) -> bytes:
    """SHA-256, fed in pieces for which hashlib keeps the GIL: giving it up for microseconds of hashing costs a wait for
    the log's writer thread to hand it back."""
    if len(text) > _WORTH_THE_GIL:
        return sha256(text).digest()
    digest = sha256()
    for start in range(0, len(text), _KEEPS_THE_GIL):
        digest.update(text[start : start + _KEEPS_THE_GIL])
    return digest.digest()


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message["body"]  # nearly always: it came in one piece
        if len(body) > MAX_BODY_BYTES:
            raise too_large()
        return body
    parts, size = [], 0
    while True:
        if message["type"] != "http.request":
            raise ClientGoneError
        parts.append(message["body"])
        size += len(message["body"])
        if size > MAX_BODY_BYTES:
            raise too_large()
        if not message.get("more_body", False):
            return b"".join(parts)
        message = await receive()
