"""Retention on an episode's page."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from models.tables import User
from tests.dashboard.conftest import put_user
from tests.factories import make_episode, make_show
from tests.heard import Spans, put_heard

HEARD: list[Spans] = [[(0, 600)]] * 17 + [[(0, 402)]] * 8
NOT_YET = "Nobody was heard playing this yet"


@pytest.fixture
def creator(dashboard_store: Engine) -> User:
    """The owner of the episodes."""
    return put_user(dashboard_store)


def put_episodes(engine: Engine, owner: User, *heard: list[Spans]) -> str:
    """A show whose episodes were heard like this, the newest first; the id of that one."""
    with Session(engine) as session:
        show = make_show(session, owner)
        uuids = []
        for days_ago, playbacks in enumerate(heard, start=1):
            episode = make_episode(session, show, published_at=datetime.now(UTC) - timedelta(days=days_ago))
            put_heard(session, episode, playbacks)
            uuids.append(str(episode.uuid))
        return uuids[0]


def open_page(user: User, wanted: str) -> AppTest:
    """One run of the episode's page."""

    def script(user) -> None:
        from dashboard.app_pages import episode

        episode.render(user, None)

    app = AppTest.from_function(script, default_timeout=60, args=(user,))
    app.query_params["episode"] = wanted
    app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    """The page's text, as it would be typed."""
    text = "\n".join(str(element.value) for element in [*app.subheader, *app.caption, *app.markdown])
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{EN DASH}", "-")


def charts(app: AppTest) -> int:
    """How many Plotly charts the page has."""
    return len(app.get("plotly_chart"))


def test_the_greatest_drop_is_said_below_the_curve(creator: User, dashboard_store: Engine) -> None:
    app = open_page(creator, put_episodes(dashboard_store, creator, HEARD))
    assert "Most leave at 6:40-6:45: 32 % of playbacks end there." in words(app)
    assert "of 25 playbacks" in words(app)
    assert "typical" not in words(app)
    assert app.dataframe[0].value["heard"].tolist()[0] == 100


def test_an_episode_is_compared_with_the_show_s_others(creator: User, dashboard_store: Engine) -> None:
    others = [[[(0, 600)]] * 10 + [[(0, 100)]] * 10] * 3
    app = open_page(creator, put_episodes(dashboard_store, creator, HEARD, *others))
    assert "Half-way, 100 % are listening; in a typical episode of this show, 50 %." in words(app)
    assert app.dataframe[0].value["typical"].tolist()[-1] == 50


def test_an_episode_without_playbacks_has_a_sentence_and_no_empty_chart(creator: User, dashboard_store: Engine) -> None:
    quiet = open_page(creator, put_episodes(dashboard_store, creator, [[]]))
    assert NOT_YET in words(quiet)
    assert not quiet.dataframe
    heard = open_page(creator, put_episodes(dashboard_store, creator, HEARD))
    assert NOT_YET not in words(heard)
    assert charts(heard) == charts(quiet) + 1


def test_a_draft_without_a_recording_has_that_sentence_too(creator: User, dashboard_store: Engine) -> None:
    with Session(dashboard_store) as session:
        draft = make_episode(session, make_show(session, creator), duration_ms=None, published_at=None)
        wanted = str(draft.uuid)
    assert NOT_YET in words(open_page(creator, wanted))
