"""Episodes over HTTP: drafts, publication, deletion."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from api import clock
from models.tables import Episode
from tests.api.conftest import People
from tests.factories import tone_mp3


def read(people: People, episode: dict) -> dict:
    answer = people.call("owner", "GET", f"/v1/episodes/{episode['id']}")
    assert answer.status_code == 200
    return answer.json()


def test_a_new_episode_is_a_draft(people: People) -> None:
    show = people.show()
    episode = people.episode(show, "Night <Trains>", description="<p>With <em>bells</em>.</p>")
    assert (episode["title"], episode["description"]) == ("Night <Trains>", "<p>With <em>bells</em>.</p>")
    assert (episode["state"], episode["published_at"], episode["audio"]) == ("draft", None, None)
    assert episode["show_id"] == show["id"]
    assert read(people, episode) == episode


def test_publishing_without_a_date_publishes_now(people: People) -> None:
    episode = people.episode(people.show(), audio=tone_mp3(3.0))
    before = clock.now()
    published = people.publish(episode)
    assert published["state"] == "published"
    assert before <= datetime.fromisoformat(published["published_at"]) <= clock.now()
    assert published["guid"] == episode["guid"]


def test_publishing_again_does_not_move_the_date(people: People) -> None:
    episode = people.episode(people.show(), audio=tone_mp3(3.0))
    assert people.publish(episode)["published_at"] == people.publish(episode)["published_at"]


def test_a_date_is_kept_as_the_same_instant_in_utc(people: People) -> None:
    episode = people.episode(people.show(), audio=tone_mp3(3.0))
    published = people.publish(episode, "2026-01-02T03:04:05+02:00")
    assert published["published_at"] == "2026-01-02T01:04:05Z"


def test_a_future_date_schedules_and_an_empty_request_then_publishes_at_once(people: People) -> None:
    episode = people.episode(people.show(), audio=tone_mp3(3.0))
    tomorrow = (clock.now() + timedelta(days=1)).isoformat()
    assert people.publish(episode, tomorrow)["state"] == "scheduled"
    assert people.publish(episode)["state"] == "published"


BAD_DATES = {
    "without a zone": "2026-01-02T03:04:05",
    "a day only": "2026-01-02",
    "a number": 1_795_366_562,
    "a number as text": "1795366562",
    "no date": "tomorrow",
    "a year out of range": "0001-01-01T00:00:00+23:00",
    "the end of the calendar": "9999-12-31T23:59:59-12:00",
}


def test_the_day_it_was_first_public_stays_whatever_date_it_is_given(people: People, engine: Engine) -> None:
    episode = people.episode(people.show(), audio=tone_mp3(3.0))
    key = UUID(episode["id"])

    def first() -> datetime | None:
        with Session(engine) as session:
            return session.exec(select(Episode).where(Episode.uuid == key)).one().first_published_at

    people.publish(episode, "2096-01-02T00:00:00Z")
    assert first() == datetime(2096, 1, 2, tzinfo=UTC), "planned"
    people.call("owner", "POST", f"/v1/episodes/{episode['id']}/unpublish")
    assert first() is None
    people.publish(episode, "2026-01-02T00:00:00Z")
    for change in ("2026-02-03T00:00:00Z", "2096-01-02T00:00:00Z", None):
        people.publish(episode, change)
        people.call("owner", "POST", f"/v1/episodes/{episode['id']}/unpublish")
        assert first() == datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("published_at", BAD_DATES.values(), ids=BAD_DATES)
def test_a_date_is_refused(people: People, published_at: object) -> None:
    episode = people.episode(people.show(), audio=tone_mp3(3.0))
    answer = people.call("owner", "POST", f"/v1/episodes/{episode['id']}/publish", json={"published_at": published_at})
    assert answer.status_code == 422
    assert "published_at" in answer.json()["message"]
    assert read(people, episode)["state"] == "draft"


def test_an_episode_without_audio_cannot_be_published(people: People) -> None:
    episode = people.episode(people.show())
    answer = people.call("owner", "POST", f"/v1/episodes/{episode['id']}/publish")
    assert (answer.status_code, answer.json()["error"]) == (409, "no_audio")
    assert read(people, episode) == episode


def test_unpublishing_makes_it_a_draft_again(people: People) -> None:
    episode = people.published(people.show())
    answer = people.call("owner", "POST", f"/v1/episodes/{episode['id']}/unpublish")
    assert answer.json()["state"] == "draft"
    assert answer.json()["audio"] == episode["audio"]


def test_a_change_sets_what_is_sent_and_keeps_the_rest(people: People) -> None:
    episode = people.published(people.show())
    changed = people.call("owner", "PATCH", f"/v1/episodes/{episode['id']}", json={"title": "Day Trains"}).json()
    assert changed == {**episode, "title": "Day Trains", "updated_at": changed["updated_at"]}


def test_a_deleted_episode_is_gone(people: People) -> None:
    show = people.show()
    episode, kept = people.episode(show), people.episode(show)
    assert people.call("owner", "DELETE", f"/v1/episodes/{episode['id']}").status_code == 204
    assert people.call("owner", "GET", f"/v1/episodes/{episode['id']}").status_code == 404
    listed = people.call("owner", "GET", f"/v1/shows/{show['id']}/episodes").json()
    assert ([one["id"] for one in listed["items"]], listed["total"]) == ([kept["id"]], 1)


def test_episodes_are_listed_the_last_made_first_and_page_by_page(people: People) -> None:
    show = people.show()
    for title in ("one", "two", "three"):
        people.episode(show, title)
    page = people.call("owner", "GET", f"/v1/shows/{show['id']}/episodes?limit=2").json()
    rest = people.call("owner", "GET", f"/v1/shows/{show['id']}/episodes?limit=2&offset=2").json()
    assert [one["title"] for one in page["items"] + rest["items"]] == ["three", "two", "one"]
    assert page["total"] == rest["total"] == 3


EPISODE_ROUTES = [
    ("GET", "", {}),
    ("PATCH", "", {"json": {"title": "Mine now"}}),
    ("PUT", "/audio", {"content": tone_mp3(5.0)}),
    ("POST", "/publish", {}),
    ("POST", "/unpublish", {}),
    ("DELETE", "", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), EPISODE_ROUTES)
def test_somebody_elses_episode_is_not_there(people: People, method: str, path: str, body: dict) -> None:
    episode = people.published(people.show())
    theirs = people.call("other", method, f"/v1/episodes/{episode['id']}{path}", **body)
    nobodys = people.call("other", method, f"/v1/episodes/{uuid4()}{path}", **body)
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json() == nobodys.json()
    assert read(people, episode) == episode


@pytest.mark.parametrize(("method", "path", "body"), EPISODE_ROUTES)
def test_an_admin_may_do_all_with_every_episode(people: People, method: str, path: str, body: dict) -> None:
    episode = people.published(people.show())
    assert people.call("admin", method, f"/v1/episodes/{episode['id']}{path}", **body).status_code in {200, 204}


@pytest.mark.parametrize(("who", "status"), [("advertiser", 403), ("nobody", 401)])
def test_others_have_no_episodes_at_all(people: People, who: str, status: int) -> None:
    episode = people.published(people.show())
    for method, path, body in EPISODE_ROUTES:
        assert people.call(who, method, f"/v1/episodes/{episode['id']}{path}", **body).status_code == status
    assert read(people, episode) == episode
