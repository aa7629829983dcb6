"""Audio as apps get it, and the hits it leaves."""

import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.exc import OperationalError

from api import clock
from api.delivery import episodes
from api.events import LogUnavailableError
from api.settings import Settings
from models.queries import catalogue
from tests.api.conftest import People
from tests.api.delivery.conftest import AUDIO, get, logged
from tests.api.publishing.recordings import m4a
from tests.factories import tone_mp3

SIZE = len(AUDIO)


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One engine is enough: that the statements run on each is seen in test_feed.py."""
    return sqlite_url


def test_the_whole_recording(people: People, episode: dict) -> None:
    answer = get(people, episode)
    assert (answer.status_code, answer.content) == (200, AUDIO)
    assert answer.headers["Content-Type"] == "audio/mpeg"
    assert answer.headers["Content-Length"] == str(SIZE)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == f'"{episode["audio"]["sha256"]}"'
    assert "Last-Modified" in answer.headers


RANGES = {
    "the beginning": ("bytes=0-99", 206, AUDIO[:100], f"bytes 0-99/{SIZE}"),
    "a probe": ("bytes=0-1", 206, AUDIO[:2], f"bytes 0-1/{SIZE}"),
    "from somewhere on": ("bytes=5000-", 206, AUDIO[5000:], f"bytes 5000-{SIZE - 1}/{SIZE}"),
    "the end": ("bytes=-128", 206, AUDIO[-128:], f"bytes {SIZE - 128}-{SIZE - 1}/{SIZE}"),
    "beyond the end": ("bytes=12000-999999", 206, AUDIO[12_000:], f"bytes 12000-{SIZE - 1}/{SIZE}"),
    "all of it": ("bytes=0-", 206, AUDIO, f"bytes 0-{SIZE - 1}/{SIZE}"),
    "after the end": (f"bytes={SIZE}-", 416, b"", f"bytes */{SIZE}"),
    "nonsense": ("bytes=x", 200, AUDIO, None),
    "several": ("bytes=0-1,5-6", 200, AUDIO, None),
}


@pytest.mark.parametrize(("header", "status", "body", "content_range"), RANGES.values(), ids=RANGES)
def test_a_range_and_its_hit(
    people: People, episode: dict, header: str, status: int, body: bytes, content_range: str | None
) -> None:
    answer = get(people, episode, Range=header)
    assert (answer.status_code, answer.content) == (status, body)
    assert answer.headers.get("Content-Range") == content_range
    assert answer.headers["Content-Length"] == str(len(body))
    (hit,) = logged(people, 1)
    assert (hit.status, hit.range, hit.sent_bytes) == (status, header, len(body))


def test_ranges_put_together_are_the_recording(people: People, episode: dict) -> None:
    parts = [get(people, episode, Range=f"bytes={at}-{at + 999}").content for at in range(0, SIZE, 1000)]
    assert b"".join(parts) == AUDIO


def test_an_app_that_has_it_gets_304_and_leaves_a_hit_of_no_bytes(people: People, episode: dict) -> None:
    first = get(people, episode)
    for condition in (
        {"If_None_Match": first.headers["ETag"]},
        {"If_Modified_Since": first.headers["Last-Modified"]},
        {"If_None_Match": first.headers["ETag"], "Range": "bytes=0-9"},
    ):
        answer = get(people, episode, **condition)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == first.headers["ETag"]
    assert [(hit.status, hit.sent_bytes) for hit in logged(people, 4)] == [(200, SIZE), (304, 0), (304, 0), (304, 0)]


def test_a_download_is_continued_only_in_the_same_version(people: People, episode: dict) -> None:
    first = get(people, episode)
    same = {"etag": first.headers["ETag"], "date": first.headers["Last-Modified"]}
    other = {"etag": '"x"', "weak": f"W/{first.headers['ETag']}", "date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    for value in same.values():
        assert get(people, episode, Range="bytes=100-199", If_Range=value).content == AUDIO[100:200]
    for value in other.values():
        answer = get(people, episode, Range="bytes=100-199", If_Range=value)
        assert (answer.status_code, answer.content) == (200, AUDIO)


def test_a_failed_precondition_sends_nothing(people: People, episode: dict) -> None:
    answer = get(people, episode, If_Match='"x"')
    assert (answer.status_code, answer.content) == (412, b"")


def test_head_has_the_headers_of_get_and_its_own_hit(people: People, episode: dict) -> None:
    head, answer = get(people, episode, "HEAD", Range="bytes=0-9"), get(people, episode)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == answer.headers
    assert [(hit.method, hit.status, hit.sent_bytes) for hit in logged(people, 2)] == [
        ("HEAD", 200, 0),
        ("GET", 200, SIZE),
    ]


def test_a_replaced_recording_is_sent_at_once_under_another_etag(people: People, episode: dict) -> None:
    old = get(people, episode)
    people.upload(episode, tone_mp3(5.0))
    new = get(people, episode, If_None_Match=old.headers["ETag"])
    assert (new.status_code, new.content) == (200, tone_mp3(5.0))
    resumed = get(people, episode, Range="bytes=100-", If_Range=old.headers["ETag"])
    assert (resumed.status_code, resumed.content) == (200, tone_mp3(5.0))


def test_an_m4a_answers_under_its_own_ending_and_under_mp3(people: People) -> None:
    content = m4a()
    episode = people.published(people.show(), audio=content)
    assert episode["audio"]["media_url"].endswith(f"/media/{episode['id']}.m4a")
    for ending in ("m4a", "mp3"):
        answer = get(people, episode, ending=ending)
        assert (answer.content, answer.headers["Content-Type"]) == (content, "audio/mp4")
    assert get(people, episode, ending="wav").status_code == 404


def test_what_is_not_public_is_not_there_and_leaves_no_hit(people: People) -> None:
    show = people.show()
    draft = people.episode(show, "draft", AUDIO)
    future = people.published(show, "future", at=(clock.now() + timedelta(hours=1)).isoformat())
    deleted = people.published(show, "deleted")
    people.call("owner", "DELETE", f"/v1/episodes/{deleted['id']}")
    for episode in (draft, future, deleted, {"id": uuid4()}, {"id": "nonsense"}):
        answer = get(people, episode)
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    get(people, people.published(show, "public"))
    assert len(logged(people, 1)) == 1


def test_a_recording_has_the_one_address_that_access_logs_know(people: People, episode: dict) -> None:
    for other in (episode["id"].replace("-", ""), f"{{{episode['id']}}}", f"urn:uuid:{episode['id']}"):
        assert get(people, {"id": other}).status_code == 404
    assert get(people, {"id": episode["id"].upper()}).status_code == 200
    assert len(logged(people, 1)) == 1


def test_a_deleted_show_takes_its_audio_away(people: People, episode: dict) -> None:
    assert get(people, episode).status_code == 200
    people.call("owner", "DELETE", f"/v1/shows/{episode['show_id']}")
    assert get(people, episode).status_code == 404


def test_a_scheduled_episode_answers_when_it_is_due(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    due = clock.now() + timedelta(hours=1)
    episode = people.published(people.show(), at=due.isoformat())
    assert get(people, episode).status_code == 404
    monkeypatch.setattr(clock, "now", lambda: due)
    assert get(people, episode).status_code == 200


# -- when things fail ----------------------------------------------------------------------------------------------


def fail(*_: object) -> None:
    raise OperationalError("SELECT", {}, Exception("the store is down"))


class BrokenLog:
    """A log that fails in one way."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def append_nowait(self, _record: object) -> bool:
        if self.error is not None:
            raise self.error
        return False


@pytest.mark.parametrize("error", [None, LogUnavailableError("disk on fire"), RuntimeError("a bug")])
def test_audio_goes_out_when_the_log_does_not_work(people: People, episode: dict, error: Exception | None) -> None:
    delivery = people.client.app.state.delivery
    object.__setattr__(delivery.hits, "log", BrokenLog(error))
    answer = get(people, episode)
    assert (answer.status_code, answer.content) == (200, AUDIO)
    assert get(people, episode, Range="bytes=0-99").content == AUDIO[:100]


def test_a_file_that_is_lost_is_said_so_and_leaves_a_hit(people: People, episode: dict, settings: Settings) -> None:
    for path in Path(settings.resolved_audio_dir()).rglob(episode["audio"]["sha256"]):
        path.unlink()
    answer = get(people, episode)
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert "Retry-After" in answer.headers
    assert [(hit.status, hit.sent_bytes) for hit in logged(people, 1)] == [(503, 0)]


def test_an_episode_served_before_is_served_while_the_store_is_down(
    people: People, episode: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_served = people.published(people.show("another"))
    assert get(people, episode).status_code == 200

    monkeypatch.setattr(catalogue, "get_media", fail)
    assert [get(people, episode).content for _ in range(2)] == [AUDIO] * 2
    answer = get(people, never_served)
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert len(logged(people, 3)) == 3


def test_a_store_that_hangs_does_not_hold_audio_up(
    people: People, episode: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert get(people, episode).status_code == 200
    monkeypatch.setattr(episodes, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(catalogue, "get_media", lambda *_: time.sleep(1.0))
    assert get(people, episode).content == AUDIO


def test_after_the_store_is_back_changes_show_again(
    people: People, episode: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    get(people, episode)
    with monkeypatch.context() as broken:
        broken.setattr(episodes, "PAUSE_SECONDS", 0.0)
        broken.setattr(catalogue, "get_media", fail)
        assert get(people, episode).status_code == 200
    people.call("owner", "DELETE", f"/v1/episodes/{episode['id']}")
    assert get(people, episode).status_code == 404
