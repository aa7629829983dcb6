"""Who is asking: HTTP Basic with each request, or the session cookie that every answer to it sets."""

import base64
import hmac
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Lock
from typing import Annotated

from fastapi import Depends, FastAPI, Path, Request, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from api import clock, passwords
from api.addresses import host_of, network
from api.attempts import Attempts
from api.bodies import BoundedRoute, Handler
from api.deps import ReadSessionDep
from api.errors import ForbiddenError, UnauthenticatedError, UnavailableError
from api.sync.gpodder import service
from models.listeners import Listener
from models.queries import listeners

COOKIE = "sessionid"
"""As gpodder.net calls it; some apps look for the name."""
PASS_SECONDS = 3600.0
MOST_PASSES = 10_000
MAX_BODY_BYTES = 8 << 20
"""About 25,000 episode actions: an app that was offline for years sends all in one request."""
MAX_STRANGERS_BYTES = 64 << 10
"""Of a body that is read before it is known who sends it; for a longer one, name and password come first."""


class ListenerUnauthenticatedError(UnauthenticatedError):
    """No listener is signed in, or name or password is wrong."""

    headers = {"WWW-Authenticate": 'Basic realm="Earshot listeners", charset="UTF-8"'}  # noqa: RUF012 - never changed


class Passes:
    """Sign-ins of the last hour: apps send the password with every request, and argon2 is slow on purpose.

    Kept in this process, under a key of its own; a new password makes the old one's passes useless.
    """

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._tokens: dict[bytes, tuple[str, float]] = {}
        self._lock = Lock()

    def find(self, listener: Listener, password: str) -> str | None:
        """The session token that this password was given lately."""
        with self._lock:
            token, until = self._tokens.get(self._name(listener, password), ("", 0.0))
        return token if until > time.monotonic() else None

    def keep(self, listener: Listener, password: str, token: str) -> None:
        """Remember a right password and the token it was given."""
        with self._lock:
            if len(self._tokens) >= MOST_PASSES:
                self._tokens.clear()
            self._tokens[self._name(listener, password)] = (token, time.monotonic() + PASS_SECONDS)

    def _name(self, listener: Listener, password: str) -> bytes:
        return hmac.digest(self._key, f"{listener.uuid}\n{listener.password_hash}\n{password}".encode(), "sha256")


class ListenerBasic(HTTPBasic):
    """HTTP Basic as podcast apps send it: UTF-8 too, and what cannot be read is as good as not sent."""

    async def __call__(self, request: Request) -> HTTPBasicCredentials | None:  # type: ignore[override]
        """Name and password."""
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            decoded = base64.b64decode(encoded)
        except ValueError:  # no base64; a header beyond ASCII is no binascii.Error
            return None
        try:
            text = decoded.decode()
        except UnicodeDecodeError:
            text = decoded.decode("latin-1")
        name, _, password = text.partition(":")
        return HTTPBasicCredentials(username=name, password=password)


_basic = ListenerBasic(scheme_name="Listener", description="A listener's name and password.", auto_error=False)


class GpodderRoute(BoundedRoute):
    """A route of this API: bodies may be long, answers are nobody else's, and a new session goes with them."""

    max_body_bytes = MAX_BODY_BYTES

    def get_route_handler(self) -> Handler:
        """The bounded handler, with headers added."""
        handle = super().get_route_handler()

        async def handle_listener(request: Request) -> Response:
            if _is_long(request):
                await run_in_threadpool(_check_sender, request, await _basic(request))
            response = await handle(request)
            response.headers.setdefault("Cache-Control", "no-store")
            if token := getattr(request.state, "new_session", ""):
                set_session(request, response, token)
            return response

        return handle_listener


def _is_long(request: Request) -> bool:
    declared = request.headers.get("content-length", "")
    # Without a length it may become as long as it likes.
    is_open = "transfer-encoding" in request.headers
    return is_open or (declared.isdecimal() and int(declared) > MAX_STRANGERS_BYTES)


def _check_sender(request: Request, credentials: HTTPBasicCredentials | None) -> None:
    with Session(request.app.state.read_engine, expire_on_commit=False) as session:
        get_listener(request.path_params["user"], request, session, credentials)


def set_session(request: Request, response: Response, token: str) -> None:
    """Let the app keep its session."""
    is_secure = request.app.state.settings.resolved_base_url().startswith("https:")
    seconds = service.SESSION_DAYS * 86_400
    response.set_cookie(COOKIE, token, max_age=seconds, httponly=True, secure=is_secure, samesite="strict")


def get_listener(
    user: Annotated[str, Path(description="The listener's name; only one's own.")],
    request: Request,
    session: ReadSessionDep,
    credentials: Annotated[HTTPBasicCredentials | None, Depends(_basic)],
) -> Listener:
    """The listener whose name is in the path. Raises ListenerUnauthenticatedError, or ForbiddenError for another's."""
    # A password says more than a cookie, which may be left from another account of the same app.
    if credentials is not None:
        listener = _find_by_password(request, session, credentials)
        if listener.name != user.lower():
            raise ForbiddenError(f"This is somebody else's. You are signed in as {listener.name}: use that name here.")
        return listener
    found = _find_by_cookie(request, session)
    if found is None or found.name != user.lower():
        # Not 403: the app's next step is to send the password, and then it gets in.
        raise ListenerUnauthenticatedError("Sign in with your listener's name and password (HTTP Basic).")
    return found


ListenerDep = Annotated[Listener, Depends(get_listener)]


def _find_by_cookie(request: Request, session: Session) -> Listener | None:
    token = request.cookies.get(COOKIE, "")
    return listeners.get_listener_by_token(session, passwords.hash_token(token), clock.now()) if token else None


def _find_by_password(request: Request, session: Session, credentials: HTTPBasicCredentials) -> Listener:
    try:
        return _check_password(request, session, credentials)
    except UnavailableError:
        # Somebody guesses at the password. The listener's own apps, which have the cookie, must not wait for that.
        found = _find_by_cookie(request, session)
        if found is None or found.name != credentials.username.strip().lower():
            raise
        return found


def _check_password(request: Request, session: Session, credentials: HTTPBasicCredentials) -> Listener:
    state = request.app.state
    name, password = credentials.username, credentials.password
    listener = service.find_listener(session, name)
    token = state.listener_passes.find(listener, password) if listener else None
    if listener is None or token is None:
        host = network(host_of(request))
        listener = service.check_password(session, state.listener_attempts, name, password, host)
    if token is None or listeners.get_listener_by_token(session, passwords.hash_token(token), clock.now()) is None:
        with Session(state.engine) as writing:
            token = service.begin_session(writing, listener)
            writing.commit()
        state.listener_passes.keep(listener, password, token)
    if request.cookies.get(COOKIE) != token:
        request.state.new_session = token
    return listener


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """What the routes of this API share, in `app.state`."""
    app.state.listener_attempts = Attempts(app.state.settings.sign_ins_per_minute)
    app.state.listener_passes = Passes()
    passwords.nobodys_hash()  # made now, so that the first unknown name does not take twice as long
    yield
