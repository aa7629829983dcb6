"""Downloads on the pages: their own, and those of episodes and of shows hosted elsewhere."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select
from streamlit.testing.v1 import AppTest

from models.counting import EpisodeDay
from models.downloads import CountingRule
from models.tables import Episode, Role, Show, User
from tests.dashboard.test_pages import sign_in, words
from tests.downloaded import Download, put_consumers, put_downloads, put_hits
from tests.factories import make_episode, make_show

NOW = datetime.now(UTC)
YESTERDAY = NOW - timedelta(days=1)


@pytest.fixture
def creator(dashboard_store: Engine, monkeypatch: pytest.MonkeyPatch) -> User:
    """The owner of the shows, signed in."""
    return sign_in(dashboard_store, Role.CREATOR, monkeypatch)


@pytest.fixture
def show(dashboard_store: Engine, creator: User) -> Show:
    """A show with nothing in it."""
    with Session(dashboard_store, expire_on_commit=False) as session:
        return make_show(session, creator)


def put(engine: Engine, show: Show, at: datetime = YESTERDAY, feed_url: str | None = None) -> str:
    """An episode with 12 downloads and 8 other hits, and five consumers; its id."""
    with Session(engine) as session:
        show = session.get_one(Show, show.id)
        show.feed_url = feed_url
        episode = make_episode(session, show, published_at=NOW - timedelta(days=20))
        put_downloads(session, episode, [Download(at)] * 9 + [Download(at, "AntennaPod", "", "AT")] * 3)
        for outcome, hits in {"duplicate": 5, "bot": 3}.items():
            put_hits(session, episode, at.date(), outcome, hits)
        for place in (0, episode.id):
            put_consumers(session, show.id, at.date(), range(5), episode_id=place)
        return str(episode.uuid)


def open_page(user: User, page: str, wanted: str = "") -> AppTest:
    """One run of a page."""

    def script(user, page) -> None:
        from importlib import import_module

        module = import_module(f"dashboard.app_pages.{page}")
        module.render(user, None)

    app = AppTest.from_function(script, default_timeout=60, args=(user, page))
    if wanted:
        app.query_params["episode"] = wanted
    app.run()
    assert not app.exception
    return app


def numbers(app: AppTest) -> dict[str, str]:
    """The cards: title and value."""
    return {metric.label: metric.value for metric in app.metric}


def test_the_page_has_every_number_of_the_show(creator: User, show: Show, dashboard_store: Engine) -> None:
    put(dashboard_store, show)
    app = open_page(creator, "downloads")
    assert numbers(app) == {
        "Downloads": "12",
        "Hits": "20",
        "Sent": "115 MB",
        "On this day": "5",
        "In 7 days": "5",
        "In 30 days": "5",
    }
    episodes, outcomes = (frame.value for frame in app.dataframe)
    assert episodes[["downloads", "first_7", "first_30"]].values.tolist()[0][:2] == [12, 0]
    assert episodes["first_30"].isna().all()
    assert outcomes["outcome"].tolist() == ["Download", "Repetition", "Bot", "All hits"]
    assert outcomes["share"].tolist() == [60, 25, 15, 100]
    assert outcomes["hits"].tolist()[-1] == sum(outcomes["hits"].tolist()[:-1])
    assert {heading.value for heading in app.subheader} >= {"Apps", "Devices", "Countries", "Why hits did not count"}


@pytest.mark.parametrize(
    ("window", "said"),
    [
        (None, "the calendar day, UTC"),
        ("calendar", "the calendar day, UTC"),
        ("first_touch", "24 hours from the first request"),
        ("last_touch", "24 hours from the last request"),
    ],
)
def test_the_window_is_disclosed(
    creator: User, show: Show, dashboard_store: Engine, window: str | None, said: str
) -> None:
    put(dashboard_store, show)
    if window is not None:
        with Session(dashboard_store) as session:
            session.add(CountingRule(name="download_window", value=window))
            session.commit()
    assert f"within **{said}**" in words(open_page(creator, "downloads"))


def test_downloads_and_listens_each_say_what_they_are(creator: User, show: Show, dashboard_store: Engine) -> None:
    uuid = put(dashboard_store, show)
    text = words(open_page(creator, "episode", uuid))
    assert "not the IAB download" in text
    assert "It does not say that anybody listened" in text
    assert numbers(open_page(creator, "episode", uuid))["Downloads"] == "12"


def test_a_show_that_nobody_fetched_says_what_to_do(creator: User, show: Show) -> None:
    text = words(open_page(creator, "downloads"))
    assert "Publish an episode" in text
    assert f"/feeds/{show.slug}.xml" in text
    assert "earshot import-logs" in text


def test_old_downloads_are_told_when_the_period_has_none(creator: User, show: Show, dashboard_store: Engine) -> None:
    long_ago = NOW - timedelta(days=60)
    put(dashboard_store, show, at=long_ago)
    text = words(open_page(creator, "downloads"))
    assert "the last time was on" in text
    assert str(long_ago.year) in text
    assert "import-logs" not in text


def test_hits_of_which_none_counts_are_explained(creator: User, show: Show, dashboard_store: Engine) -> None:
    with Session(dashboard_store) as session:
        put_hits(session, make_episode(session, session.get_one(Show, show.id)), YESTERDAY.date(), "bot", 3)
    app = open_page(creator, "downloads")
    assert "none of them counts" in words(app)
    assert "The user agent is a crawler's" in words(app)
    assert "On this day" not in numbers(app)


def test_where_no_country_is_known_the_page_says_how_to_know_them(
    creator: User, show: Show, dashboard_store: Engine
) -> None:
    advice = "No country is known"
    put(dashboard_store, show)
    assert advice not in words(open_page(creator, "downloads"))
    with Session(dashboard_store, expire_on_commit=False) as session:
        other = make_show(session, creator)
        other.title = "A first one in the list"
        put_downloads(session, make_episode(session, other), [Download(YESTERDAY, country="")])
    assert advice in words(open_page(creator, "downloads"))


ELSEWHERE = "https://pods.example.com/feed.xml"


def test_a_show_hosted_elsewhere_leads_with_downloads(creator: User, show: Show, dashboard_store: Engine) -> None:
    uuid = put(dashboard_store, show, feed_url=ELSEWHERE)
    for page in ("overview", "downloads", "episode"):
        app = open_page(creator, page, uuid if page == "episode" else "")
        assert numbers(app)["Downloads"] == "12", page
        assert "Listens" not in numbers(app), page
        assert re.search(r"Hosted elsewhere \(pods\\?\.example\\?\.com\)", words(app)), page
    episodes = open_page(creator, "episodes").dataframe[0].value
    assert "listens" not in episodes
    assert episodes["downloads"].tolist() == [12]


def test_listens_that_apps_report_of_such_a_show_come_second(
    creator: User, show: Show, dashboard_store: Engine
) -> None:
    uuid = put(dashboard_store, show, feed_url=ELSEWHERE)
    with Session(dashboard_store) as session:
        episode = session.exec(select(Episode).where(Episode.uuid == UUID(uuid))).one()
        row = EpisodeDay(
            episode_id=episode.id, day=YESTERDAY.date(), starts=4, listens=3, offline_listens=1, completions=1
        )
        row.heard_seconds = 900
        session.add(row)
        session.commit()
    for page in ("overview", "episode"):
        titles = list(numbers(open_page(creator, page, uuid if page == "episode" else "")))
        assert titles.index("Downloads") < titles.index("Listens"), page


def test_an_empty_show_hosted_elsewhere_asks_for_its_logs(creator: User, show: Show, dashboard_store: Engine) -> None:
    with Session(dashboard_store) as session:
        session.get_one(Show, show.id).feed_url = ELSEWHERE
        session.commit()
    text = words(open_page(creator, "downloads"))
    assert "earshot import-logs" in text
    assert "/feeds/" not in text
