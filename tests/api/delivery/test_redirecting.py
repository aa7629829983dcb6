"""Redirects to a CDN, and what the CDN is given."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pydantic import ValidationError
from sqlalchemy import Engine

from api import clock
from api.app import create_app
from api.delivery.redirecting import PULL_GRACE_SECONDS, sign
from api.hits.traits import Trait
from api.settings import Settings
from tests.api.conftest import People
from tests.api.delivery.conftest import AUDIO, get, logged
from tests.api.publishing.recordings import m4a
from tests.factories import tone_mp3

EDGE = "https://cdn.example.com"
SECRET = "0123456789abcdef"


@pytest.fixture
def settings(tmp_path: Path, sqlite_url: str) -> Settings:
    """With a CDN."""
    return Settings(home=tmp_path, store_url=sqlite_url, cdn_url=f"{EDGE}/", cdn_secret=SECRET)


@pytest.fixture
def engine(sqlite_engine: Engine) -> Engine:
    """One engine is enough: redirects need what any request for audio does."""
    return sqlite_engine


@pytest.fixture
def client(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    """The API; redirects are looked at and not followed."""
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client


def address(people: People, episode: dict, **headers: str) -> str:
    """Where a request for the episode is sent."""
    answer = get(people, episode, **headers)
    assert answer.status_code == 302
    return answer.headers["Location"]


def pull(people: People, address: str, method: str = "GET", **headers: str) -> Response:
    """What the CDN gets when it asks for what it was asked for."""
    return people.client.request(method, address.removeprefix(EDGE), headers=headers)


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    at_ms = clock.now_ms() + int(seconds * 1000)
    monkeypatch.setattr(clock, "now_ms", lambda: at_ms)


def counts(people: People, counts: str) -> None:
    """As if EARSHOT_CDN_COUNTS had been this when the service started."""
    delivery = people.client.app.state.delivery
    cdn = replace(delivery.cdn, counts_redirects=counts == "redirects")
    object.__setattr__(delivery, "cdn", cdn)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_request_is_sent_to_an_address_that_is_signed_names_the_version_and_expires(
    people: People, episode: dict, method: str
) -> None:
    answer = get(people, episode, method)
    assert (answer.status_code, answer.content) == (302, b"")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    parts = urlsplit(answer.headers["Location"])
    assert f"{parts.scheme}://{parts.netloc}" == EDGE
    assert parts.path == f"/media/{episode['id']}/{episode['audio']['sha256'][:16]}.mp3"
    query = parse_qs(parts.query)
    (expires,), (signature,) = query["expires"], query["signature"]
    assert signature == sign(SECRET.encode(), parts.path, expires)
    assert 5 * 3600 <= int(expires) - clock.now_ms() / 1000 <= 6 * 3600


def test_the_signature_is_an_hmac_that_others_can_make() -> None:
    # Made with: printf '/media/e/v.mp3?expires=1800000000' | openssl dgst -sha256 -hmac 0123456789abcdef -binary |
    #            basenc --base64url
    assert sign(SECRET.encode(), "/media/e/v.mp3", "1800000000") == "xiKnVkYLW1Xtsy7WXDGmkBXRGKhFxq0qReFsDFhnlfY"


def test_for_a_while_all_are_sent_to_one_address(
    people: People, episode: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now_ms", lambda: 1_800_000_000_000)
    first = address(people, episode)
    monkeypatch.setattr(clock, "now_ms", lambda: 1_800_000_000_000 + 3_599_000)
    assert address(people, episode) == first
    monkeypatch.setattr(clock, "now_ms", lambda: 1_800_000_000_000 + 3_600_000)
    assert address(people, episode) != first


def test_an_m4a_is_sent_to_its_own_ending(people: People) -> None:
    episode = people.published(people.show(), audio=m4a())
    location = address(people, episode)
    assert urlsplit(location).path.endswith(".m4a")
    assert pull(people, location).headers["Content-Type"] == "audio/mp4"
    people.upload(episode, AUDIO)
    assert pull(people, location).headers["Content-Type"] == "audio/mp4"
    assert pull(people, address(people, episode)).headers["Content-Type"] == "audio/mpeg"


def test_what_is_not_there_is_not_redirected(people: People) -> None:
    draft = people.episode(people.show(), "draft", AUDIO)
    assert get(people, draft).status_code == 404


@pytest.mark.parametrize(("where", "traits"), [("logs", Trait.NONE), ("redirects", Trait.REDIRECT)])
def test_the_hit_of_a_redirect_has_the_range_and_says_whether_it_counts(
    people: People, episode: dict, where: str, traits: Trait
) -> None:
    counts(people, where)
    get(people, episode, Range="bytes=0-99", User_Agent="AntennaPod/3.4")
    (hit,) = logged(people, 1)
    assert (hit.status, hit.range, hit.sent_bytes, hit.traits) == (302, "bytes=0-99", 0, traits)
    assert hit.audio_sha256 == episode["audio"]["sha256"]


# -- what the CDN gets -----------------------------------------------------------------------------------------------


def test_the_cdn_gets_the_recording_and_leaves_no_hit(people: People, episode: dict) -> None:
    location = address(people, episode)
    answer = pull(people, location)
    assert (answer.status_code, answer.content) == (200, AUDIO)
    part = pull(people, location, Range="bytes=100-199")
    assert (part.status_code, part.content) == (206, AUDIO[100:200])
    assert pull(people, location, "HEAD").headers["ETag"] == answer.headers["ETag"]
    assert "s-maxage=31536000" in answer.headers["Cache-Control"]
    get(people, episode)
    assert [hit.status for hit in logged(people, 2)] == [302, 302]


def test_a_version_that_was_replaced_is_given_out_to_its_end(people: People, episode: dict) -> None:
    old = address(people, episode)
    people.upload(episode, tone_mp3(5.0))
    new = address(people, episode)
    assert urlsplit(new).path != urlsplit(old).path
    assert (pull(people, old).content, pull(people, new).content) == (AUDIO, tone_mp3(5.0))
    assert pull(people, old).headers["ETag"] == f'"{episode["audio"]["sha256"]}"'


def test_a_deleted_episode_is_not_given_out(people: People, episode: dict) -> None:
    location = address(people, episode)
    people.call("owner", "DELETE", f"/v1/episodes/{episode['id']}")
    assert pull(people, location).status_code == 404


def change(address: str, old: str, new: str) -> str:
    assert old in address
    return address.replace(old, new)


FORGED = {
    "another signature": lambda url: change(url, "signature=", "signature=x"),
    "a later end": lambda url: change(url, "expires=", "expires=1"),
    "an end that is no number": lambda url: change(url, "expires=", "expires=-"),
    "no end": lambda url: change(url, "expires=", "e="),
    "another ending": lambda url: change(url, ".mp3", ".wav"),
    "another version": lambda url: "/".join(
        [*urlsplit(url).path.split("/")[:3], "0" * 16 + ".mp3?" + urlsplit(url).query]
    ),
    "letters of another script": lambda url: change(url, "signature=", "signature=%D1%8F"),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_an_address_that_was_changed_is_refused(people: People, episode: dict, forge) -> None:
    answer = pull(people, forge(address(people, episode)))
    assert (answer.status_code, answer.json()["error"]) == (403, "bad_signature")


def test_a_transfer_may_go_on_for_a_day_after_its_address_expired(
    people: People, episode: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = address(people, episode)
    with monkeypatch.context() as patch:
        later(patch, 6 * 3600 + PULL_GRACE_SECONDS - 3700)
        assert pull(people, location).status_code == 200
    later(monkeypatch, 6 * 3600 + PULL_GRACE_SECONDS + 1)
    assert pull(people, location).status_code == 403


def test_without_a_signature_the_address_leads_to_the_cdn(people: People, episode: dict) -> None:
    location = address(people, episode)
    answer = pull(people, location.partition("?")[0])
    assert (answer.status_code, answer.headers["Location"]) == (302, location)
    assert len(logged(people, 2)) == 2


@pytest.mark.parametrize("name", ["0123456789abcdef.exe", "0123.mp3", "0123456789ABCDEF.mp3", "..%2f..%2fsecret.mp3"])
def test_what_names_no_version_is_not_there(people: People, episode: dict, name: str) -> None:
    path = f"/media/{episode['id']}/{name}"
    signed = f"{path}?expires=9999999999&signature={sign(SECRET.encode(), path, '9999999999')}"
    assert people.client.get(signed).status_code == 404


def test_a_version_that_never_was_is_not_there(people: People, episode: dict) -> None:
    path = f"/media/{episode['id']}/{'0' * 16}.mp3"
    signed = f"{path}?expires=9999999999&signature={sign(SECRET.encode(), path, '9999999999')}"
    assert people.client.get(signed).status_code == 404


def test_after_the_cdn_was_given_up_its_addresses_lead_back(people: People, episode: dict) -> None:
    location = address(people, episode)
    object.__setattr__(people.client.app.state.delivery, "cdn", None)
    answer = pull(people, location)
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith(f"/media/{episode['id']}.mp3")
    back = people.client.get(urlsplit(answer.headers["Location"]).path)
    assert (back.status_code, back.content) == (200, AUDIO)
    assert [hit.status for hit in logged(people, 2)] == [302, 200]


def test_the_api_says_what_downloads_are_counted_from(people: People) -> None:
    def told() -> tuple[str, str | None, str]:
        body = people.client.get("/v1/delivery").json()
        return body["audio_from"], body["cdn_url"], body["counted_from"]

    assert told() == ("cdn", EDGE, "cdn_logs")
    counts(people, "redirects")
    assert told() == ("cdn", EDGE, "redirects")
    object.__setattr__(people.client.app.state.delivery, "cdn", None)
    assert told() == ("earshot", None, "requests")


# -- settings --------------------------------------------------------------------------------------------------------

REFUSED = {
    "no secret": ({"cdn_url": EDGE}, "cdn_secret"),
    "a short secret": ({"cdn_url": EDGE, "cdn_secret": "abc"}, "cdn_secret"),
    "a path": ({"cdn_url": f"{EDGE}/podcasts", "cdn_secret": SECRET}, "cdn_url"),
    "a query": ({"cdn_url": f"{EDGE}?a=b", "cdn_secret": SECRET}, "cdn_url"),
    "no scheme": ({"cdn_url": "cdn.example.com", "cdn_secret": SECRET}, "cdn_url"),
    "another scheme": ({"cdn_url": "ftp://cdn.example.com", "cdn_secret": SECRET}, "cdn_url"),
}


@pytest.mark.parametrize(("values", "name"), REFUSED.values(), ids=REFUSED)
def test_settings_that_cannot_work_are_refused_by_name(values: dict, name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(**values)
    assert [error["loc"] for error in refused.value.errors()] == [(name,)]


def test_without_a_cdn_no_secret_is_needed() -> None:
    assert Settings().cdn_url == ""
