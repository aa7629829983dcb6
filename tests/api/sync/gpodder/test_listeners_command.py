"""`earshot listeners ...`."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from api.app import create_app
from api.cli import app
from api.settings import Settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose store does not exist yet."""
    monkeypatch.setenv("EARSHOT_HOME", str(tmp_path))
    return tmp_path


def listeners(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["listeners", *arguments])


def added(name: str = "ada") -> dict[str, str]:
    result = listeners("add", name, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def can_sign_in(home: Path, password: str) -> bool:
    with TestClient(create_app(Settings(home=home))) as client:
        return client.post("/api/2/auth/ada/login.json", auth=("ada", password)).status_code == 200


def test_a_listener_added_to_a_new_installation_can_sign_in(home: Path) -> None:
    made = added(" Ada")
    assert set(made) == {"username", "password"}
    assert made["username"] == "ada"
    assert can_sign_in(home, made["password"])


def test_without_json_the_same_is_printed_for_people(home: Path) -> None:
    fields = dict(line.split(maxsplit=1) for line in listeners("add", "ada").output.splitlines())
    assert [*fields] == ["username", "password"]
    assert can_sign_in(home, fields["password"])


def test_a_new_password_replaces_the_old_one(home: Path) -> None:
    before = added()["password"]
    after = json.loads(listeners("password", "ADA", "--json").output)["password"]
    assert not can_sign_in(home, before)
    assert can_sign_in(home, after)


def test_a_removed_listener_is_gone_and_the_name_free(home: Path) -> None:
    password = added()["password"]
    assert listeners("remove", "ada").exit_code == 0
    assert not can_sign_in(home, password)
    assert json.loads(listeners("list", "--json").output) == []
    added()


def test_the_list_shows_everyone_and_no_secrets(home: Path) -> None:
    passwords = [added(name)["password"] for name in ("bob", "ada")]
    plain, listed = listeners("list").output, json.loads(listeners("list", "--json").output)
    assert [(row["username"], row["devices"]) for row in listed] == [("ada", 0), ("bob", 0)]
    assert [word in plain for word in ("ada", "bob", *passwords)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "ada"], "is taken"),
        (["add", "a b"], "A name has 1 to 32"),
        (["password", "bob"], "no listener bob"),
        (["remove", "bob"], "no listener bob"),
    ],
)
def test_it_refuses(home: Path, arguments: list[str], message: str) -> None:
    added()
    result = listeners(*arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(json.loads(listeners("list", "--json").output)) == 1
