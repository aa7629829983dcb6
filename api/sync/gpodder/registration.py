"""The page where listeners make themselves an account: plain HTML that needs nothing from elsewhere."""

import base64
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Form, Request, Response
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.addresses import host_of, network
from api.bodies import BoundedRoute
from api.deps import ReadSessionDep, SessionDep
from api.errors import ApiError, TooLargeError, UnavailableError, documented
from api.sync.gpodder import service

PATH = "/listeners/register"
COOKIE = "registration"
FORM_SECONDS = 3600
ACCOUNTS_PER_HOUR = RateLimitItemPerHour(30)
"""From one address: a family or a small office, not a script."""
TRIES_PER_HOUR = RateLimitItemPerHour(60)
"""From one address, refused ones too: each could be a run of argon2, and tells whether a name is taken."""
STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#1b1f24;"
    "background:#fff}label{display:block;margin:1rem 0}input{display:block;width:100%;padding:.5rem;font:inherit;"
    "box-sizing:border-box}button{padding:.6rem 1.2rem;font:inherit}.error{color:#a3190b}dt{font-weight:600}"
    "code{word-break:break-all}@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#16181c}"
    ".error{color:#ff9a8d}}"
)
_STYLE_HASH = base64.b64encode(sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.listener_registrations = MovingWindowRateLimiter(MemoryStorage())
    yield


HTML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}}}

router = APIRouter(route_class=BoundedRoute, lifespan=_lifespan)


@router.get(PATH, response_class=Response, responses=HTML)
def show_form(request: Request) -> Response:
    """A form for people; programs have `earshot listeners add`."""
    if not request.app.state.settings.listener_registration:
        return _page("<p>Whoever runs this server gives out the accounts. Ask them for one.</p>", 404)
    return _form(request)


@router.post(
    PATH,
    response_class=Response,
    responses=HTML | documented(TooLargeError),
)
def register(
    request: Request,
    reading: ReadSessionDep,
    session: SessionDep,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    token: Annotated[str, Form()] = "",
) -> Response:
    """Make the account that the form asks for."""
    state = request.app.state
    if not state.settings.listener_registration:
        return show_form(request)
    if not _is_ours(request, token):
        return _form(request, name, "This page was open for long, or cookies are off. Please try again.", 403)
    try:
        _count(request, TRIES_PER_HOUR)
        service.refuse_taken(reading, name)
        reading.close()
        service.check_new(name, password)
        _count(request, ACCOUNTS_PER_HOUR)
        made = service.add_listener(session, name, password)
    except ApiError as error:
        session.rollback()
        answer = _form(request, name, error.message, error.status)
        answer.headers.update(error.headers or {})
        return answer
    return _page(_welcome(state.settings.resolved_base_url(), made.username))


def _count(request: Request, limit: RateLimitItemPerHour) -> None:
    """Counted before the work is done: a burst sent at once would else do it all. Raises UnavailableError."""
    host = network(host_of(request))
    if not request.app.state.listener_registrations.hit(limit, host):
        raise UnavailableError("Many accounts were made from your network. Try again in an hour.", 3600)


def _sign(request: Request, nonce: str) -> str:
    return hmac.digest(request.app.state.secret.encode(), f"registration\n{nonce}".encode(), "sha256").hex()


def _is_ours(request: Request, token: str) -> bool:
    """Whether the form was asked for by the browser that sends it: other sites can send a form, but know no cookie."""
    nonce = request.cookies.get(COOKIE, "")
    return bool(nonce) and hmac.compare_digest(_sign(request, nonce).encode(), token.encode("utf-8", "replace"))


def _form(request: Request, name: str = "", error: str = "", status: int = 200) -> Response:
    nonce = secrets.token_urlsafe(16)
    said = f'<p class="error" role="alert">{escape(error)}</p>' if error else ""
    response = _page(
        f"<p>With an account here, your podcast apps keep in step, and shows count what you hear offline.</p>{said}"
        f'<form method="post" action="{PATH}"><input type="hidden" name="token" value="{_sign(request, nonce)}">'
        f'<label>Name<input name="name" value="{escape(name[:64])}" autocomplete="username" autocapitalize="none" '
        f'maxlength="32" required></label><label>Password, at least {service.MIN_PASSWORD} characters'
        f'<input name="password" type="password" autocomplete="new-password" minlength="{service.MIN_PASSWORD}" '
        f'maxlength="{service.MAX_PASSWORD}" required></label><button>Make the account</button></form>',
        status,
    )
    is_secure = request.app.state.settings.resolved_base_url().startswith("https:")
    response.set_cookie(
        COOKIE, nonce, max_age=FORM_SECONDS, path=PATH, httponly=True, secure=is_secure, samesite="strict"
    )
    return response


def _welcome(base_url: str, name: str) -> str:
    server, user = f"<code>{escape(base_url)}</code>", f"<code>{escape(name)}</code>"
    return (
        f"<p>Your account is there. The server is {server}, your name {user}.</p><dl>"
        f"<dt>AntennaPod</dt><dd>Settings, Synchronization, gpodder.net. Server: {server}, user name: {user}.</dd>"
        f"<dt>gPodder</dt><dd>Preferences, gpodder.net. Server: {server}, user name: {user}.</dd>"
        f"<dt>Kasts</dt><dd>Settings, Synchronization, GPodder. Another server: {server}, user name: {user}.</dd></dl>"
    )


def _page(content: str, status: int = 200) -> Response:
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width,initial-scale=1"><title>Earshot for listeners</title><style>{STYLE}</style>'
        f"</head><body><h1>Earshot for listeners</h1>{content}</body></html>"
    )
    # A form can say to be in an encoding that has halves of characters; what was typed is shown again.
    return Response(html.encode("utf-8", "replace"), status, HEADERS, "text/html; charset=utf-8")
