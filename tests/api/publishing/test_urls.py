"""The addresses that an episode is known by elsewhere, over HTTP."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from models.queries.episode_urls import resolve_episodes
from tests.api.conftest import People

OLD = "https://old-host.example.com/one.mp3"


def put(people: People, episode: dict, urls: list, who: str = "admin"):
    return people.call(who, "PUT", f"/v1/episodes/{episode['id']}/urls", json={"urls": urls})


def read(people: People, episode: dict) -> list[str]:
    answer = people.call("owner", "GET", f"/v1/episodes/{episode['id']}/urls")
    assert answer.status_code == 200
    return answer.json()["urls"]


def means(engine: Engine, url: str) -> str | None:
    with engine.connect() as connection:
        found: UUID | None = resolve_episodes(connection, [url]).get(url)
        return None if found is None else str(found)


def test_the_list_is_replaced_whole_and_means_the_episode(people: People, engine: Engine) -> None:
    episode = people.episode(people.show())
    assert read(people, episode) == []
    urls = ["https://b.example.com/x.mp3", OLD]
    assert put(people, episode, urls).json() == {"urls": urls}
    assert read(people, episode) == urls
    assert means(engine, OLD) == episode["id"]
    assert put(people, episode, urls[:1]).status_code == 200
    assert (read(people, episode), means(engine, OLD)) == (urls[:1], None)


def test_the_same_address_twice_is_one(people: People) -> None:
    episode = people.episode(people.show())
    assert put(people, episode, [OLD, f" {OLD}#x", OLD.replace("https", "http")]).status_code == 200
    assert len(read(people, episode)) == 1


def test_an_address_of_another_episode_is_refused_and_the_episode_named(people: People, engine: Engine) -> None:
    mine = people.episode(people.show(), "Night Trains")
    other = people.episode(people.show("other"), "Day Trains")
    assert put(people, mine, [OLD]).status_code == 200
    answer = put(people, other, ["https://b.example.com/", f"https://op3.dev/e/{OLD}"])
    assert (answer.status_code, answer.json()["error"]) == (409, "url_taken")
    assert "'Night Trains'" in answer.json()["message"]
    assert mine["id"] in answer.json()["message"]
    assert (read(people, mine), read(people, other)) == ([OLD], [])


def test_a_creator_takes_no_address_without_an_admin(people: People, engine: Engine) -> None:
    episode = people.episode(people.show())
    answer = put(people, episode, [OLD], "owner")
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    assert "an admin" in answer.json()["message"]
    assert means(engine, OLD) is None
    assert put(people, episode, [OLD]).status_code == 200
    assert put(people, episode, [], "owner").status_code == 403
    assert read(people, episode) == [OLD]


def test_the_addresses_of_a_deleted_episode_are_free(people: People, engine: Engine) -> None:
    show = people.show()
    deleted, again = people.episode(show), people.episode(show)
    put(people, deleted, [OLD])
    people.call("owner", "DELETE", f"/v1/episodes/{deleted['id']}")
    assert means(engine, OLD) == deleted["id"]
    assert put(people, again, [OLD]).status_code == 200
    assert means(engine, OLD) == again["id"]


@pytest.mark.parametrize("url", ["one.mp3", "ftp://a.example.com/", "//a.example.com/x", "https://", "https://a\0b/", 7,
                                 "https://a.example.com/" + "x" * 2048])  # fmt: skip
def test_what_is_no_address_is_refused(people: People, url: object) -> None:
    episode = people.episode(people.show())
    assert put(people, episode, [OLD, url]).status_code == 422
    assert read(people, episode) == []


def test_there_is_an_end_to_the_list(people: People) -> None:
    episode = people.episode(people.show())
    assert put(people, episode, [f"https://a.example.com/{number}" for number in range(51)]).status_code == 422


def test_somebody_elses_episode_is_not_there(people: People) -> None:
    episode = people.published(people.show())
    for to in (episode, {"id": str(uuid4())}):
        assert put(people, to, [OLD], "other").status_code == 404
        assert people.call("other", "GET", f"/v1/episodes/{to['id']}/urls").status_code == 404
    assert put(people, episode, [OLD], "advertiser").status_code == 403
    assert put(people, episode, [OLD], "nobody").status_code == 401
    assert read(people, episode) == []
    assert put(people, episode, [OLD], "admin").status_code == 200
