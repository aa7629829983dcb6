"""Nobody gets past the sign-in page without a session that is still good."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from dashboard import session
from dashboard.gate import Gate
from tests.dashboard.conftest import end_sessions, put_session, put_user

PAGE = {"accept": "text/html,application/xhtml+xml"}


async def _page(_request):
    return PlainTextResponse("the page")


async def _stream(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("the numbers")
    await websocket.close()


@pytest.fixture
def browser(dashboard_store: Engine) -> TestClient:
    """A browser before the gate; behind it, a page for every path and the stream."""
    routes = [WebSocketRoute("/_stcore/stream", _stream), Route("/{path:path}", _page, methods=["GET", "POST"])]
    app = Starlette(routes=routes, middleware=[Middleware(Gate, find_user=session.find_user)])
    return TestClient(app, follow_redirects=False)


@pytest.fixture
def signed_in(browser: TestClient, dashboard_store: Engine) -> TestClient:
    """The same browser with a good session."""
    put_session(dashboard_store, put_user(dashboard_store), "good")
    browser.cookies["earshot_session"] = "good"
    return browser


def test_a_stranger_who_wants_a_page_is_sent_to_the_sign_in_page_and_back(browser: TestClient) -> None:
    answer = browser.get("/episodes?episode=7&x=1", headers=PAGE)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fepisodes%3Fepisode%3D7%26x%3D1"


@pytest.mark.parametrize("path", ["/_stcore/host-config", "/_stcore/upload_file/a/b", "/media/a.png", "/static"])
def test_a_stranger_who_wants_anything_else_is_refused(browser: TestClient, path: str) -> None:
    assert browser.get(path).status_code == 401
    assert browser.post(path, headers=PAGE).status_code == 401


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in.css", "/healthz", "/static/js/index.js"])
def test_what_the_sign_in_page_needs_is_open(browser: TestClient, path: str) -> None:
    assert browser.get(path, headers=PAGE).text == "the page"


@pytest.mark.parametrize("cookie", [None, "", "guessed"])
def test_a_strangers_websocket_is_refused(browser: TestClient, cookie: str | None) -> None:
    if cookie is not None:
        browser.cookies["earshot_session"] = cookie
    with pytest.raises(WebSocketDisconnect), browser.websocket_connect("/_stcore/stream"):
        pass


def test_somebody_signed_in_gets_pages_and_the_websocket(signed_in: TestClient) -> None:
    assert signed_in.get("/", headers=PAGE).text == "the page"
    with signed_in.websocket_connect("/_stcore/stream") as websocket:
        assert websocket.receive_text() == "the numbers"


def test_a_session_that_was_ended_opens_nothing(signed_in: TestClient, dashboard_store: Engine) -> None:
    end_sessions(dashboard_store)
    assert signed_in.get("/", headers=PAGE).status_code == 303
    with pytest.raises(WebSocketDisconnect), signed_in.websocket_connect("/_stcore/stream"):
        pass


def test_a_session_that_ran_out_opens_nothing(browser: TestClient, dashboard_store: Engine) -> None:
    put_session(dashboard_store, put_user(dashboard_store), "old", lasts=timedelta(seconds=-1))
    browser.cookies["earshot_session"] = "old"
    assert browser.get("/", headers=PAGE).status_code == 303
