"""Bounds on JSON bodies, refused in the shape of all our refusals."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.types import Message

from api.errors import ApiError, TooLargeError

MAX_JSON_BYTES = 256 * 1024

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class BoundedRoute(APIRoute):
    """A route whose body is small: `APIRouter(route_class=BoundedRoute)`.

    FastAPI's own `max_body_size` answers in plain text, which clients of a JSON API cannot read.
    """

    max_body_bytes = MAX_JSON_BYTES

    def get_route_handler(self) -> Handler:
        """FastAPI's handler, behind the check."""
        handle = super().get_route_handler()

        async def handle_bounded(request: Request) -> Response:
            body = await _read(request, self.max_body_bytes)

            async def receive() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            return await handle(Request(request.scope, receive))

        return handle_bounded


async def _read(request: Request, max_bytes: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > max_bytes:
                raise _too_large(max_bytes)
    except ClientDisconnect as error:
        raise ApiError("The connection ended before the body did.") from error
    return bytes(body)


def _too_large(max_bytes: int) -> TooLargeError:
    return TooLargeError(f"A body has at most {max_bytes:,} bytes here. Send less.")
