"""Every route is tried by everybody: who may not is refused, and who may gets in. A route that is not in the table of
`access_table.py` fails here."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from httpx2 import Response

from api.app import create_app
from api.settings import Settings
from tests.api.access_table import OK, TABLE, Row
from tests.api.access_world import ROLES, World, inhabited

MONEY = re.compile(
    r"(POST|PUT|PATCH|DELETE) /v1/"
    r"(advertisers|campaigns|placements|holds|payouts|statements|payee|webhooks|shows/.*/rate-plans)"
)
CHANGES_NOTHING = {"POST /v1/statements/{statement_id}/verify"}
PAST_THE_ROUTES = {"POST /v1/sync"}
"""What the application answers before it looks for a route."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An installation with somebody of each role."""
    with inhabited(tmp_path_factory.mktemp("matrix")) as world:
        yield world


def routes_of(app: FastAPI) -> set[str]:
    """Method and path of everything that the application answers."""
    found = set(PAST_THE_ROUTES)
    for context in iter_route_contexts(app.routes):
        route: Any = context if getattr(context, "path", None) else context.original_route
        assert route.methods, f"{route.path} is no plain route: put what is mounted there into the table by hand"
        found |= {f"{method} {route.path}" for method in route.methods}
    return found


def plain(key: str) -> str:
    """A row's key without the names of what stands in its place in the path."""
    return re.sub(r"\{\w+\}", "{}", key)


def filled(value: Any, things: dict[str, str]) -> Any:
    """A body or a query with the names of this world's things."""
    match value:
        case str():
            return re.sub(r"\{(\w+)\}", lambda match: things[match[1]], value)
        case dict():
            return {name: filled(part, things) for name, part in value.items()}
        case list():
            return [filled(part, things) for part in value]
        case _:
            return value


def ask_all(world: World, key: str, row: Row) -> dict[str, Response]:
    """What everybody is answered; who is let in and changes something finds things that nobody has touched."""
    answers, things = {}, world.things(row.statement)
    for role in ROLES:
        answers[role] = ask(world, role, key, row, things)
        if row.access[role] == OK and not key.startswith(("GET ", "HEAD ")):
            things = world.things(row.statement)
    return answers


def ask(world: World, role: str, key: str, row: Row, things: dict[str, str]) -> Response:
    """The request."""
    method, path = filled(key, things).split(" ", 1)
    body = filled(row.body, things)
    kind = "content" if isinstance(body, str | bytes) else "json"
    headers = {**world.headers[role], "Idempotency-Key": uuid4().hex, **(row.headers or {})}
    if isinstance(body, str) and body.startswith("name="):
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    world.client.cookies.clear()
    return world.client.request(
        method, f"{path}?{filled(row.query, things)}", headers=headers, follow_redirects=False, **{kind: body}
    )


def is_as_expected(answer: Response, expected: int, row: Row) -> bool:
    """Whether somebody got in, or was refused, as the table has it."""
    if expected != OK:
        return answer.status_code == expected
    if row.status is not None:
        return answer.status_code == row.status
    return 200 <= answer.status_code <= 299


def test_every_route_is_in_the_table(tmp_path: Path) -> None:
    routes = {plain(route) for route in routes_of(create_app(Settings(home=tmp_path)))}
    rows = {plain(key) for key in TABLE}
    assert sorted(routes - rows) == [], "add a row for it to tests/api/access_table.py"
    assert sorted(rows - routes) == [], "there is no such route any more"


def test_every_row_says_what_everybody_gets() -> None:
    assert [key for key, row in TABLE.items() if tuple(row.access) != ROLES] == []


@pytest.mark.parametrize("key", TABLE)
def test_everybody_gets_what_the_table_says(world: World, key: str) -> None:
    row = TABLE[key]
    wrong = {
        role: f"{answer.status_code} {answer.text[:200]}"
        for role, answer in ask_all(world, key, row).items()
        if not is_as_expected(answer, row.access[role], row)
    }
    assert wrong == {}, f"expected {row.access}"


def test_every_call_that_changes_something_about_money_needs_a_key(world: World) -> None:
    things = world.things()
    calls = [key for key in TABLE if MONEY.match(key) and key not in CHANGES_NOTHING]
    assert len(calls) > 25
    answers = {}
    for key in calls:
        method, path = filled(key, things).split(" ", 1)
        answers[key] = world.client.request(method, path, headers=world.headers["admin"], json={})
    assert {key: answer.text for key, answer in answers.items() if answer.status_code != 400} == {}
    assert {answer.json()["error"] for answer in answers.values()} == {"idempotency_key_missing"}
