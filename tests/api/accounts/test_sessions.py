"""Signing in and out over HTTP."""

import hashlib
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session, select

from api import clock, passwords
from api.accounts import service
from models.tables import User, WebSession
from tests.factories import make_user

EMAIL = "ada@example.com"


@pytest.fixture
def password(engine: Engine) -> str:
    """The password of the one user."""
    with Session(engine) as session:
        made = service.add_user(session, EMAIL, "creator", "Ada")
        session.commit()
        return made.password


def sign_in(client: TestClient, email: str, password: str):
    return client.post("/v1/session", json={"email": email, "password": password})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_signing_in_gives_a_token_that_says_who_one_is(client: TestClient, password: str) -> None:
    answer = sign_in(client, " Ada@Example.com ", password)
    assert answer.status_code == 201
    body = answer.json()
    assert body["user"] == {"id": body["user"]["id"], "email": EMAIL, "name": "Ada", "role": "creator"}
    assert client.get("/v1/me", headers=bearer(body["token"])).json() == body["user"]


def test_the_store_keeps_only_the_hash_of_a_token(client: TestClient, engine: Engine, password: str) -> None:
    token = sign_in(client, EMAIL, password).json()["token"]
    with Session(engine) as session:
        row = session.exec(select(WebSession)).one()
    assert row.token_hash == hashlib.sha256(token.encode()).digest()
    assert len(token) >= 43  # 256 bits in base64


def test_wrong_password_and_unknown_address_get_the_same_answer(client: TestClient, password: str) -> None:
    wrong, unknown = sign_in(client, EMAIL, password + "x"), sign_in(client, "nobody@example.com", password)
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["error"] == "bad_credentials"


@pytest.mark.parametrize("email", ["no address", "a\x00@example.com", ""])
def test_an_address_that_is_none_is_just_wrong(client: TestClient, email: str) -> None:
    assert sign_in(client, email, "x").json()["error"] == "bad_credentials"


def test_an_unknown_address_costs_as_much_as_a_wrong_password(
    client: TestClient, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    verify = passwords._hasher.verify
    monkeypatch.setattr(passwords._hasher, "verify", lambda *given: runs.append(given[1][:9]) or verify(*given))
    sign_in(client, EMAIL, "wrong")
    sign_in(client, "nobody@example.com", "wrong")
    assert runs == ["$argon2id", "$argon2id"]


def test_an_account_without_a_usable_password_cannot_sign_in(client: TestClient, engine: Engine) -> None:
    with Session(engine) as session:
        make_user(session, email="key-only@example.com")
    assert sign_in(client, "key-only@example.com", "!").status_code == 401


def test_a_disabled_user_can_do_nothing_any_more(client: TestClient, engine: Engine, password: str) -> None:
    token = sign_in(client, EMAIL, password).json()["token"]
    with Session(engine) as session:
        service.disable_user(session, EMAIL)
        session.commit()
    assert client.get("/v1/me", headers=bearer(token)).status_code == 401
    assert sign_in(client, EMAIL, password).status_code == 401


def test_signing_out_ends_this_session_only(client: TestClient, password: str) -> None:
    first, second = (sign_in(client, EMAIL, password).json()["token"] for _ in range(2))
    assert client.delete("/v1/session", headers=bearer(first)).status_code == 204
    assert client.get("/v1/me", headers=bearer(first)).status_code == 401
    assert client.get("/v1/me", headers=bearer(second)).status_code == 200


def test_an_api_key_cannot_be_signed_out(client: TestClient, engine: Engine) -> None:
    with Session(engine) as session:
        _, key = make_user(session)
    answer = client.delete("/v1/session", headers=bearer(key))
    assert answer.status_code == 409
    assert client.get("/v1/me", headers=bearer(key)).status_code == 200


def test_signing_out_needs_a_valid_token(client: TestClient) -> None:
    assert client.delete("/v1/session", headers=bearer("nonsense")).status_code == 401
    assert client.delete("/v1/session").status_code == 401


def test_an_expired_session_is_refused_and_forgotten_at_the_next_sign_in(
    client: TestClient, engine: Engine, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = sign_in(client, EMAIL, password).json()["token"]
    later = clock.now() + timedelta(days=service.SESSION_DAYS, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert client.get("/v1/me", headers=bearer(token)).status_code == 401
    sign_in(client, EMAIL, password)
    with Session(engine) as session:
        assert [row.created_at for row in session.exec(select(WebSession))] == [later]


def test_a_new_password_signs_the_old_one_out_everywhere(client: TestClient, engine: Engine, password: str) -> None:
    token = sign_in(client, EMAIL, password).json()["token"]
    with Session(engine) as session:
        renewed = service.renew_password(session, EMAIL)
        session.commit()
    assert client.get("/v1/me", headers=bearer(token)).status_code == 401
    assert sign_in(client, EMAIL, password).status_code == 401
    assert sign_in(client, EMAIL, renewed).status_code == 201


def test_argon2_does_not_keep_other_writers_waiting(
    client: TestClient, engine: Engine, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = passwords.is_password

    def check_while_somebody_writes(*given) -> bool:
        with Session(engine) as session:
            session.exec(select(User)).one().name = "Written meanwhile"
            session.commit()
        return check(*given)

    monkeypatch.setattr(passwords, "is_password", check_while_somebody_writes)
    assert sign_in(client, EMAIL, password).status_code == 201


@pytest.mark.parametrize(
    "body", [{"email": EMAIL}, {"email": EMAIL, "password": "x" * 2000}, {"email": 7, "password": "x"}]
)
def test_a_body_of_another_shape_is_refused(client: TestClient, body: dict) -> None:
    answer = client.post("/v1/session", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"] == "invalid"


def test_a_huge_body_is_refused_in_the_shape_of_all_refusals(client: TestClient) -> None:
    answer = sign_in(client, EMAIL, "x" * 300_000)
    assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
    chunks = client.post("/v1/session", content=iter([b"x" * 200_000] * 2))  # sent without Content-Length
    assert (chunks.status_code, chunks.json()["error"]) == (413, "too_large")
