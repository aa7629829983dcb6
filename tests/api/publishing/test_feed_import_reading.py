"""What is understood of feeds, good and bad."""

from datetime import UTC, datetime

import pytest

from api.publishing import feed_import_reading
from api.publishing.feed_import_reading import Feed, Item, NoFeedError, parse_duration_ms, parse_length, read_feed
from tests.api.publishing.feeds import FEED_URL, feed, item

DURATIONS = {
    "seconds": ("3723", 3_723_000),
    "minutes": ("62:03", 3_723_000),
    "hours": ("01:02:03", 3_723_000),
    "with space around": (" 1:02:03\n", 3_723_000),
    "with a fraction": ("123.9", 123_000),
    "nothing": ("", None),
    "zero": ("00:00:00", None),
    "negative": ("-5", None),
    "words": ("an hour", None),
    "four parts": ("1:2:3:4", None),
    "a fortnight": ("1209600", None),
    "digits of another script": ("١٢٣", None),
}
LENGTHS = {
    "as it should be": ("960000", 60_000, 960_000),
    "without a duration": ("960000", None, 960_000),
    "nothing": ("", 60_000, 0),
    "zero": ("0", 60_000, 0),
    "one": ("1", None, 0),
    "the duration in its place": ("3600", 3_600_000, 0),
    "negative": ("-960000", 60_000, 0),
    "words": ("9 MB", 60_000, 0),
    "more than any file has": ("9" * 15, 60_000, 0),
    "more than any number has": ("9" * 5000, 60_000, 0),
}
NO_FEEDS = {
    "nothing": b"",
    "a web page": b"<html><head><title>x</title></head><body>y</body></html>",
    "JSON": b'{"items": []}',
    "noise": bytes(range(256)) * 20,
    "RSS of nothing": b'<rss version="2.0"><channel></channel></rss>',
}


def only(document: bytes) -> Item:
    (found,) = read_feed(document).items
    return found


@pytest.mark.parametrize(("said", "expected"), DURATIONS.values(), ids=DURATIONS)
def test_a_duration_is_read(said: str, expected: int | None) -> None:
    assert parse_duration_ms(said) == expected


@pytest.mark.parametrize(("said", "duration_ms", "expected"), LENGTHS.values(), ids=LENGTHS)
def test_a_length_is_believed_when_it_can_be_one(said: str, duration_ms: int | None, expected: int) -> None:
    assert parse_length(said, duration_ms) == expected


def test_a_show_is_read() -> None:
    head = """<link>https://pods.example.com/</link><language>pt-BR</language><itunes:author>Ada</itunes:author>
    <itunes:owner><itunes:name>A Company</itunes:name><itunes:email>a@example.com</itunes:email></itunes:owner>
    <itunes:explicit>true</itunes:explicit>
    <itunes:category text="Science"><itunes:category text="Nature"/></itunes:category>
    <description>&lt;p onclick="x()"&gt;Far.&lt;script&gt;x()&lt;/script&gt;&lt;/p&gt;</description>"""
    assert read_feed(feed(title="Near & <b>far</b>", more=head)) == Feed(
        title="Near & <b>far</b>",
        description="<p>Far.</p>",
        language="pt-BR",
        author="Ada",
        category="Science > Nature",
        is_explicit=True,
        self_url=FEED_URL,
        site_url="https://pods.example.com/",
        items=[],
    )


def test_an_episode_is_read() -> None:
    assert only(feed(item(1))) == Item(
        guid="guid-1",
        title="Part 1",
        description="What happens.",
        published_at=datetime(2026, 10, 1, 3, tzinfo=UTC),
        url="https://pods.example.com/1.mp3",
        audio_bytes=1_000_000,
        audio_type="audio/mpeg",
        duration_ms=60_000,
    )


def test_what_a_feed_does_not_say_is_left_open() -> None:
    found = only(feed(item(1, guid=None, date="yesterday", length=None, duration=None, kind=None, notes=None)))
    assert (found.guid, found.published_at, found.audio_bytes) == ("https://pods.example.com/1.mp3", None, 0)
    assert (found.duration_ms, found.audio_type, found.description) == (None, "", "")


def test_an_episode_without_a_title_has_its_files_name() -> None:
    assert only(feed(item(1, title=" ", url="https://pods.example.com/a/night%20train.mp3"))).title == "night train.mp3"


def test_an_item_without_audio_is_left_out_with_the_reason() -> None:
    found = read_feed(feed(item(1, url=None), item(2, kind="image/png"), item(3, url="javascript:x()"), item(4)))
    assert [episode.title for episode in found.items] == ["Part 4"]
    reasons = {left.title: left.reason for left in found.unusable}
    assert reasons == {
        "Part 1": "it has no enclosure with audio",
        "Part 2": "it has no enclosure with audio",
        "Part 3": "its enclosure has no address on the web",
    }


def test_audio_is_chosen_before_other_enclosures() -> None:
    second = '<enclosure url="https://pods.example.com/b.mp3" length="5000000" type="audio/mpeg"/>'
    mixed = item(1, url="https://pods.example.com/b.bin", kind="application/octet-stream")
    assert only(feed(mixed.replace("</item>", f"{second}</item>"))).url == "https://pods.example.com/b.mp3"


def test_of_two_items_with_one_guid_or_one_file_the_first_is_taken() -> None:
    same_file = item(3, url="http://pods.example.com:80/1.mp3#t=1")
    found = read_feed(feed(item(1), item(2, guid="guid-1"), same_file))
    assert [episode.title for episode in found.items] == ["Part 1"]
    assert [left.title for left in found.unusable] == ["Part 2", "Part 3"]


def test_relative_addresses_go_by_the_feeds_own() -> None:
    (found,) = read_feed(feed(item(1, url="audio/1.mp3")), "https://pods.example.com/a/feed.xml").items
    assert found.url == "https://pods.example.com/a/audio/1.mp3"
    assert read_feed(feed(item(1, url="audio/1.mp3"))).items == []


def test_passwords_in_addresses_are_not_kept() -> None:
    found = read_feed(
        feed(item(1, url="https://ada:secret@pods.example.com/1.mp3"), self_url="https://a:b@x.example/f")
    )
    assert (found.items[0].url, found.self_url) == ("https://pods.example.com/1.mp3", "https://x.example/f")


def test_a_long_guid_is_kept_as_its_hash() -> None:
    first, second = (only(feed(item(1, guid="g" * 5000 + end))).guid for end in "ab")
    assert first.startswith("sha256:")
    assert len(first) < 100
    assert first != second


def test_notes_are_the_longer_ones_without_what_could_do_harm() -> None:
    longer = "<content:encoded><![CDATA[<p>All <a href='javascript:x()'>of</a> it.</p>]]></content:encoded>"
    assert only(feed(item(1).replace("</item>", f"{longer}</item>"))).description.startswith("<p>All <a")
    assert "javascript" not in only(feed(item(1).replace("</item>", f"{longer}</item>"))).description


@pytest.mark.parametrize("document", NO_FEEDS.values(), ids=NO_FEEDS)
def test_what_is_no_feed_is_refused(document: bytes) -> None:
    with pytest.raises(NoFeedError, match="no podcast feed"):
        read_feed(document)


def test_a_feed_that_breaks_off_gives_what_came_before_and_says_so() -> None:
    whole = feed(item(1), item(2), item(3))
    found = read_feed(whole[: whole.index(b"Part 3")])
    assert [episode.title for episode in found.items[:2]] == ["Part 1", "Part 2"]
    assert found.damage
    assert not read_feed(whole).damage


def test_a_feed_with_too_many_items_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_import_reading, "MAX_ITEMS", 2)
    assert len(read_feed(feed(item(1), item(2))).items) == 2
    with pytest.raises(NoFeedError, match="more than 2 items"):
        read_feed(feed(item(1), item(2), item(3)))


def test_entities_are_not_multiplied() -> None:
    laughs = '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("bcdefghij", "cdefghijk", strict=True)
    )
    document = feed(item(1)).replace(b"<rss", f"{laughs}]><rss".encode()).replace(b"Part 1", b"&k;")
    assert sum(len(found.title) for found in read_feed(document).items) < 1000


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "utf-8-sig"])
def test_a_feed_may_come_in_another_encoding(encoding: str) -> None:
    text = (
        feed(item(1, title="Köln")).decode().replace('encoding="UTF-8"', f'encoding="{encoding.removesuffix("-sig")}"')
    )
    assert only(text.encode(encoding)).title == "Köln"


def test_half_a_character_costs_no_more_than_itself() -> None:
    assert only(feed(item(1, title="Part @")).replace(b"@", b"&#55357;&#xDE00;1")).title == "Part 1"


def test_what_the_parser_chokes_on_is_refused() -> None:
    with pytest.raises(NoFeedError, match="too damaged"):
        read_feed(feed(item(1)).replace(b'"UTF-8"', b'"UT\xff\xfeF-8"'))
