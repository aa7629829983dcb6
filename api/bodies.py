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

    def get_route_handler(self) -> Handler:
        """FastAPI's handler, behind the check."""
        handle = super().get_route_handler()

        async def handle_bounded(request: Request) -> Response:
            body = await _read(request)

            async def receive() -> Message:
                return {"type": "http.request", "body": body, "more_body": False}

            return await handle(Request(request.scope, receive))

        return handle_bounded


async def _read(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > MAX_JSON_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_JSON_BYTES:
                raise _too_large()
    except ClientDisconnect as error:
        raise ApiError("The connection ended before the body did.") from error
    return bytes(body)


def _too_large() -> TooLargeError:
    return TooLargeError(f"A JSON body has at most {MAX_JSON_BYTES:,} bytes here. Send less.")
