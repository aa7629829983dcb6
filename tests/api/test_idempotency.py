"""A call with an Idempotency-Key takes effect once, however often it is sent."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from httpx2 import Response
from pydantic import BaseModel
from sqlalchemy import Engine
from sqlmodel import Session, func, select

from api import audit_trail, clock, idempotency
from api.app import create_app
from api.deps import SessionDep, UserDep
from api.errors import ConflictError
from api.idempotency import MoneyRoute
from api.measurement.housekeeping import housekeeper
from api.settings import Settings
from models.payouts import AuditEntry, IdempotencyKey
from models.tables import Role, User
from tests.factories import make_user

router = APIRouter(prefix="/money", route_class=MoneyRoute)
begun, finish = threading.Event(), threading.Event()
"""A payment to "slow" sets the one and waits for the other, within its transaction."""


class Payment(BaseModel):
    """What the tests pay."""

    to: str
    cents: int


@router.post("/payments", status_code=201)
def pay(body: Payment, user: UserDep, session: SessionDep) -> dict[str, Any]:
    """Leave a trace, and answer with an id that is another one each time."""
    payment = uuid4()
    audit_trail.append(session, user, "payment.made", "payment", payment, body.model_dump())
    if body.to == "nobody":
        raise ConflictError("There is nobody of this name.")
    if body.to == "slow":
        session.flush()
        begun.set()
        finish.wait(60)
    return {"id": str(payment), "to": body.to}


@router.delete("/payments", status_code=204)
def forget(user: UserDep, session: SessionDep) -> None:
    """Leave a trace, and answer nothing."""
    audit_trail.append(session, user, "payment.forgotten", "payment", uuid4(), {})


@router.get("/payments")
def read() -> dict[str, str]:
    """Reading needs no key."""
    return {"read": "yes"}


class Payer:
    """Somebody with an API key."""

    def __init__(self, client: TestClient, engine: Engine) -> None:
        self.client = client
        with Session(engine) as session:
            self.user, self.api_key = make_user(session)

    def pay(self, key: str | None, to: str = "ada", method: str = "POST", path: str = "/money/payments") -> Response:
        """One call."""
        headers = {"Authorization": f"Bearer {self.api_key}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        body = {"json": {"to": to, "cents": 5}} if method == "POST" else {}
        return self.client.request(method, path, headers=headers, **body)


@pytest.fixture
def client(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    """An API with a route that moves money."""
    app = create_app(settings)
    app.include_router(router)
    begun.clear()
    finish.clear()
    with TestClient(app) as client:
        yield client
        finish.set()


@pytest.fixture
def payer(client: TestClient, engine: Engine) -> Payer:
    """Somebody who pays."""
    return Payer(client, engine)


def effects(engine: Engine) -> int:
    """How many payments were made."""
    with Session(engine) as session:
        return session.exec(select(func.count()).select_from(AuditEntry)).one()


def test_the_same_call_twice_takes_effect_once_and_is_answered_alike(payer: Payer, engine: Engine) -> None:
    first, second = payer.pay("k1"), payer.pay("k1")
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert "Idempotent-Replay" not in first.headers
    assert second.headers["Idempotent-Replay"] == "true"
    assert second.headers["Content-Type"] == "application/json"
    assert effects(engine) == 1


def test_another_key_is_another_call(payer: Payer, engine: Engine) -> None:
    assert payer.pay("k1").json() != payer.pay("k2").json()
    assert effects(engine) == 2


def test_a_key_is_its_users_own(payer: Payer, client: TestClient, engine: Engine) -> None:
    assert payer.pay("k1").json() != Payer(client, engine).pay("k1").json()
    assert effects(engine) == 2


def test_an_answer_is_for_the_role_that_got_it(payer: Payer, engine: Engine) -> None:
    payer.pay("k1")
    with Session(engine) as session:
        session.get_one(User, payer.user.id).role = Role.ADVERTISER
        session.commit()
    answer = payer.pay("k1")
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    assert "yours is advertiser now" in answer.json()["message"]
    assert effects(engine) == 1


def test_an_empty_answer_is_repeated_too(payer: Payer, engine: Engine) -> None:
    first, second = payer.pay("k1", method="DELETE"), payer.pay("k1", method="DELETE")
    assert (first.status_code, first.content) == (second.status_code, second.content) == (204, b"")
    assert second.headers["Idempotent-Replay"] == "true"
    assert effects(engine) == 1


def test_a_call_without_a_key_is_told_to_send_one(payer: Payer, engine: Engine) -> None:
    answer = payer.pay(None)
    assert answer.status_code == 400
    assert answer.json()["error"] == "idempotency_key_missing"
    assert "Idempotency-Key" in answer.json()["message"]
    assert effects(engine) == 0


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 201, "caf\u00e9"])
def test_a_key_that_is_none_is_refused(payer: Payer, engine: Engine, key: str) -> None:
    answer = payer.pay(key.encode("latin-1"))  # type: ignore[arg-type]
    assert answer.status_code == 400
    assert answer.json()["error"] == "idempotency_key_missing"
    assert effects(engine) == 0


def test_two_keys_in_one_call_are_refused(payer: Payer) -> None:
    headers = [("Authorization", f"Bearer {payer.api_key}"), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = payer.client.post("/money/payments", headers=headers, json={"to": "ada", "cents": 5})
    assert answer.json()["error"] == "idempotency_key_missing"


def test_a_key_of_the_longest_kind_is_taken(payer: Payer) -> None:
    assert payer.pay("k" * 200).status_code == 201


def test_reading_needs_no_key(payer: Payer) -> None:
    assert payer.pay(None, method="GET").status_code == 200


def test_nobody_is_told_to_sign_in_before_anything_else(client: TestClient) -> None:
    assert client.post("/money/payments", json={}).status_code == 401


@pytest.mark.parametrize(
    ("to", "method", "path"),
    [
        ("grace", "POST", "/money/payments"),
        ("ada", "DELETE", "/money/payments"),
        ("ada", "POST", "/money/payments?x=1"),
    ],
)
def test_a_key_stands_for_one_request_only(payer: Payer, engine: Engine, to: str, method: str, path: str) -> None:
    payer.pay("k1")
    answer = payer.pay("k1", to, method, path)
    assert answer.status_code == 422
    assert answer.json()["error"] == "idempotency_key_reused"
    assert effects(engine) == 1


def test_a_refusal_is_not_kept_and_leaves_nothing(payer: Payer, engine: Engine) -> None:
    assert payer.pay("k1", "nobody").status_code == 409
    with Session(engine) as session:
        assert session.exec(select(IdempotencyKey)).all() == []
    assert effects(engine) == 0
    assert payer.pay("k1").status_code == 201, "the key is free again"


def test_a_body_that_makes_no_sense_leaves_the_key_free(payer: Payer) -> None:
    headers = {"Authorization": f"Bearer {payer.api_key}", "Idempotency-Key": "k1"}
    assert payer.client.post("/money/payments", headers=headers, json={"to": 1}).status_code == 422
    assert payer.pay("k1").status_code == 201


def test_a_commit_that_fails_leaves_neither_effect_nor_answer(
    payer: Payer, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_session: Session) -> None:
        raise OSError("the machine stopped here")

    with monkeypatch.context() as patch:
        patch.setattr(Session, "commit", fail)
        with pytest.raises(OSError, match="stopped here"):
            payer.pay("k1")
    assert effects(engine) == 0
    again = payer.pay("k1")
    assert again.status_code == 201
    assert "Idempotent-Replay" not in again.headers


def test_many_at_once_take_effect_once(payer: Payer, engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(payer.pay, ["k1"] * 8))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replay" in answer.headers for answer in answers) == 7
    assert effects(engine) == 1


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_second_call_waits_for_the_first_but_not_for_ever(
    payer: Payer, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite every writer waits for every other anyway, and is told 503 in the end."""
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.2)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(payer.pay, "k1", "slow")
        assert begun.wait(60)
        answer = payer.pay("k1", "slow")
        finish.set()
        taken = first.result()
    assert (taken.status_code, answer.status_code) == (201, 409)
    assert answer.headers["Retry-After"] == "5"
    assert answer.json()["error"] == "idempotency_key_in_use"
    assert effects(engine) == 1
    assert payer.pay("k1", "slow").json() == taken.json()


def test_keys_are_kept_for_thirty_days(payer: Payer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    payer.pay("k1")

    def tidy_after(days: int) -> None:
        with monkeypatch.context() as patch, housekeeper(settings) as keeper:
            patch.setattr(clock, "now", lambda: datetime.now(UTC) + timedelta(days=days))
            keeper.forget_keys()

    tidy_after(29)
    assert "Idempotent-Replay" in payer.pay("k1").headers
    tidy_after(31)
    assert "Idempotent-Replay" not in payer.pay("k1").headers


def test_the_documentation_asks_for_the_key(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]["/money/payments"]
    (parameter,) = paths["post"]["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("Idempotency-Key", "header", True)
    assert {"400", "409", "422"} <= set(paths["post"]["responses"])
    assert "parameters" not in paths["get"]


def test_the_audit_trail_tells_admins_who_did_what(payer: Payer, client: TestClient, engine: Engine) -> None:
    made = [UUID(payer.pay(f"k{number}").json()["id"]) for number in range(3)]
    with Session(engine) as session:
        _, admin_key = make_user(session, "admin")  # type: ignore[arg-type]
    admin = {"Authorization": f"Bearer {admin_key}"}
    page = client.get("/v1/audit-trail", params={"subject": "payment", "limit": 2}, headers=admin).json()
    assert [UUID(item["subject_id"]) for item in page["items"]] == [made[2], made[1]]
    assert page["items"][0]["by"] == payer.user.email
    assert page["items"][0]["detail"] == {"to": "ada", "cents": 5}
    rest = client.get("/v1/audit-trail", params={"before": page["next_before"]}, headers=admin).json()
    assert [UUID(item["subject_id"]) for item in rest["items"]] == made[:1]
    assert rest["next_before"] is None
    one = client.get("/v1/audit-trail", params={"subject_id": str(made[1])}, headers=admin).json()
    assert [UUID(item["subject_id"]) for item in one["items"]] == [made[1]]
    theirs = client.get("/v1/audit-trail", headers={"Authorization": f"Bearer {payer.api_key}"})
    assert theirs.status_code == 403
