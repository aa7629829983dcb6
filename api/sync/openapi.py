"""Documents the hot route, which FastAPI knows nothing of, in the service's OpenAPI."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

from api.errors import ErrorBody
from api.sync.schemas import BatchIn, BatchOut

_described = APIRouter()


@_described.post(
    "/v1/sync",
    status_code=202,
    tags=["sync"],
    operation_id="sync",
    responses={
        401: {"model": ErrorBody, "description": "The token is no good: register again and keep the log."},
        413: {"model": ErrorBody, "description": "Over 1 MiB unpacked or over 500 events: send less."},
        422: {"model": ErrorBody, "description": "The envelope is unreadable, or the events are not contiguous."},
        503: {
            "model": ErrorBody,
            "description": "Transient, rate limits too: keep everything and come again.",
            "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}},
        },
    },
    openapi_extra={"security": [{"DeviceToken": []}]},
)
def describe_sync(body: BatchIn) -> BatchOut:
    """Send a batch of a device's log. The body may be packed: `Content-Encoding: gzip` or `zstd`.

    202 comes only after the batch is on disk; then the client may delete all it sent. One bad event never fails the
    others: it is in `rejected` with its cause and would never be accepted. A batch may be sent any number of times.
    """
    raise NotImplementedError(body)  # only described here; `hot.py` answers


def document(app: FastAPI) -> None:
    """Make `app.openapi()` tell of the hot route too."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            routes = [*app.routes, *_described.routes]
            app.openapi_schema = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=routes
            )
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
