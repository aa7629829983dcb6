"""Refusals: each has its own status and code, all have one shape, `{"error": code, "message": what to do}`."""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

_logger = structlog.get_logger(__name__)


class ErrorBody(BaseModel):
    """The shape of every refusal."""

    error: str
    """A stable code for programs."""
    message: str
    """What is wrong and what to do, for people."""


class ApiError(Exception):
    """A request that is refused on purpose."""

    status = 400
    code = "bad_request"
    headers: dict[str, str] | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnauthenticatedError(ApiError):
    """Nobody is signed in, or the key is no good."""

    status = 401
    code = "unauthenticated"
    headers = {"WWW-Authenticate": "Bearer"}  # noqa: RUF012 - never changed


class ForbiddenError(ApiError):
    """Signed in, but this role may not."""

    status = 403
    code = "forbidden"


class NotFoundError(ApiError):
    """Not there, or not yours: the answer is the same, so ids cannot be probed."""

    status = 404
    code = "not_found"


class ConflictError(ApiError):
    """It clashes with what is there."""

    status = 409
    code = "conflict"


class MethodError(ApiError):
    """The address is right and the method is not."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self.headers = {"Allow": allowed}


class TooLargeError(ApiError):
    """The body is over a limit."""

    status = 413
    code = "too_large"


class InvalidError(ApiError):
    """The request was understood and makes no sense."""

    status = 422
    code = "invalid"


class UnavailableError(ApiError):
    """Something transient; come back after `Retry-After` seconds."""

    status = 503
    code = "unavailable"

    def __init__(self, message: str, retry_after_seconds: int = 5) -> None:
        super().__init__(message)
        self.headers = {"Retry-After": str(retry_after_seconds)}


def documented(*errors: type[ApiError]) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says about the refusals of a route: `responses=documented(NotFoundError)`."""
    return {error.status: {"model": ErrorBody, "description": error.__doc__} for error in errors}


def install_handlers(app: FastAPI) -> None:
    """One shape for our refusals, FastAPI's own validation and unknown paths."""

    @app.exception_handler(ApiError)
    async def on_api_error(_request: Request, error: ApiError) -> JSONResponse:
        body = {"error": error.code, "message": error.message}
        return JSONResponse(body, status_code=error.status, headers=error.headers)

    @app.exception_handler(OperationalError)
    @app.exception_handler(InterfaceError)
    @app.exception_handler(PoolTimeoutError)
    async def on_store_error(request: Request, error: SQLAlchemyError) -> JSONResponse:
        # A store that is down or busy passes: devices and podcast apps come again after a 503, not after a 500.
        _logger.error("the store does not answer", path=request.url.path, error=str(error))
        return await on_api_error(request, UnavailableError("The store is busy or down. Try again in a few seconds."))

    @app.exception_handler(RequestValidationError)
    async def on_validation_error(_request: Request, error: RequestValidationError) -> JSONResponse:
        details = [{"field": ".".join(map(str, e["loc"])), "problem": e["msg"]} for e in error.errors()]
        first = f"{details[0]['field']}: {details[0]['problem']}" if details else "the request"
        body: dict[str, Any] = {"error": "invalid", "message": first, "details": details}
        return JSONResponse(jsonable_encoder(body), status_code=422)

    @app.exception_handler(HTTPException)
    async def on_http_error(_request: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "bad_request")
        body = {"error": code, "message": str(error.detail)}
        return JSONResponse(body, status_code=error.status_code, headers=error.headers)
