"""The pages of a show that is hosted elsewhere."""

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from models.tables import Role, Show, User
from tests.dashboard.test_pages import episodes_page, sign_in, words
from tests.factories import make_episode, make_show

FEED_URL = "https://pods.example.com/feed.xml"


@pytest.fixture
def creator(dashboard_store: Engine, monkeypatch: pytest.MonkeyPatch) -> User:
    """A creator who is signed in."""
    return sign_in(dashboard_store, Role.CREATOR, monkeypatch)


@pytest.fixture
def show(dashboard_store: Engine, creator: User) -> Show:
    """A show of the creator's."""
    with Session(dashboard_store, expire_on_commit=False) as session:
        show = make_show(session, creator)
        show.feed_url = FEED_URL
        session.commit()
        return show


def test_without_episodes_the_page_says_how_to_bring_them(creator: User, show: Show) -> None:
    app = episodes_page(creator)
    assert not app.exception
    assert f"earshot import-feed {FEED_URL}" in words(app)
    assert "/v1/shows" not in words(app)


def test_no_page_of_episodes_offers_a_feed_or_a_recording_here(
    dashboard_store: Engine, creator: User, show: Show
) -> None:
    with Session(dashboard_store) as session:
        episode = str(make_episode(session, show).uuid)
    one = episodes_page(creator, episode)
    for app in (episodes_page(creator), one):
        assert not app.exception
        assert "/feeds/" not in words(app)
        assert "PUT /v1" not in words(app)
    assert FEED_URL in words(one)
