"""A show hosted elsewhere, over HTTP."""

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from api.publishing.feed_import import import_feed
from api.publishing.feed_import_reading import read_feed
from tests.api.conftest import People
from tests.api.publishing.feeds import FEED_URL, feed, item


@pytest.fixture
def show(people: People, engine: Engine) -> dict:
    """The owner's, hosted elsewhere, with two episodes."""
    email = people.call("owner", "GET", "/v1/me").json()["email"]
    with Session(engine) as session:
        document = feed(item(1), item(2, kind=None, length=None))
        import_feed(session, read_feed(document), owner_email=email, address=FEED_URL)
        session.commit()
    (show,) = people.call("owner", "GET", "/v1/shows").json()["items"]
    return show


def episodes(people: People, show: dict) -> list[dict]:
    answer = people.call("owner", "GET", f"/v1/shows/{show['id']}/episodes")
    assert answer.status_code == 200
    return answer.json()["items"]


def test_its_feed_is_the_one_there(people: People, show: dict) -> None:
    assert (show["feed_url"], show["is_hosted_here"]) == (FEED_URL, False)
    hosted_here = people.show()
    assert hosted_here["is_hosted_here"]
    assert hosted_here["feed_url"].endswith("/feeds/quiet-hour.xml")


def test_there_is_no_feed_of_ours_and_the_answer_names_the_right_one(people: People, show: dict) -> None:
    answer = people.client.get(f"/feeds/{show['slug']}.xml", follow_redirects=False)
    assert answer.status_code == 404
    assert FEED_URL in answer.json()["message"]


def test_its_episodes_are_published_and_without_audio_here(people: People, show: dict) -> None:
    second, first = episodes(people, show)
    assert (first["title"], first["state"], first["guid"], first["audio"]) == ("Part 1", "published", "guid-1", None)
    for episode in (first, second):
        assert people.client.get(f"/media/{episode['id']}.mp3").status_code == 404


def test_nothing_is_published_here(people: People, show: dict) -> None:
    episode = episodes(people, show)[0]
    # Before a byte of it is looked at.
    audio = {"headers": {"Content-Type": "text/plain"}, "content": b"no audio"}
    refused = [
        people.call("owner", "POST", f"/v1/shows/{show['id']}/episodes", json={"title": "New"}),
        people.call("owner", "PUT", f"/v1/episodes/{episode['id']}/audio", **audio),
        people.call("owner", "POST", f"/v1/episodes/{episode['id']}/publish"),
        people.call("owner", "POST", f"/v1/episodes/{episode['id']}/unpublish"),
    ]
    assert [(answer.status_code, answer.json()["error"]) for answer in refused] == [(409, "hosted_elsewhere")] * 4
    assert "earshot import-feed" in refused[0].json()["message"]
    assert episodes(people, show)[0] == episode


def test_it_is_read_and_deleted_like_any_other(people: People, show: dict) -> None:
    (first, second), path = episodes(people, show), f"/v1/shows/{show['id']}"
    for asked in (f"{path}/stats?by=day", f"{path}/stats?by=episode", f"{path}/arrival"):
        assert people.call("owner", "GET", asked).status_code == 200
    for episode in (first, second):
        assert people.call("owner", "GET", f"/v1/episodes/{episode['id']}/stats").status_code in {200, 422}
    assert people.call("other", "GET", path).status_code == 404
    assert people.call("owner", "DELETE", path).status_code == 204
    assert people.client.get(f"/feeds/{show['slug']}.xml").status_code == 410
