"""Feeds as apps get them."""

import threading
from datetime import UTC, datetime, timedelta

import feedparser
import pytest
from lxml import etree
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from api import clock
from api.delivery import feeds
from models.queries import catalogue
from tests.api.conftest import People
from tests.factories import tone_mp3

NAMESPACES = {
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "podcast": "https://podcastindex.org/namespace/1.0",
    "atom": "http://www.w3.org/2005/Atom",
}
FEED = "/feeds/quiet-hour.xml"


def texts(people: People, path: str) -> list[str]:
    """What an XPath finds in the feed, read by a strict parser."""
    return etree.fromstring(people.client.get(FEED).content).xpath(path, namespaces=NAMESPACES)


def parse(people: People) -> feedparser.FeedParserDict:
    parsed = feedparser.parse(people.client.get(FEED).content)
    assert not parsed.bozo, parsed.get("bozo_exception")
    return parsed


def titles(people: People) -> list[str]:
    return [entry.title for entry in parse(people).entries]


def test_a_feed_says_all_about_its_show(people: People) -> None:
    show = people.show(
        title="Rock & <Roll>",
        description="<p>Loud &amp; clear.</p>",
        language="pt-BR",
        author="Ada",
        category="Science > Nature",
        is_explicit=True,
    )
    channel = parse(people).feed
    assert (channel.title, channel.language, channel.author) == ("Rock & <Roll>", "pt-BR", "Ada")
    assert channel.subtitle == "<p>Loud &amp; clear.</p>"
    assert texts(people, "channel/itunes:category/@text") == ["Science"]
    assert texts(people, "channel/itunes:category/itunes:category/@text") == ["Nature"]
    assert texts(people, "channel/itunes:explicit/text()") == ["true"]
    assert texts(people, "channel/itunes:type/text()") == ["episodic"]
    assert texts(people, "channel/atom:link[@rel='self']/@href") == [show["feed_url"]]
    assert texts(people, "channel/link/text()") == [show["feed_url"]]
    assert len(texts(people, "channel/podcast:guid/text()")) == 1
    assert people.client.get(FEED).headers["content-type"] == "application/rss+xml; charset=utf-8"


def test_a_bare_show_has_all_that_rss_requires(people: People) -> None:
    people.show()
    for element in ("title", "link", "description", "language", "itunes:author", "itunes:explicit"):
        assert texts(people, f"channel/{element}/text()") != [], element
    assert texts(people, "channel/itunes:category") == []


def test_an_episode_has_its_enclosure_guid_duration_and_notes(people: People) -> None:
    audio = tone_mp3(3.0)
    draft = people.episode(people.show(), "Night <Trains> & more", audio, description="<p>With <em>bells</em>.</p>")
    people.publish(draft, "2026-01-02T03:04:05+02:00")
    (entry,) = parse(people).entries
    assert entry.title == "Night <Trains> & more"
    assert (entry.id, entry.guidislink) == (draft["guid"], False)
    assert entry.summary == "<p>With <em>bells</em>.</p>"
    assert entry.published_parsed[:6] == (2026, 1, 2, 1, 4, 5)
    assert texts(people, "channel/item/guid/@isPermaLink") == ["false"]
    assert texts(people, "channel/item/itunes:duration/text()") == ["4"]
    (enclosure,) = entry.enclosures
    assert (enclosure.length, enclosure.type) == (str(len(audio)), "audio/mpeg")
    assert people.client.get(enclosure.href.removeprefix("http://127.0.0.1:8000")).content == audio


def test_episodes_come_newest_first(people: People) -> None:
    show = people.show()
    for title, day in [("second", 2), ("third", 3), ("first", 1)]:
        people.published(show, title, at=f"2026-01-0{day}T00:00:00Z")
    assert titles(people) == ["third", "second", "first"]


def test_only_what_is_public_is_listed(people: People) -> None:
    show = people.show()
    people.episode(show, "draft", tone_mp3(3.0))
    people.published(show, "tomorrow's", at=(clock.now() + timedelta(days=1)).isoformat())
    deleted, withdrawn = people.published(show, "deleted"), people.published(show, "withdrawn")
    people.published(show, "public")
    people.call("owner", "DELETE", f"/v1/episodes/{deleted['id']}")
    people.call("owner", "POST", f"/v1/episodes/{withdrawn['id']}/unpublish")
    assert titles(people) == ["public"]


def test_a_scheduled_episode_appears_when_it_is_due(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    show = people.show()
    people.published(show, "today's")
    due = clock.now() + timedelta(days=1)
    people.published(show, "tomorrow's", at=due.isoformat())
    before = people.client.get(FEED)
    monkeypatch.setattr(clock, "now", lambda: due)
    assert titles(people) == ["tomorrow's", "today's"]
    after = people.client.get(FEED, headers={"If-Modified-Since": before.headers["Last-Modified"]})
    assert after.status_code == 200
    assert after.headers["ETag"] != before.headers["ETag"]


def test_the_same_feed_is_the_same_bytes_however_often_it_is_made(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as in_march:
        in_march.setattr(clock, "now", lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))
        people.published(people.show())
    first = people.client.get(FEED)
    assert parse(people).feed.updated_parsed[:6] == (2026, 3, 1, 12, 0, 0)
    assert first.headers["Last-Modified"] == "Sun, 01 Mar 2026 12:00:00 GMT"
    people.client.app.state.feeds = feeds.Feeds("http://127.0.0.1:8000")  # as after a restart, or in another process
    second = people.client.get(FEED)
    assert (first.content, first.headers["ETag"]) == (second.content, second.headers["ETag"])


def test_a_feed_is_rendered_once_and_sent_often(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    renderings = []
    render = feeds.render
    monkeypatch.setattr(feeds, "render", lambda *given: renderings.append(1) or render(*given))
    people.published(people.show())
    for _ in range(3):
        people.client.get(FEED)
    assert len(renderings) == 1


CHANGES = {
    "a title": lambda people, show, episode: people.call(
        "owner", "PATCH", f"/v1/shows/{show['id']}", json={"title": "Louder"}
    ),
    "an episode's title": lambda people, show, episode: people.call(
        "owner", "PATCH", f"/v1/episodes/{episode['id']}", json={"title": "Louder"}
    ),
    "a recording": lambda people, show, episode: people.upload(episode, tone_mp3(5.0)),
    "a new episode": lambda people, show, episode: people.published(show, "Another"),
    "a new date": lambda people, show, episode: people.publish(episode, "2026-01-01T00:00:00Z"),
    "an episode less": lambda people, show, episode: people.call("owner", "DELETE", f"/v1/episodes/{episode['id']}"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_client_with_an_old_copy_gets_the_new_one(people: People, change, monkeypatch: pytest.MonkeyPatch) -> None:
    show = people.show()
    episode = people.published(show, at="2026-01-02T00:00:00Z")
    old = people.client.get(FEED)
    by_etag, by_date = {"If-None-Match": old.headers["ETag"]}, {"If-Modified-Since": old.headers["Last-Modified"]}
    for condition in (by_etag, by_date):
        answer = people.client.get(FEED, headers=condition)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == old.headers["ETag"]
    later = clock.now() + timedelta(seconds=2)  # HTTP dates have whole seconds
    monkeypatch.setattr(clock, "now", lambda: later)
    change(people, show, episode)
    for condition in (by_etag, by_date):
        answer = people.client.get(FEED, headers=condition)
        assert (answer.status_code, answer.headers["ETag"] != old.headers["ETag"]) == (200, True)


def test_a_draft_leaves_the_feed_as_it_is(people: People) -> None:
    show = people.show()
    people.published(show)
    etag = people.client.get(FEED).headers["ETag"]
    people.upload(people.episode(show, "draft"), tone_mp3(5.0))
    assert people.client.get(FEED, headers={"If-None-Match": etag}).status_code == 304


def test_a_change_shows_even_when_the_clock_stood_still(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: now)
    episode = people.published(people.show(), "before")
    assert titles(people) == ["before"]
    people.call("owner", "PATCH", f"/v1/episodes/{episode['id']}", json={"title": "after"})
    assert titles(people) == ["after"]


def test_head_has_the_headers_and_no_body(people: People) -> None:
    people.published(people.show())
    get, head = people.client.get(FEED), people.client.head(FEED)
    assert head.content == b""
    assert head.headers == get.headers


def test_guid_of_a_show_stays_when_everything_else_changes(people: People) -> None:
    show = people.show()
    guid = texts(people, "channel/podcast:guid/text()")
    people.call("owner", "PATCH", f"/v1/shows/{show['id']}", json={"title": "Louder"})
    people.client.app.state.feeds = feeds.Feeds("https://podcasts.example.com")
    assert texts(people, "channel/podcast:guid/text()") == guid


def test_a_deleted_show_is_gone_and_an_unknown_one_not_found(people: People) -> None:
    show = people.show()
    assert people.client.get(FEED).status_code == 200
    people.call("owner", "DELETE", f"/v1/shows/{show['id']}")
    assert people.client.get(FEED).status_code == 410
    for slug in ("nothing", "QUIET-HOUR", "a%00b", "x" * 300):
        assert people.client.get(f"/feeds/{slug}.xml").status_code == 404


def test_a_feed_served_before_is_served_while_the_store_is_down(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.published(people.show())
    people.show("never-asked-for")
    before = people.client.get(FEED).content

    def fail(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("the store is down"))

    monkeypatch.setattr(catalogue, "get_feed_state", fail)
    assert people.client.get(FEED).content == before
    answer = people.client.get("/feeds/never-asked-for.xml")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


def test_many_threads_render_the_same_dates(people: People) -> None:
    show = people.show()
    people.published(show, at="2026-01-02T00:00:00Z")
    with Session(people.client.app.state.engine) as session:
        state = catalogue.get_feed_state(session, "quiet-hour", clock.now())
        episodes = catalogue.list_feed_episodes(session, state.show.id, clock.now())
    made: list[bytes] = []
    arguments = (state.show, episodes, state.show.updated_at, "http://127.0.0.1:8000")
    threads = [threading.Thread(target=lambda: made.append(feeds.render(*arguments))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1
