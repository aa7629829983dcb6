"""Signing in and out: the browser talks to us, we talk to the API, and only the API writes sessions."""

from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dashboard import clock, settings, sign_in_page, theme
from dashboard.session import COOKIE

MAX_FORM_BYTES = 16_384
API_TIMEOUT_SECONDS = 10

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: a browser would then send `Origin: null` with the form.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def routes() -> list[Route]:
    """Everything a browser may fetch before it is signed in."""
    return [
        Route("/sign-in", show_form),
        Route("/sign-in", sign_in, methods=["POST"]),
        Route("/sign-out", sign_out, methods=["GET", "POST"]),
        Route("/sign-in.css", style),
        Route("/earshot.svg", logo),
    ]


async def show_form(request: Request) -> Response:
    """The empty form."""
    return _form(_local_target(request.query_params.get("next")))


async def sign_in(request: Request) -> Response:
    """Ask the API for a session and hand its token to the browser, where scripts cannot read it."""
    if not is_same_origin(request):
        return _form("/", error="This form was sent from another site. Try again here.", status=403)
    form = await _read_form(request)
    if form is None:
        return _form("/", error="That was too much text for a sign-in form.", status=413)
    target, email = _local_target(form.get("next")), form.get("email", "").strip()
    if not email or not form.get("password"):
        return _form(target, email=email, error="Enter your e-mail address and your password.", status=422)
    answer = await _call_api("POST", request, json={"email": email, "password": form["password"]})
    if answer is None or answer.status_code != 201:
        status, error = _why_not(answer)
        return _form(target, email=email, error=error, status=status)
    response = RedirectResponse(target, status_code=303, headers={"Cache-Control": "no-store"})
    _keep(response, request, answer.json())
    return response


async def sign_out(request: Request) -> Response:
    """End the session in the store and forget the cookie. A link from another site only gets asked first."""
    if not is_same_origin(request):
        return HTMLResponse(sign_in_page.page("Sign out", sign_in_page.SIGN_OUT_FORM), headers=HEADERS)
    token = request.cookies.get(COOKIE)
    answer = await _call_api("DELETE", request, headers={"Authorization": f"Bearer {token}"}) if token else None
    is_over = token is None or (answer is not None and answer.status_code in {204, 401})
    notice = (
        "You are signed out."
        if is_over
        else "You are signed out in this browser. Earshot's API did not answer, so the session itself stays open until "
        "it runs out."
    )
    response = _form("/", notice=notice)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return response


async def style(_request: Request) -> Response:
    """The sign-in page's style sheet."""
    css = theme.sign_in_css(_font("SourceSansVF-Upright"), _font("SourceSerifVariable-Roman"))
    return Response(css, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


async def logo(_request: Request) -> Response:
    """The mark, as icon."""
    return Response(theme.LOGO_SVG, media_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})


def is_same_origin(request: Request) -> bool:
    """Whether our own page, or a person typing the address, made this request.

    Browsers send `Sec-Fetch-Site` with everything and `Origin` with every POST. A client that sends neither is not a
    browser and carries nobody's cookies.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _local_target(target: str | None) -> str:
    # `//host` and `/\host` would take the browser to another site.
    is_local = target is not None and target.startswith("/") and target[1:2] not in {"/", "\\"} and target.isprintable()
    return target if target is not None and is_local and not target.startswith("/sign-") else "/"


def _form(target: str, *, status: int = 200, **said: str) -> HTMLResponse:
    return HTMLResponse(sign_in_page.sign_in(target=target, **said), status, HEADERS)


async def _read_form(request: Request) -> dict[str, str] | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return None
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return None
    return {name: values[0] for name, values in fields.items()}


async def _call_api(
    method: str, request: Request, *, json: dict[str, str] | None = None, headers: dict[str, str] | None = None
) -> httpx2.Response | None:
    # The API limits attempts by address; without this, one attacker would lock out everybody who signs in here.
    # It believes the header from the hosts its uvicorn trusts, which by default is this machine.
    forwarded = {"X-Forwarded-For": request.client.host} if request.client else {}
    url = f"{settings.current().resolved_api_url()}/v1/session"
    try:
        async with httpx2.AsyncClient(timeout=API_TIMEOUT_SECONDS, trust_env=False) as client:
            return await client.request(method, url, json=json, headers={**forwarded, **(headers or {})})
    except httpx2.HTTPError:
        return None


def _why_not(answer: httpx2.Response | None) -> tuple[int, str]:
    """Status and text for a refused sign-in; `answer` is None when the API could not be reached."""
    if answer is None or answer.status_code >= 500:
        return 503, "Earshot's API does not answer, so nobody can sign in at the moment. Try again in a minute."
    if answer.status_code == 429:
        wait = answer.headers.get("retry-after", "60")
        return 429, f"Too many attempts. Wait {wait} seconds, then try again."
    if answer.status_code == 401:
        return 401, "This e-mail address and password do not belong together. Check both and try again."
    return 422, "Enter your e-mail address and your password."


def _keep(response: Response, request: Request, session: dict[str, str]) -> None:
    expires_at = datetime.fromisoformat(session["expires_at"])
    response.set_cookie(
        COOKIE,
        session["token"],
        max_age=max(0, int((expires_at - clock.now()).total_seconds())),
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def _font(name: str) -> str:
    # Streamlit names its files by their content, so the address changes with its version.
    folder = Path(streamlit.__file__).parent / "static" / "static" / "media"
    found = sorted(folder.glob(f"{name}*.woff2"))
    return f"/static/media/{found[0].name}" if found else ""
