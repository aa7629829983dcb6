"""`earshot users ...`."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from api.app import create_app
from api.cli import app
from api.settings import Settings

EMAIL = "ada@example.com"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose store does not exist yet."""
    monkeypatch.setenv("EARSHOT_HOME", str(tmp_path))
    return tmp_path


def users(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["users", *arguments])


def added(email: str = EMAIL, role: str = "creator") -> dict[str, str]:
    result = users("add", email, "--role", role, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def role_by_key(home: Path, key: str) -> str | None:
    with TestClient(create_app(Settings(home=home))) as client:
        answer = client.get("/v1/me", headers={"Authorization": f"Bearer {key}"})
        return answer.json().get("role")


def can_sign_in(home: Path, password: str) -> bool:
    with TestClient(create_app(Settings(home=home))) as client:
        return client.post("/v1/session", json={"email": EMAIL, "password": password}).status_code == 201


def test_a_user_added_to_a_new_installation_can_sign_in_and_use_the_key(home: Path) -> None:
    made = added("  ADA@example.com")
    assert set(made) == {"email", "password", "api_key"}
    assert made["email"] == EMAIL
    assert role_by_key(home, made["api_key"]) == "creator"
    assert can_sign_in(home, made["password"])


def test_without_json_the_same_is_printed_for_people(home: Path) -> None:
    result = users("add", EMAIL, "--role", "admin", "--name", "Ada")
    fields = dict(line.rsplit(maxsplit=1) for line in result.output.splitlines())
    assert [*fields] == ["email", "password", "api key"]
    assert can_sign_in(home, fields["password"])


def test_two_users_never_get_the_same_secrets(home: Path) -> None:
    first, second = added("a@example.com"), added("b@example.com")
    assert first["password"] != second["password"]
    assert first["api_key"] != second["api_key"]


REFUSALS = {
    "an address that is taken": (["add", EMAIL.upper(), "--role", "admin"], "already"),
    "a role that there is not": (["add", "b@example.com", "--role", "king"], "creator, advertiser, admin"),
    "what is no address": (["add", "ada", "--role", "admin"], "not an e-mail address"),
    "a password for nobody": (["password", "b@example.com"], "no user b@example.com"),
    "a key for nobody": (["key", "b@example.com"], "no user b@example.com"),
    "locking out nobody": (["disable", "b@example.com"], "no user b@example.com"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSALS.values(), ids=REFUSALS)
def test_it_refuses(home: Path, arguments: list[str], message: str) -> None:
    added()
    result = users(*arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(json.loads(users("list", "--json").output)) == 1


def test_a_new_password_replaces_the_old_one(home: Path) -> None:
    before = added()["password"]
    after = json.loads(users("password", EMAIL, "--json").output)["password"]
    assert not can_sign_in(home, before)
    assert can_sign_in(home, after)


def test_a_new_key_replaces_the_old_one(home: Path) -> None:
    before = added()["api_key"]
    after = json.loads(users("key", EMAIL, "--json").output)["api_key"]
    assert role_by_key(home, before) is None
    assert role_by_key(home, after) == "creator"


def test_a_disabled_user_is_locked_out_and_listed_as_such(home: Path) -> None:
    made = added()
    assert users("disable", EMAIL).exit_code == 0
    assert role_by_key(home, made["api_key"]) is None
    assert not can_sign_in(home, made["password"])
    assert [user["state"] for user in json.loads(users("list", "--json").output)] == ["disabled"]


def test_the_list_shows_everyone_and_no_secrets(home: Path) -> None:
    made = [added("b@example.com", "advertiser"), added("a@example.com", "admin")]
    plain, listed = users("list").output, json.loads(users("list", "--json").output)
    assert [(user["email"], user["role"]) for user in listed] == [
        ("a@example.com", "admin"),
        ("b@example.com", "advertiser"),
    ]
    for user in made:
        assert user["email"] in plain
        assert user["password"] not in plain
        assert user["api_key"] not in plain
