"""Lets nobody past who is not signed in: neither to pages nor to the websocket they live on."""

from collections.abc import Callable
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.session import COOKIE

OPEN_PATHS = frozenset({"/sign-in", "/sign-out", "/sign-in.css", "/earshot.svg", "/healthz", "/_stcore/health"})
OPEN_PREFIX = "/static/"
"""Streamlit's own scripts and fonts, the same for everybody."""


class Gate:
    """ASGI middleware; `find_user` gives whoever a session token belongs to, or None."""

    def __init__(self, app: ASGIApp, find_user: Callable[[str | None], object | None]) -> None:
        self.app = app
        self.find_user = find_user

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is open or signed in; turn away the rest."""
        if scope["type"] == "lifespan" or _is_open(scope["path"]) or await self._is_signed_in(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Closing before accepting answers the handshake with 403.
            await send({"type": "websocket.close", "code": 4401, "reason": "sign in first"})
        else:
            await _refusal(scope)(scope, receive, send)

    async def _is_signed_in(self, scope: Scope) -> bool:
        token = HTTPConnection(scope).cookies.get(COOKIE)
        return await run_in_threadpool(self.find_user, token) is not None


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_PREFIX)


def _refusal(scope: Scope) -> Response:
    wants_page = "text/html" in HTTPConnection(scope).headers.get("accept", "")
    if scope["method"] not in {"GET", "HEAD"} or not wants_page:
        return PlainTextResponse("Sign in first: open /sign-in in a browser.", status_code=401)
    query = scope["query_string"].decode("latin-1")
    target = scope["path"] + (f"?{query}" if query else "")
    return RedirectResponse(f"/sign-in?next={quote(target, safe='')}", status_code=303)
