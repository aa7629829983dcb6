"""The page where listeners make themselves an account."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session

from api import passwords
from api.settings import Settings
from api.sync.gpodder import registration, service
from models.listeners import Listener
from models.queries import listeners

PATH = registration.PATH
PASSWORD = "correct horse"


def token_of(page: str) -> str:
    return re.search(r'name="token" value="(\w+)"', page)[1]


def register(client: TestClient, name: str = "ada", password: str = PASSWORD, **more: str):
    return client.post(
        PATH, data={"name": name, "password": password, "token": token_of(client.get(PATH).text), **more}
    )


def names(engine: Engine) -> list[str]:
    with Session(engine) as session:
        return [listener.name for listener, _ in listeners.list_listeners(session)]


def test_who_registers_can_sign_in_and_is_told_what_to_type(client: TestClient, engine: Engine) -> None:
    page = register(client, "Ada")
    assert page.status_code == 200
    for words in ("http://127.0.0.1:8000", "ada", "AntennaPod", "gPodder", "Kasts"):
        assert words in page.text
    assert PASSWORD not in page.text
    assert client.post("/api/2/auth/ada/login.json", auth=("ada", PASSWORD)).status_code == 200
    assert names(engine) == ["ada"]


REFUSED = {
    "a name that is taken": ("Taken", PASSWORD, 409),
    "no name": ("", PASSWORD, 422),
    "a name with markup": ("<b>", PASSWORD, 422),
    "a short password": ("ada", "short", 422),
    "an endless password": ("ada", "x" * 201, 422),
}


@pytest.mark.parametrize(("name", "password", "status"), REFUSED.values(), ids=REFUSED)
def test_what_will_not_do_is_said_on_the_page(
    client: TestClient, engine: Engine, name: str, password: str, status: int
) -> None:
    with Session(engine) as session:
        service.add_listener(session, "taken")
        session.commit()
    page = register(client, name, password)
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert 'role="alert"' in page.text
    assert names(engine) == ["taken"]


def test_what_was_typed_comes_back_escaped(client: TestClient) -> None:
    page = register(client, '"><script>alert(1)</script>').text
    assert "<script" not in page
    assert "&quot;&gt;&lt;script&gt;" in page


def test_a_form_sent_from_another_site_makes_nothing(client: TestClient, engine: Engine) -> None:
    token = token_of(client.get(PATH).text)
    client.cookies.clear()
    for sent in (token, "", "ü"):
        page = client.post(PATH, data={"name": "ada", "password": PASSWORD, "token": sent})
        assert page.status_code == 403
        client.cookies.clear()
    assert register(client, token=token).status_code == 403
    assert names(engine) == []


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(client: TestClient) -> None:
    page = client.get(PATH)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert re.findall(r"(?:src|href)=|@import|url\(|<script", page.text) == []


def test_a_script_that_makes_accounts_is_slowed_down(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "ACCOUNTS_PER_HOUR", registration.RateLimitItemPerHour(2))
    answers = [register(client, name) for name in ("a", "a", "b", "c")]
    assert [answer.status_code for answer in answers] == [200, 409, 200, 503]
    assert int(answers[-1].headers["retry-after"]) > 0


def test_tries_at_names_that_are_taken_are_counted_and_not_hashed(
    client: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "TRIES_PER_HOUR", registration.RateLimitItemPerHour(3))
    assert register(client).status_code == 200
    monkeypatch.setattr(passwords, "hash_password", lambda _password: pytest.fail("it was hashed"))
    assert [register(client, name).status_code for name in ("ada", "ADA ", "bob")] == [409, 409, 503]
    assert names(engine) == ["ada"]


def test_a_burst_sent_at_once_makes_no_more_accounts_than_one_after_the_other(
    client: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "ACCOUNTS_PER_HOUR", registration.RateLimitItemPerHour(2))
    token = token_of(client.get(PATH).text)
    cookies = dict(client.cookies)

    def send(name: str) -> int:
        sender = TestClient(client.app, cookies=cookies)
        return sender.post(PATH, data={"name": name, "password": PASSWORD, "token": token}).status_code

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(send, "abcdefgh")) == [200] * 2 + [503] * 6
    assert len(names(engine)) == 2


def test_nobody_waits_for_the_store_while_a_password_is_hashed(
    client: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash_password = passwords.hash_password

    def hash_while_somebody_writes(password: str) -> str:
        with Session(engine) as session:
            session.add(Listener(name="eve", password_hash="!", created_at=datetime.now(UTC)))
            session.commit()
        return hash_password(password)

    monkeypatch.setattr(passwords, "hash_password", hash_while_somebody_writes)
    assert register(client).status_code == 200
    assert names(engine) == ["ada", "eve"]


@pytest.mark.parametrize("field", ["name", "password"])
def test_half_a_character_is_refused_as_what_it_is(client: TestClient, engine: Engine, field: str) -> None:
    fields = {"token": token_of(client.get(PATH).text), "name": "ada", "password": PASSWORD, field: "+2AA-ten letters"}
    parts = [f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}' for name, text in fields.items()]
    page = client.post(
        PATH,
        content="\r\n".join([*parts, "--B--", ""]),
        headers={"Content-Type": "multipart/form-data; boundary=B; charset=utf-7"},
    )
    assert (page.status_code, 'role="alert"' in page.text) == (422, True)
    assert names(engine) == []


class TestSwitchedOff:
    """`EARSHOT_LISTENER_REGISTRATION=false`."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        """No registration."""
        return settings.model_copy(update={"listener_registration": False})

    def test_nobody_registers(self, client: TestClient, engine: Engine) -> None:
        assert client.get(PATH).status_code == 404
        assert client.post(PATH, data={"name": "ada", "password": PASSWORD, "token": ""}).status_code == 404
        assert names(engine) == []
