"""Feeds of shows hosted elsewhere, in the store."""

import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from api import clock
from api.errors import ApiError
from api.publishing import feed_import
from api.publishing.feed_import import HostedHereError, NoAddressError, NoOwnerError
from api.publishing.feed_import_episodes import Report
from api.publishing.feed_import_reading import read_feed
from models.downloads import AudioVersion
from models.queries.audio_versions import list_versions
from models.queries.episode_urls import resolve_episodes
from models.tables import Episode, Role, Show, User
from tests.api.publishing.feeds import FEED_URL, feed, item
from tests.factories import make_episode, make_user


@pytest.fixture
def owner(engine: Engine) -> User:
    """The only person there."""
    with Session(engine, expire_on_commit=False) as session:
        return make_user(session, email="ada@example.com")[0]


def bring(engine: Engine, *items: str, address: str = FEED_URL, owner_email: str = "", **about: str) -> Report:
    """Import a feed with these items."""
    with Session(engine, expire_on_commit=False) as session:
        found = read_feed(feed(*items, **about), address)
        report = feed_import.import_feed(session, found, owner_email=owner_email, address=address)
        session.commit()
        return report


def episodes(engine: Engine) -> dict[str, Episode]:
    """All episodes by title."""
    with Session(engine) as session:
        return {episode.title: episode for episode in session.exec(select(Episode))}


def shows(engine: Engine) -> list[Show]:
    with Session(engine) as session:
        return list(session.exec(select(Show).order_by(Show.slug)))


def versions(engine: Engine, title: str) -> list[tuple[int, int | None, datetime]]:
    """What an episode is and was: bytes, duration, since when; the oldest first."""
    with engine.connect() as connection:
        found = list_versions(connection, [episodes(engine)[title].uuid])
        return [(version.audio_bytes, version.duration_ms, version.since_at) for version in found]


def meaning(engine: Engine, url: str) -> UUID | None:
    with engine.connect() as connection:
        return resolve_episodes(connection, [url]).get(url)


def counts(report: Report) -> tuple[int, int, int]:
    return report.new, report.updated, report.unchanged


def at(monkeypatch: pytest.MonkeyPatch, instant: datetime) -> datetime:
    monkeypatch.setattr(clock, "now", lambda: instant)
    return instant


def october(day: int) -> datetime:
    """When `item(day)` came out."""
    return datetime(2026, 10, day, 3, tzinfo=UTC)


# -- the first time --------------------------------------------------------------------------------------------------


def test_a_feed_becomes_a_show_hosted_elsewhere(engine: Engine, owner: User) -> None:
    report = bring(engine, item(2), item(1), more="<language>de</language><itunes:author>Ada</itunes:author>")
    (show,) = shows(engine)
    assert (show.title, show.slug, show.feed_url) == ("The Long Way", "the-long-way", FEED_URL)
    assert (show.owner_id, show.language, show.author) == (owner.id, "de", "Ada")
    assert (report.is_new, counts(report)) == (True, (2, 0, 0))


def test_its_episodes_have_all_but_audio(engine: Engine, owner: User) -> None:
    bring(engine, item(2), item(1))
    made = episodes(engine)["Part 1"]
    assert (made.guid, made.description, made.published_at) == ("guid-1", "What happens.", october(1))
    assert (made.audio_bytes, made.audio_type, made.duration_ms) == (1_000_000, "audio/mpeg", 60_000)
    assert (made.audio_sha256, made.bitrate_bps, made.header_bytes) == (None, None, 0)
    assert (made.id or 0) < (episodes(engine)["Part 2"].id or 0)


def test_a_date_that_the_feed_changes_is_not_the_first_one(engine: Engine, owner: User) -> None:
    bring(engine, item(1), item(2, date=None))
    bring(engine, item(1, date="Thu, 29 Oct 2026 05:00:00 +0200"), item(2, date="Thu, 29 Oct 2096 05:00:00 +0200"))
    redated, late = episodes(engine)["Part 1"], episodes(engine)["Part 2"]
    assert redated.published_at != redated.first_published_at == october(1)
    assert late.first_published_at == late.created_at, "it was there when it was first read"


def test_each_episode_has_one_version_from_its_publication_on(engine: Engine, owner: User) -> None:
    bring(engine, item(1))
    assert versions(engine, "Part 1") == [(1_000_000, 60_000, october(1))]
    with Session(engine) as session:
        (version,) = session.exec(select(AudioVersion))
    text = "https://pods.example.com/1.mp3\n1000000\n60000"
    assert version.sha256 == sha256(text.encode()).hexdigest()
    assert (version.bitrate_bps, version.header_bytes) == (None, 0)


def test_an_episode_is_known_by_the_address_of_its_audio_with_any_prefix(engine: Engine, owner: User) -> None:
    bring(engine, item(1, url="https://op3.dev/e/pods.example.com/1.mp3"))
    uuid = episodes(engine)["Part 1"].uuid
    assert meaning(engine, "http://pods.example.com/1.mp3") == uuid
    assert meaning(engine, "https://pdst.fm/e/pods.example.com/1.mp3") == uuid


def test_slugs_are_made_of_titles_and_none_is_given_twice(engine: Engine, owner: User) -> None:
    for number, title in enumerate(["Über Wälder & Wege!", "Uber Walder Wege", "散歩", "uber walder wege", "x" * 300]):
        bring(engine, item(number + 1), title=title, address=f"https://pods.example.com/{number}", self_url="")
    slugs = [show.slug for show in shows(engine)]
    assert slugs == ["show", "uber-walder-wege", "uber-walder-wege-2", "uber-walder-wege-3", "x" * 56]


def test_what_cannot_be_judged_is_named(engine: Engine, owner: User) -> None:
    report = bring(engine, item(1, length="1"), item(2, duration=None), item(3, date=None), item(4, url=None), item(5))
    assert (report.without_length, report.without_duration) == (["Part 1"], ["Part 2"])
    assert report.without_date == ["Part 3"]
    assert [left.title for left in report.unusable] == ["Part 4"]
    assert versions(engine, "Part 1")[0][:2] == (0, 60_000)
    assert versions(engine, "Part 2")[0][:2] == (2_000_000, None)


def test_a_file_says_itself_where_its_feed_is(engine: Engine, owner: User) -> None:
    bring(engine, item(1), address="")
    assert [show.feed_url for show in shows(engine)] == [FEED_URL]
    bring(engine, item(2), address="", self_url="", title="B", more="<link>https://b.example.com/</link>")
    assert shows(engine)[0].feed_url == "https://b.example.com/"


def test_a_file_that_does_not_say_it_is_refused(engine: Engine, owner: User) -> None:
    with pytest.raises(NoAddressError, match="--feed-url"):
        bring(engine, item(1), address="", self_url="")
    assert shows(engine) == []


# -- again -----------------------------------------------------------------------------------------------------------


def test_the_same_feed_again_changes_nothing(engine: Engine, owner: User) -> None:
    first = bring(engine, item(2), item(1, length=None))
    again = bring(engine, item(2), item(1, length=None))
    assert (again.is_new, counts(again)) == (False, (0, 0, 2))
    assert [show.updated_at for show in shows(engine)] == [first.show.updated_at]
    assert len(versions(engine, "Part 1")) == 1


def test_new_episodes_are_added_and_old_ones_stay(engine: Engine, owner: User) -> None:
    bring(engine, item(3), item(2), item(1))
    again = bring(engine, item(4), item(3))
    assert (counts(again), again.missing) == ((1, 0, 1), 2)
    assert sorted(episodes(engine)) == ["Part 1", "Part 2", "Part 3", "Part 4"]


def test_what_the_feed_says_anew_is_taken_over(engine: Engine, owner: User) -> None:
    bring(engine, item(1))
    before = episodes(engine)["Part 1"]
    report = bring(engine, item(1, title="First Part", notes="<b>More.</b>"), title="The Longer Way")
    after = episodes(engine)["First Part"]
    assert counts(report) == (0, 1, 0)
    assert (after.uuid, after.description, shows(engine)[0].title) == (before.uuid, "<b>More.</b>", "The Longer Way")
    assert shows(engine)[0].slug == "the-long-way"
    assert len(versions(engine, "First Part")) == 1


def test_another_length_or_duration_is_another_version_from_now_on(
    engine: Engine, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(engine, item(1))
    second = at(monkeypatch, datetime(2026, 11, 1, tzinfo=UTC))
    bring(engine, item(1, length="2000000"))
    third = at(monkeypatch, datetime(2026, 11, 2, tzinfo=UTC))
    bring(engine, item(1, length="2000000", duration="2:00"))
    expected = [(1_000_000, 60_000, october(1)), (2_000_000, 60_000, second), (2_000_000, 120_000, third)]
    assert versions(engine, "Part 1") == expected


def test_a_file_that_is_what_it_was_before_is_so_from_now_on(
    engine: Engine, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(engine, item(1))
    bring(engine, item(1, length="2000000"))
    back = at(monkeypatch, datetime.now(UTC) + timedelta(hours=1))
    bring(engine, item(1))
    assert versions(engine, "Part 1")[-1] == (1_000_000, 60_000, back)


def test_a_size_that_was_not_known_was_so_from_the_beginning(engine: Engine, owner: User) -> None:
    bring(engine, item(1, length="0", duration=None))
    bring(engine, item(1, length="0"))
    bring(engine, item(1))
    assert versions(engine, "Part 1")[-1] == (1_000_000, 60_000, october(1))


def test_a_size_that_is_not_told_any_more_is_still_known(engine: Engine, owner: User) -> None:
    bring(engine, item(1))
    again = bring(engine, item(1, length=None, duration=None))
    assert (counts(again), again.without_length) == ((0, 0, 1), [])
    assert versions(engine, "Part 1") == [(1_000_000, 60_000, october(1))]


def test_old_addresses_of_the_audio_stay_known(engine: Engine, owner: User) -> None:
    bring(engine, item(1))
    bring(engine, item(1, url="https://new-host.example.com/1.mp3"))
    uuid = episodes(engine)["Part 1"].uuid
    assert meaning(engine, "https://pods.example.com/1.mp3") == uuid
    assert meaning(engine, "https://new-host.example.com/1.mp3") == uuid


def test_an_episode_with_another_guid_is_known_by_its_audio(engine: Engine, owner: User) -> None:
    bring(engine, item(1))
    again = bring(engine, item(1, guid="https://pods.example.com/?p=1"))
    assert counts(again) == (0, 0, 1)
    assert episodes(engine)["Part 1"].guid == "guid-1"


def test_an_item_does_not_take_the_audio_of_another(engine: Engine, owner: User) -> None:
    bring(engine, item(1))
    moved = item(1, url="https://pods.example.com/elsewhere.mp3")
    again = bring(engine, moved, item(2, url="https://pods.example.com/1.mp3"))
    assert [(left.title, left.reason.split(":")[0]) for left in again.unusable] == [
        ("Part 2", "its audio is that of 'Part 1' of the show 'The Long Way'")
    ]
    assert counts(again) == (0, 1, 0)


def test_what_was_deleted_here_stays_so(engine: Engine, owner: User) -> None:
    bring(engine, item(1), item(2))
    with Session(engine) as session:
        session.exec(select(Episode).where(Episode.title == "Part 1")).one().deleted_at = clock.now()
        session.commit()
    again = bring(engine, item(1), item(2))
    assert (counts(again), [left.title for left in again.unusable]) == ((0, 0, 1), ["Part 1"])


def test_a_deleted_show_is_made_anew(engine: Engine, owner: User) -> None:
    bring(engine, item(1))
    with Session(engine) as session:
        session.exec(select(Show)).one().deleted_at = clock.now()
        session.commit()
    again = bring(engine, item(1))
    assert (again.is_new, counts(again)) == (True, (1, 0, 0))
    found = meaning(engine, "https://pods.example.com/1.mp3")
    with Session(engine) as session:
        assert session.exec(select(Episode).where(Episode.uuid == found)).one().show_id == again.show.id
    assert counts(bring(engine, item(1))) == (0, 0, 1)


# -- which show ------------------------------------------------------------------------------------------------------


def test_a_show_is_known_by_its_feeds_address_whatever_the_feed_says(engine: Engine, owner: User) -> None:
    first = bring(engine, item(1))
    again = bring(engine, item(9), address="http://pods.example.com:80/feed.xml", title="Another Title", self_url="")
    assert (again.is_new, again.show.id) == (False, first.show.id)


def test_a_file_is_known_by_the_address_it_gives_itself_or_its_title_and_an_episode(
    engine: Engine, owner: User
) -> None:
    first = bring(engine, item(1), address="")
    renamed = bring(engine, item(2), item(1), address="", title="Renamed")
    assert (renamed.is_new, renamed.show.id) == (False, first.show.id)
    moved = bring(engine, item(2), address="", title="Renamed", self_url="https://new-host.example.com/feed")
    assert (moved.is_new, moved.show.id, moved.show.feed_url) == (False, first.show.id, FEED_URL)


def test_a_feed_that_only_claims_to_be_another_is_another(engine: Engine, owner: User) -> None:
    first = bring(engine, item(1))
    claims = bring(engine, item(9), address="https://elsewhere.example.com/feed")
    assert claims.is_new
    assert claims.show.id != first.show.id


def test_a_show_that_moved_has_its_new_address(engine: Engine, owner: User) -> None:
    first = bring(engine, item(1))
    moved = bring(engine, item(2), item(1), address="https://new-host.example.com/feed")
    assert (moved.is_new, moved.show.id) == (False, first.show.id)
    assert [show.feed_url for show in shows(engine)] == ["https://new-host.example.com/feed"]


def test_a_guid_that_another_show_has_is_made_this_shows_own(engine: Engine, owner: User) -> None:
    bring(engine, item(1, guid="1"))
    other = {"address": "https://b.example.com/feed", "self_url": "", "title": "B"}
    report = bring(engine, item(1, guid="1", url="https://b.example.com/1.mp3"), **other)
    assert counts(report) == (1, 0, 0)
    again = bring(engine, item(1, guid="1", url="https://b.example.com/moved.mp3"), **other)
    assert counts(again) == (0, 1, 0)


def test_audio_of_another_show_is_not_taken(engine: Engine, owner: User) -> None:
    bring(engine, item(1))
    other = bring(engine, item(1, guid="x"), item(2), address="https://b.example.com/feed", self_url="", title="B")
    assert counts(other) == (1, 0, 0)
    assert "'Part 1' of the show 'The Long Way'" in other.unusable[0].reason


def test_a_feed_of_a_show_hosted_here_is_refused(engine: Engine, owner: User) -> None:
    with Session(engine) as session:
        uuid = make_episode(session).uuid
    with pytest.raises(HostedHereError, match="hosted here"):
        bring(engine, item(1, url=f"https://earshot.example.com/media/{uuid}.mp3"))


# -- whose -----------------------------------------------------------------------------------------------------------


def test_nobody_can_own_a_show_where_nobody_is(engine: Engine) -> None:
    with Session(engine) as session, pytest.raises(NoOwnerError, match="earshot users add"):
        feed_import.check_owner(session, "")


def test_among_several_the_owner_has_to_be_named_once(engine: Engine, owner: User) -> None:
    with Session(engine) as session:
        make_user(session, Role.ADMIN, "bea@example.com")
        make_user(session, Role.ADVERTISER, "cy@example.com")
    with pytest.raises(NoOwnerError, match=r"--owner EMAIL: ada@example\.com, bea@example\.com$"):
        bring(engine, item(1))
    made = bring(engine, item(1), owner_email="Ada@example.com")
    again = bring(engine, item(1))
    assert (made.show.owner_id, again.show.owner_id, again.is_new) == (owner.id, owner.id, False)
    with pytest.raises(NoOwnerError, match=r"belongs to ada@example\.com"):
        bring(engine, item(1), owner_email="bea@example.com")


@pytest.mark.parametrize("email", ["nobody@example.com", "gone@example.com", "cy@example.com"])
def test_who_is_not_there_or_no_publisher_owns_nothing(engine: Engine, owner: User, email: str) -> None:
    with Session(engine) as session:
        make_user(session, Role.ADVERTISER, "cy@example.com")
        make_user(session, email="gone@example.com")[0].disabled_at = clock.now()
        session.commit()
        with pytest.raises(ApiError, match=email):
            feed_import.check_owner(session, email)
    with pytest.raises(ApiError, match=email):
        bring(engine, item(1), owner_email=email)
    assert shows(engine) == []


# -- at the same time ------------------------------------------------------------------------------------------------


def test_imports_at_the_same_time_make_one_show(engine: Engine, owner: User) -> None:
    document = [item(number) for number in range(1, 29)]
    failures: list[BaseException] = []

    def run() -> None:
        try:
            bring(engine, *document)
        except IntegrityError as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (len(shows(engine)), len(episodes(engine))) == (1, 28)
    assert all(len(versions(engine, title)) == 1 for title in ("Part 1", "Part 28"))
