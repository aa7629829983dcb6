"""GET /v1/shows/{id}/stats."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session

from api import clock
from models.counting import EpisodeDay
from models.tables import Role
from tests.factories import make_episode, make_show, make_user

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still."""
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def catalogue(engine: Engine) -> dict[str, str]:
    """A show heard yesterday and 40 days ago, its owner's key, another creator's and an admin's."""
    with Session(engine) as session:
        owner, key = make_user(session)
        show = make_show(session, owner)
        first, second = make_episode(session, show), make_episode(session, show)
        for episode, days_ago, listens in [(first, 1, 5), (second, 1, 2), (first, 40, 100)]:
            day = TODAY - timedelta(days=days_ago)
            session.add(
                EpisodeDay(
                    episode_id=episode.id,
                    day=day,
                    starts=listens + 1,
                    listens=listens,
                    offline_listens=1,
                    completions=2,
                    heard_seconds=listens * 60,
                )
            )
        session.commit()
        return {
            "show": str(show.uuid),
            "first": str(first.uuid),
            "second": str(second.uuid),
            "owner": key,
            "other": make_user(session)[1],
            "admin": make_user(session, Role.ADMIN)[1],
            "advertiser": make_user(session, Role.ADVERTISER)[1],
        }


def ask(client: TestClient, catalogue: dict[str, str], who: str = "owner", **query: str):
    """The answer to one request for the show's stats."""
    headers = {"Authorization": f"Bearer {catalogue[who]}"}
    return client.get(f"/v1/shows/{catalogue['show']}/stats", params=query, headers=headers)


def test_without_a_span_the_last_thirty_days_are_answered_by_day(client: TestClient, catalogue: dict[str, str]) -> None:
    answer = ask(client, catalogue)
    assert answer.status_code == 200
    rows = answer.json()["rows"]
    assert (rows[0]["day"], rows[-1]["day"], len(rows)) == ("2026-03-02", "2026-03-31", 30)
    assert rows[-2] == {
        "day": "2026-03-30",
        "starts": 9,
        "listens": 7,
        "offline_listens": 2,
        "completions": 4,
        "heard_seconds": 420,
        "completeness": None,
    }
    assert sum(row["listens"] for row in rows) == 7


def test_by_episode_has_the_episodes_that_were_heard_most_first(client: TestClient, catalogue: dict[str, str]) -> None:
    rows = ask(client, catalogue, by="episode").json()["rows"]
    assert [(row["episode_id"], row["listens"]) for row in rows] == [(catalogue["first"], 5), (catalogue["second"], 2)]
    older = ask(client, catalogue, by="episode", **{"from": "2026-02-01", "to": "2026-03-01"}).json()["rows"]
    assert [(row["episode_id"], row["listens"]) for row in older] == [(catalogue["first"], 100)]


def test_the_last_day_is_included(client: TestClient, catalogue: dict[str, str]) -> None:
    rows = ask(client, catalogue, **{"from": "2026-03-30", "to": "2026-03-30"}).json()["rows"]
    assert [row["listens"] for row in rows] == [7]


def test_days_that_have_not_begun_have_no_row(client: TestClient, catalogue: dict[str, str]) -> None:
    rows = ask(client, catalogue, **{"from": "2026-03-30", "to": "2026-12-31"}).json()["rows"]
    assert [row["day"] for row in rows] == ["2026-03-30", "2026-03-31"]


def test_an_admin_reads_every_show(client: TestClient, catalogue: dict[str, str]) -> None:
    assert ask(client, catalogue, "admin").json() == ask(client, catalogue).json()


def test_another_creator_is_told_that_there_is_no_such_show(client: TestClient, catalogue: dict[str, str]) -> None:
    answer = ask(client, catalogue, "other")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    unknown = client.get(f"/v1/shows/{uuid4()}/stats", headers={"Authorization": f"Bearer {catalogue['other']}"})
    assert unknown.json() == answer.json()


def test_an_advertiser_has_no_shows_and_nobody_needs_a_key(client: TestClient, catalogue: dict[str, str]) -> None:
    assert ask(client, catalogue, "advertiser").status_code == 403
    assert client.get(f"/v1/shows/{catalogue['show']}/stats").status_code == 401


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"from": "2026-03-02", "to": "2026-03-01"}, "Swap them"),
        ({"from": "1990-01-01", "to": "2026-03-01"}, "shorter span"),
        ({"from": "0001-01-01", "to": "9999-12-31"}, "shorter span"),
        ({"from": "yesterday"}, "from"),
        ({"by": "week"}, "by"),
    ],
)
def test_a_span_that_makes_no_sense_is_refused_with_what_to_do(
    client: TestClient, catalogue: dict[str, str], query: dict[str, str], says: str
) -> None:
    answer = ask(client, catalogue, **query)
    assert answer.status_code == 422
    assert says in answer.json()["message"]


def test_the_first_days_of_the_calendar_are_no_trouble(client: TestClient, catalogue: dict[str, str]) -> None:
    answer = ask(client, catalogue, to="0001-01-02")
    assert [row["day"] for row in answer.json()["rows"]] == ["0001-01-01", "0001-01-02"]


def test_the_reference_describes_the_route(client: TestClient) -> None:
    route = client.get("/openapi.json").json()["paths"]["/v1/shows/{show_id}/stats"]["get"]
    names = {parameter["name"] for parameter in route["parameters"]}
    assert names == {"show_id", "from", "to", "by", "episode", "width"}
    assert all(parameter["description"] for parameter in route["parameters"])
    assert set(route["responses"]) == {"200", "401", "403", "404", "422"}
