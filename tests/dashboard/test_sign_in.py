"""Signing in and out, against the real API in this process unless a test says otherwise."""

import hashlib
from collections.abc import Callable, Iterator

import httpx2
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session, select
from starlette.applications import Starlette
from starlette.testclient import TestClient as Browser

from api import passwords
from api.app import create_app
from api.settings import Settings
from dashboard import sign_in
from models.tables import User, WebSession
from tests.factories import make_user

ORIGIN = {"origin": "http://testserver"}
GOOD = {"email": "mara@example.com", "password": "correct horse"}


def answering(handler: Callable[[httpx2.Request], httpx2.Response], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this function answer the dashboard's calls instead of the network."""
    whole = httpx2.AsyncClient

    def client(**options) -> httpx2.AsyncClient:
        return whole(transport=httpx2.MockTransport(handler), **options)

    monkeypatch.setattr(sign_in.httpx2, "AsyncClient", client)


@pytest.fixture
def user(dashboard_store: Engine) -> User:
    """Someone with a password."""
    with Session(dashboard_store, expire_on_commit=False) as session:
        user, _ = make_user(session, email=GOOD["email"])
        user.password_hash = passwords.hash_password(GOOD["password"])
        session.commit()
        return user


@pytest.fixture
def api(dashboard_store: Engine, tmp_path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list]:
    """The real API; the list has every request that it was sent."""
    sent: list[httpx2.Request] = []
    with TestClient(create_app(Settings(home=tmp_path, store_url=sqlite_url, sign_ins_per_minute=3))) as client:

        def forward(request: httpx2.Request) -> httpx2.Response:
            sent.append(request)
            answer = client.request(request.method, request.url.path, content=request.content, headers=request.headers)
            return httpx2.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)

        answering(forward, monkeypatch)
        yield sent


@pytest.fixture
def browser() -> Browser:
    """A browser on the sign-in routes."""
    return Browser(Starlette(routes=sign_in.routes()), follow_redirects=False)


def sessions(engine: Engine) -> list[WebSession]:
    """Who is signed in."""
    with Session(engine) as session:
        return list(session.exec(select(WebSession)))


def test_the_form_names_its_fields_and_needs_no_script(browser: Browser) -> None:
    answer = browser.get("/sign-in")
    assert answer.status_code == 200
    for part in ("E-mail address", "Password", 'autocomplete="current-password"', 'lang="en"'):
        assert part in answer.text
    assert "<script" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_the_style_sheet_points_at_fonts_of_this_server(browser: Browser) -> None:
    css = browser.get("/sign-in.css").text
    assert css.count('url("/static/media/Source') == 2
    assert "//" not in css


@pytest.mark.usefixtures("api", "user")
def test_the_right_password_gets_a_cookie_that_scripts_cannot_read(browser: Browser, dashboard_store: Engine) -> None:
    answer = browser.post("/sign-in", data={**GOOD, "next": "/episodes?episode=7"}, headers=ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/episodes?episode=7")
    cookie = answer.headers["set-cookie"].lower()
    assert all(flag in cookie for flag in ("httponly", "samesite=lax", "path=/", "max-age="))
    assert "secure" not in cookie
    (row,) = sessions(dashboard_store)
    assert row.token_hash == hashlib.sha256(answer.cookies["earshot_session"].encode()).digest()


@pytest.mark.usefixtures("api", "user")
def test_behind_https_the_cookie_never_travels_in_the_clear(dashboard_store: Engine) -> None:
    browser = Browser(Starlette(routes=sign_in.routes()), base_url="https://stats.example.com", follow_redirects=False)
    answer = browser.post("/sign-in", data=GOOD, headers={"origin": "https://stats.example.com"})
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.usefixtures("api", "user")
def test_a_wrong_password_is_told_so_and_signs_nobody_in(browser: Browser, dashboard_store: Engine) -> None:
    answer = browser.post("/sign-in", data={**GOOD, "password": "wrong"}, headers=ORIGIN)
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert "do not belong together" in answer.text
    assert 'value="mara@example.com"' in answer.text
    assert "wrong" not in answer.text
    assert "set-cookie" not in answer.headers
    assert sessions(dashboard_store) == []


@pytest.mark.usefixtures("api", "user")
def test_too_many_attempts_are_asked_to_wait(browser: Browser) -> None:
    for _ in range(3):
        browser.post("/sign-in", data={**GOOD, "password": "wrong"}, headers=ORIGIN)
    answer = browser.post("/sign-in", data=GOOD, headers=ORIGIN)
    assert answer.status_code == 429
    assert "Too many attempts. Wait " in answer.text


def test_an_api_that_does_not_answer_is_named(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    answering(refuse, monkeypatch)
    answer = browser.post("/sign-in", data=GOOD, headers=ORIGIN)
    assert answer.status_code == 503
    assert "does not answer" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "http://testserver", "sec-fetch-site": "same-site"},
    ],
)
def test_a_form_on_another_site_signs_nobody_in(browser: Browser, user: User, api: list, headers) -> None:
    answer = browser.post("/sign-in", data=GOOD, headers=headers)
    assert answer.status_code == 403
    assert api == []
    assert "set-cookie" not in answer.headers


def test_the_api_is_told_whose_attempt_it_is(browser: Browser, user: User, api: list) -> None:
    browser.post("/sign-in", data=GOOD, headers=ORIGIN)
    assert api[0].headers["x-forwarded-for"] == "testclient"


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "/sign-out", "", "/a\r\nb: c"]
)
@pytest.mark.usefixtures("api", "user")
def test_after_signing_in_nobody_is_sent_elsewhere(browser: Browser, target: str) -> None:
    answer = browser.post("/sign-in", data={**GOOD, "next": target}, headers=ORIGIN)
    assert answer.headers["location"] == "/"


def test_what_a_visitor_typed_is_text_and_not_markup(browser: Browser) -> None:
    assert "<img" not in browser.get("/sign-in", params={"next": '/"><img src=x>'}).text


@pytest.mark.parametrize("data", [{}, {"email": "mara@example.com"}, {"email": " ", "password": "x"}])
def test_an_empty_field_is_asked_for(browser: Browser, data: dict[str, str]) -> None:
    answer = browser.post("/sign-in", data=data, headers=ORIGIN)
    assert answer.status_code == 422
    assert "Enter your e-mail address and your password." in answer.text


@pytest.mark.parametrize("body", [b"email=" + b"a" * 20_000, b"&".join([b"a=1"] * 50)])
def test_a_form_beyond_reason_is_refused(browser: Browser, body: bytes) -> None:
    headers = {**ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    assert browser.post("/sign-in", content=body, headers=headers).status_code == 413


@pytest.mark.usefixtures("api", "user")
@pytest.mark.parametrize(
    ("method", "headers"), [("POST", ORIGIN), ("GET", {"sec-fetch-site": "same-origin"}), ("GET", {})]
)
def test_signing_out_ends_the_session_in_the_store(
    browser: Browser, dashboard_store: Engine, method: str, headers: dict[str, str]
) -> None:
    browser.post("/sign-in", data=GOOD, headers=ORIGIN)
    assert len(sessions(dashboard_store)) == 1
    answer = browser.request(method, "/sign-out", headers=headers)
    assert sessions(dashboard_store) == []
    assert "You are signed out." in answer.text
    assert "max-age=0" in answer.headers["set-cookie"].lower()


@pytest.mark.usefixtures("api", "user")
def test_a_link_on_another_site_signs_nobody_out(browser: Browser, dashboard_store: Engine) -> None:
    browser.post("/sign-in", data=GOOD, headers=ORIGIN)
    answer = browser.get("/sign-out", headers={"sec-fetch-site": "cross-site"})
    assert "Sign out?" in answer.text
    assert len(sessions(dashboard_store)) == 1
    assert "set-cookie" not in answer.headers


def test_signing_out_without_the_api_says_what_is_left(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(lambda _request: httpx2.Response(503), monkeypatch)
    browser.cookies["earshot_session"] = "token"
    answer = browser.post("/sign-out", headers=ORIGIN)
    assert "did not answer" in answer.text
    assert "max-age=0" in answer.headers["set-cookie"].lower()
