"""Retention over HTTP: GET /v1/episodes/{id}/stats, and the show's stats by second."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session, select

from api.measurement.worker import Worker
from models.counting import EpisodeDay
from models.tables import Episode, Role, Show
from tests.device import encode, now_ms, register
from tests.factories import make_episode, make_show, make_user
from tests.heard import Spans, brute_force, put_heard

PLAYBACKS: list[Spans] = [[(0, 600)]] * 10 + [[(0, 200), (260, 600)]] * 6 + [[(0, 301)]] * 8 + [[(0, 50), (40, 600)]]


@pytest.fixture
def keys(engine: Engine) -> dict[str, str]:
    """An episode of ten minutes that was heard, its show, and who may ask."""
    with Session(engine) as session:
        owner, key = make_user(session)
        show = make_show(session, owner)
        episode = make_episode(session, show)
        put_heard(session, episode, PLAYBACKS)
        return {
            "show": str(show.uuid),
            "episode": str(episode.uuid),
            "quiet": str(make_episode(session, show, duration_ms=None, published_at=None).uuid),
            "elsewhere": str(make_episode(session, make_show(session, owner)).uuid),
            "owner": key,
            "other": make_user(session)[1],
            "admin": make_user(session, Role.ADMIN)[1],
            "advertiser": make_user(session, Role.ADVERTISER)[1],
        }


def get(client: TestClient, keys: dict[str, str], path: str, who: str = "owner", **query: object) -> Any:
    """A request for stats."""
    headers = {"Authorization": f"Bearer {keys[who]}"}
    return client.get(path, params=query, headers=headers)  # type: ignore[arg-type]


def ask(client: TestClient, keys: dict[str, str], who: str = "owner", **query: object) -> Any:
    """The same, for the episode's."""
    return get(client, keys, f"/v1/episodes/{keys['episode']}/stats", who, **query)


def test_rows_of_one_second_are_what_was_heard(client: TestClient, keys: dict[str, str]) -> None:
    heard, spanned, replayed = brute_force(PLAYBACKS, 600)
    body = ask(client, keys, width=1).json()
    assert (body["episode_id"], body["playbacks"]) == (keys["episode"], 25)
    assert (body["duration_seconds"], body["width_seconds"]) == (600, 1)
    assert [row["second"] for row in body["rows"]] == list(range(600))
    assert [row["heard"] for row in body["rows"]] == heard.tolist()
    assert [row["skipped"] for row in body["rows"]] == (spanned - heard).tolist()
    assert [row["replayed"] for row in body["rows"]] == replayed.tolist()


def test_wider_rows_are_means_of_their_seconds(client: TestClient, keys: dict[str, str]) -> None:
    rows = ask(client, keys, width=64).json()["rows"]
    heard = brute_force(PLAYBACKS, 600)[0]
    assert [row["second"] for row in rows] == list(range(0, 600, 64))
    assert rows[3] == {"second": 192, "heard": 19.75, "skipped": 5.25, "replayed": 0}
    assert rows[-1]["heard"] == round(heard[576:].mean(), 2)
    (whole,) = ask(client, keys, width=3600).json()["rows"]
    assert whole["heard"] == round(heard.mean(), 2)


def test_without_a_width_there_are_at_most_six_hundred_rows(
    client: TestClient, keys: dict[str, str], engine: Engine
) -> None:
    assert ask(client, keys).json()["width_seconds"] == 1
    with Session(engine) as session:
        session.exec(select(Episode).where(Episode.uuid == UUID(keys["episode"]))).one().duration_ms = 601_000
        session.commit()
    body = ask(client, keys).json()
    assert (body["width_seconds"], len(body["rows"])) == (2, 301)


def test_what_stands_out_is_named(client: TestClient, keys: dict[str, str]) -> None:
    body = ask(client, keys).json()
    assert body["drop_offs"] == [{"from_second": 300, "to_second": 305, "playbacks": 8, "share": 0.32}]
    assert body["skipped"] == [{"from_second": 200, "to_second": 260, "playbacks": 6, "share": 0.24}]
    assert body["replayed"] == []
    assert body["typical"] is None


def test_the_typical_curve_is_that_of_the_show_s_other_episodes(
    client: TestClient, keys: dict[str, str], engine: Engine
) -> None:
    with Session(engine) as session:
        show = session.exec(select(Show).where(Show.uuid == UUID(keys["show"]))).one()
        for age in range(3):
            other = make_episode(
                session, show, duration_ms=60_000, published_at=datetime.now(UTC) - timedelta(days=age)
            )
            put_heard(session, other, [[(0, 60)]] * 15 + [[(0, 30)]] * 5)
    assert ask(client, keys, width=150).json()["typical"] == [1, 1, 0.75, 0.75]


def test_the_show_s_stats_give_the_same_answer(client: TestClient, keys: dict[str, str]) -> None:
    show = f"/v1/shows/{keys['show']}/stats"
    answer = get(client, keys, show, by="second", episode=keys["episode"], width=10)
    assert answer.status_code == 200
    assert answer.json() == ask(client, keys, by="second", width=10).json()


def test_an_episode_without_a_recording_has_no_rows(client: TestClient, keys: dict[str, str]) -> None:
    body = get(client, keys, f"/v1/episodes/{keys['quiet']}/stats").json()
    assert (body["playbacks"], body["duration_seconds"], body["rows"], body["drop_offs"]) == (0, 0, [], [])


@pytest.mark.parametrize(("who", "status"), [("admin", 200), ("other", 404), ("advertiser", 403)])
def test_who_may_read_it(client: TestClient, keys: dict[str, str], who: str, status: int) -> None:
    assert ask(client, keys, who).status_code == status
    show = f"/v1/shows/{keys['show']}/stats"
    assert get(client, keys, show, who, by="second", episode=keys["episode"]).status_code == status


def test_without_a_key_nothing_is_read(client: TestClient, keys: dict[str, str]) -> None:
    assert client.get(f"/v1/episodes/{keys['episode']}/stats").status_code == 401


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"from": "2026-03-01"}, "Leave out from and to"),
        ({"to": "2026-03-01"}, "Leave out from and to"),
        ({"by": "day"}, "by"),
        ({"width": 0}, "width"),
        ({"width": 3601}, "width"),
        ({"width": "wide"}, "width"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    client: TestClient, keys: dict[str, str], query: dict[str, object], says: str
) -> None:
    answer = ask(client, keys, **query)
    assert answer.status_code == 422
    assert says in answer.json()["message"]


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ({"by": "second"}, 422, "add episode="),
        ({"by": "second", "episode": "elsewhere"}, 404, "This show has no such episode"),
        ({"by": "second", "episode": str(uuid4())}, 404, "no such episode"),
        ({"by": "second", "episode": "episode", "from": "2026-03-01"}, 422, "Leave out from and to"),
        ({"by": "day", "episode": "episode"}, 422, "go with by=second"),
        ({"width": 10}, 422, "go with by=second"),
    ],
)
def test_the_show_s_stats_say_what_by_second_needs(
    client: TestClient, keys: dict[str, str], query: dict[str, object], status: int, says: str
) -> None:
    named = {name: keys.get(str(value), value) for name, value in query.items()}
    answer = get(client, keys, f"/v1/shows/{keys['show']}/stats", **named)
    assert answer.status_code == status
    assert says in answer.json()["message"]


def test_the_reference_describes_the_route(client: TestClient) -> None:
    route = client.get("/openapi.json").json()["paths"]["/v1/episodes/{episode_id}/stats"]["get"]
    assert {parameter["name"] for parameter in route["parameters"]} == {"episode_id", "by", "width"}
    assert set(route["responses"]) == {"200", "401", "403", "404", "422"}


def test_seconds_counted_by_the_worker_add_up_to_the_seconds_heard(
    client: TestClient, keys: dict[str, str], engine: Engine
) -> None:
    with Session(engine, expire_on_commit=False) as session:
        show = session.exec(select(Show).where(Show.uuid == UUID(keys["show"]))).one()
        episode = make_episode(session, show, duration_ms=900_500)
    random = Random(7)
    playbacks: list[Spans] = []
    for _ in range(12):
        phone, spans = register(client), []
        phone.write(episode.uuid, "play")
        for _ in range(random.randrange(0, 5)):
            first, end = sorted(random.randrange(0, 1000) for _ in range(2))
            phone.write(episode.uuid, "pause", first * 1000, end * 1000, now_ms() - 60_000)
            spans.append((min(first, 900), min(end, 900)))
        assert client.post("/v1/sync", content=encode(phone.batch()), headers=phone.headers).status_code == 202
        playbacks.append(spans)
    state = client.app.state  # type: ignore[attr-defined]
    Worker(state.engine, state.log, state.settings).drain()
    body = get(client, keys, f"/v1/episodes/{episode.uuid}/stats", width=1).json()
    with Session(engine) as session:
        days = session.exec(select(EpisodeDay).where(EpisodeDay.episode_id == episode.id)).all()
    heard, spanned, replayed = brute_force(playbacks, 900)
    assert [row["heard"] for row in body["rows"]] == heard.tolist()
    assert [row["skipped"] for row in body["rows"]] == (spanned - heard).tolist()
    assert [row["replayed"] for row in body["rows"]] == replayed.tolist()
    assert sum(row["heard"] for row in body["rows"]) == sum(day.heard_seconds for day in days) > 0
    assert max(row["heard"] for row in body["rows"]) <= body["playbacks"] == sum(day.starts for day in days) == 12
