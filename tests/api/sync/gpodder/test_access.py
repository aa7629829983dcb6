"""Who may do what: one's own, with one's own password or session, and nothing else."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session, select

from api import passwords
from api.settings import Settings
from api.sync.gpodder import service
from api.sync.gpodder.access import Passes
from api.sync.gpodder.routes import PARTS
from models.listeners import Listener, ListenerSession
from models.queries import listeners
from tests.api.sync.gpodder.conftest import EPISODE, FEED, App, play

LOGIN = "/api/2/auth/{user}/login.json"
FIELDS = {"device": "phone", "form": "json", "scope": "account"}


def routes_of_listeners() -> Iterator[tuple[str, str]]:
    """Method and path of every route with a listener's name in it, `{user}` left open."""
    for route in (route for part in PARTS for route in part.routes):
        assert isinstance(route, APIRoute)
        if "{user}" in route.path:
            path = route.path.format(user="{user}", **FIELDS)
            yield from ((method, path) for method in sorted(route.methods))


ROUTES = sorted(set(routes_of_listeners()))
BODIES: dict[str, Any] = {"/api/2/episodes/{user}.json": [play()], "/subscriptions/{user}/phone.json": [FEED]}


def everything(app: App) -> dict[str, Any]:
    """All that is kept of a listener."""
    return {path: app.get(path) for method, path in ROUTES if method == "GET" and not path.startswith("/api/2/auth")}


def test_the_generated_tests_have_routes_to_try() -> None:
    some = {("POST", LOGIN), ("POST", "/api/2/episodes/{user}.json"), ("PUT", "/subscriptions/{user}/phone.json")}
    assert some <= set(ROUTES)
    assert len(ROUTES) >= 16


def test_the_description_of_the_api_refers_to_nothing_that_is_missing(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert {path for path in described["paths"] if path.startswith(("/api/2/", "/subscriptions/"))}
    missing = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described))) - set(
        described["components"]["schemas"]
    )
    assert missing == set()


@pytest.fixture
def busy(ada: App) -> App:
    """A listener with something of everything."""
    ada.post("/api/2/devices/{user}/phone.json", {"caption": "Mine", "type": "mobile"})
    ada.post("/api/2/subscriptions/{user}/phone.json", {"add": [FEED], "remove": []})
    ada.post("/api/2/settings/{user}/account.json", {"set": {"colour": "blue"}})
    ada.post(f"/api/2/settings/{{user}}/episode.json?podcast={FEED}&episode={EPISODE}", {"set": {"is_favorite": True}})
    ada.tell(play())
    return ada


def test_nobody_reads_or_changes_what_is_anothers(client: TestClient, busy: App, listen: Callable[[str], App]) -> None:
    before = everything(busy)
    bob = listen("bob")
    bob.call("POST", LOGIN)
    by_cookie = TestClient(client.app, cookies=dict(bob.client.cookies))
    for method, path in ROUTES:
        to, body = path.format(user="ada"), {"json": BODIES.get(path, {"add": [EPISODE], "set": {"colour": "red"}})}
        if method == "GET":
            body = {}
        assert bob.call(method, to, **body).status_code == 403, (method, path)
        assert by_cookie.request(method, to, **body).status_code == 401, (method, path)
        assert busy.call(method, to, auth=("ada", bob.password), **body).status_code == 401, (method, path)
        nobody = client.request(method, to, **body)
        assert nobody.status_code == 401, (method, path)
        assert nobody.headers["www-authenticate"].startswith("Basic "), (method, path)
        client.app.state.listener_attempts = service.Attempts(10)  # type: ignore[attr-defined]
    assert everything(busy) == before
    assert bob.get("/api/2/devices/{user}.json") == bob.actions() == []


def test_with_ones_own_password_every_route_answers(busy: App) -> None:
    for method, path in ROUTES:
        body = {} if method == "GET" else {"json": BODIES.get(path, {})}
        assert busy.call(method, path, **body).status_code == 200, (method, path)


def test_a_session_stands_for_the_password_until_signing_out(ada: App) -> None:
    login = ada.call("POST", LOGIN)
    cookie = login.headers["set-cookie"]
    assert (login.status_code, login.content) == (200, b"")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert ada.call("GET", "/api/2/devices/{user}.json", auth=None).status_code == 200
    assert ada.call("POST", LOGIN, auth=None).status_code == 200
    token = ada.client.cookies["sessionid"]
    assert ada.call("POST", "/api/2/auth/{user}/logout.json", auth=None).status_code == 200
    ada.client.cookies.set("sessionid", token)
    assert ada.call("GET", "/api/2/devices/{user}.json", auth=None).status_code == 401


def test_a_cookie_left_from_another_account_does_not_stand_in_the_way(ada: App, listen: Callable[[str], App]) -> None:
    bob = listen("bob")
    ada.call("POST", LOGIN)
    bob.client.cookies = ada.client.cookies
    assert bob.call("POST", LOGIN).status_code == 200
    assert bob.call("GET", "/api/2/devices/{user}.json", auth=None).status_code == 200


def test_the_password_with_every_request_is_one_session_and_one_run_of_argon2(
    client: TestClient, engine: Engine, ada: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    check = passwords.is_password
    monkeypatch.setattr(passwords, "is_password", lambda *given: runs.append(given) or check(*given))
    for _ in range(3):
        ada.get("/api/2/devices/{user}.json")
        ada.client.cookies.clear()
    with Session(engine) as session:
        assert len(session.exec(select(ListenerSession)).all()) == 1
    assert len(runs) == 1


def test_a_new_password_ends_sessions_and_the_old_password_at_once(engine: Engine, ada: App) -> None:
    ada.call("POST", LOGIN)
    with Session(engine) as session:
        renewed = service.renew_password(session, "ada").password
        session.commit()
    assert ada.call("POST", LOGIN, auth=None).status_code == 401
    assert ada.call("POST", LOGIN).status_code == 401
    assert ada.call("POST", LOGIN, auth=("ada", renewed)).status_code == 200


def test_the_store_keeps_only_hashes(engine: Engine, ada: App) -> None:
    ada.call("POST", LOGIN)
    with Session(engine) as session:
        assert session.exec(select(ListenerSession.token_hash)).one() == passwords.hash_token(
            ada.client.cookies["sessionid"]
        )
        assert session.exec(select(Listener.password_hash)).one().startswith("$argon2id$")


def test_names_are_the_same_in_any_case(ada: App) -> None:
    assert ada.call("GET", "/api/2/devices/Ada.json", auth=("ADA", ada.password)).status_code == 200


@pytest.mark.parametrize("name", ["ada", "nobody", "a\0b", "", "x" * 500])
def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(ada: App, name: str) -> None:
    answer = ada.call("POST", LOGIN, auth=(name, "wrong"))
    assert (answer.status_code, answer.json()["error"]) == (401, "bad_credentials")
    assert answer.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic YWRh", "Bearer x", "Basic " + "A" * 101, "\xff", "Basic \xe9"]
)
def test_a_header_that_cannot_be_read_is_no_password(client: TestClient, header: str) -> None:
    answer = client.get("/api/2/devices/ada.json", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401


def test_a_password_beyond_ascii_is_understood(client: TestClient, engine: Engine) -> None:
    with Session(engine) as session:
        service.add_listener(session, "eve", "Übergrößenträger")
        session.commit()
    for encoding in ("utf-8", "latin-1"):
        sent = base64.b64encode("eve:Übergrößenträger".encode(encoding)).decode()
        answer = client.get("/api/2/devices/eve.json", headers={"Authorization": f"Basic {sent}"})
        assert answer.status_code == 200


def test_an_expired_session_is_none(engine: Engine, ada: App) -> None:
    ada.call("POST", LOGIN)
    with Session(engine) as session:
        row = session.exec(select(ListenerSession)).one()
        row.expires_at = row.created_at
        session.commit()
    assert ada.call("POST", LOGIN, auth=None).status_code == 401
    assert ada.call("POST", LOGIN).status_code == 200
    assert ada.call("POST", LOGIN, auth=None).status_code == 200


def test_a_removed_listener_gets_in_no_more(engine: Engine, ada: App) -> None:
    ada.call("POST", LOGIN)
    with Session(engine) as session:
        service.remove_listener(session, "ada")
        session.commit()
    assert ada.call("POST", LOGIN, auth=None).status_code == 401
    assert ada.call("POST", LOGIN).status_code == 401


@pytest.mark.parametrize("change", [service.renew_password, service.remove_listener])
def test_a_password_that_ends_while_it_is_checked_opens_no_session(
    engine: Engine, ada: App, monkeypatch: pytest.MonkeyPatch, change: Callable[[Session, str], Any]
) -> None:
    check = service.check_password

    def change_afterwards(*given: Any) -> Listener:
        found = check(*given)
        with Session(engine) as session:
            change(session, "ada")
            session.commit()
        return found

    monkeypatch.setattr(service, "check_password", change_afterwards)
    assert ada.call("POST", LOGIN).status_code == 401
    with Session(engine) as session:
        assert session.exec(select(ListenerSession)).all() == []


def test_a_long_body_is_not_read_before_it_is_known_who_sends_it(client: TestClient, ada: App) -> None:
    path = "/api/2/episodes/ada.json"
    long, longest = b"[" + b" " * 70_000 + b"]", b" " * (9 << 20)
    for sent in (long, longest, iter([longest])):
        assert client.post(path, content=sent).status_code == 401
        assert client.post(path, content=sent, auth=("ada", "wrong")).status_code == 401
    assert ada.call("POST", path, content=longest).status_code == 413
    ada.client.cookies.clear()
    for sent in (long, iter([long])):
        assert ada.call("POST", path, content=sent).status_code == 200
    assert ada.client.cookies["sessionid"]


def test_a_listener_removed_in_the_middle_of_a_request_is_told_so(
    engine: Engine, ada: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_sequence = listeners.raise_sequence

    def remove_first(session: Session, listener_id: int, now_seconds: int) -> int | None:
        with Session(engine) as other:
            service.remove_listener(other, "ada")
            other.commit()
        return raise_sequence(session, listener_id, now_seconds)

    monkeypatch.setattr(listeners, "raise_sequence", remove_first)
    assert ada.call("POST", "/api/2/episodes/{user}.json", json=[play()]).status_code == 401


class TestTooManyAttempts:
    """Three may fail in a minute."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        """Few attempts."""
        return settings.model_copy(update={"sign_ins_per_minute": 3})

    def test_they_have_to_wait_and_are_not_refused(self, ada: App, listen: Callable[[str], App]) -> None:
        assert [ada.call("POST", LOGIN, auth=("ada", "wrong")).status_code for _ in range(3)] == [401] * 3
        answer = ada.call("POST", LOGIN)
        assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
        assert 1 <= int(answer.headers["retry-after"]) <= 60

    def test_who_is_in_already_stays_in(self, client: TestClient, ada: App, listen: Callable[[str], App]) -> None:
        ada.call("POST", LOGIN)
        guesses = [listen("ada").call("POST", LOGIN, auth=("ada", "wrong")).status_code for _ in range(4)]
        assert guesses == [401, 401, 401, 503]
        assert ada.call("POST", LOGIN).status_code == 200
        assert ada.call("POST", LOGIN, auth=None).status_code == 200
        client.app.state.listener_passes = Passes()  # type: ignore[attr-defined]
        assert ada.call("POST", LOGIN).status_code == 200
        assert listen("ada").call("POST", LOGIN).status_code == 503

    def test_a_cookie_of_somebody_else_lets_nobody_guess_on(self, ada: App, listen: Callable[[str], App]) -> None:
        bob = listen("bob")
        bob.call("POST", LOGIN)
        guesses = [bob.call("POST", "/api/2/auth/ada/login.json", auth=("ada", "wrong")).status_code for _ in range(4)]
        assert guesses == [401, 401, 401, 503]
