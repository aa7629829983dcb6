"""How many sign-ins may fail."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session

from api.accounts import service
from api.attempts import Attempts, TooManyAttemptsError
from api.settings import Settings

EMAIL = "ada@example.com"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Three sign-ins may fail in a minute."""
    return settings.model_copy(update={"sign_ins_per_minute": 3})


@pytest.fixture
def password(engine: Engine) -> str:
    """The password of the one user."""
    with Session(engine) as session:
        made = service.add_user(session, EMAIL, "creator")
        session.commit()
        return made.password


def try_sign_in(client: TestClient, email: str, password: str) -> int:
    return client.post("/v1/session", json={"email": email, "password": password}).status_code


def test_after_too_many_failures_even_the_right_password_waits(client: TestClient, password: str) -> None:
    assert [try_sign_in(client, EMAIL, "wrong") for _ in range(3)] == [401] * 3
    answer = client.post("/v1/session", json={"email": EMAIL, "password": password})
    assert (answer.status_code, answer.json()["error"]) == (429, "too_many_attempts")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_guessing_for_many_addresses_from_one_place_is_limited_too(client: TestClient, password: str) -> None:
    assert [try_sign_in(client, f"{name}@example.com", "wrong") for name in "abcd"] == [401, 401, 401, 429]


def test_one_address_of_the_user_is_limited_wherever_the_attempts_come_from() -> None:
    attempts = Attempts(per_minute=2)
    for place in ("one", "two"):
        with attempts.attempt("email ada", f"address {place}"):
            pass
    with pytest.raises(TooManyAttemptsError), attempts.attempt("email ada", "address three"):
        pytest.fail("was let through")


def test_successful_sign_ins_do_not_count(client: TestClient, password: str) -> None:
    assert [try_sign_in(client, EMAIL, password) for _ in range(6)] == [201] * 6
    assert try_sign_in(client, EMAIL, "wrong") == 401


def test_a_success_does_not_wipe_out_the_failures_before_it(client: TestClient, password: str) -> None:
    attempts = ["wrong", "wrong", password, "wrong", "wrong"]
    assert [try_sign_in(client, EMAIL, attempt) for attempt in attempts] == [401, 401, 201, 401, 429]


def test_a_burst_sent_at_once_gets_no_more_attempts_than_one_by_one() -> None:
    attempts, together = Attempts(per_minute=3), Barrier(10)
    all_begun = Barrier(10)  # nobody ends before everybody has begun

    def attempt(_number: int) -> bool:
        together.wait()
        try:
            with attempts.attempt("email ada"):
                all_begun.wait()
        except TooManyAttemptsError:
            all_begun.wait()
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(attempt, range(10))) == 3
