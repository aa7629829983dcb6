"""Whole runs of the page script, as Streamlit makes them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import session
from models.counting import ArrivalDay, EpisodeDay, ShowArrival
from models.tables import Role, User
from tests.dashboard.conftest import end_sessions, put_session, put_user
from tests.factories import make_episode, make_show

SCRIPT = Path(dashboard.__file__).parent / "app.py"
TODAY = datetime.now(UTC).date()


@pytest.fixture
def creator(dashboard_store: Engine, monkeypatch: pytest.MonkeyPatch) -> User:
    """A creator whose browser is signed in; no shows yet."""
    return sign_in(dashboard_store, Role.CREATOR, monkeypatch)


def sign_in(engine: Engine, role: Role, monkeypatch: pytest.MonkeyPatch) -> User:
    """Somebody whose browser is signed in."""
    user = put_user(engine, role)
    put_session(engine, user, "token")
    monkeypatch.setattr(session, "token", lambda: "token")
    return user


def put_listens(engine: Engine, owner: User, *, title: str = "The Quiet Hour") -> str:
    """A show heard 150 times yesterday (60 offline) and 100 times 28 days earlier; its episode's id."""
    with Session(engine) as store_session:
        show = make_show(store_session, owner)
        show.title = title
        episode = make_episode(store_session, show)
        for days_ago, listens, offline in ((1, 150, 60), (29, 100, 10)):
            store_session.add(
                EpisodeDay(
                    episode_id=episode.id,
                    day=TODAY - timedelta(days=days_ago),
                    starts=listens * 2,
                    listens=listens,
                    offline_listens=offline,
                    completions=listens // 2,
                    heard_seconds=listens * 3600,
                )
            )
        store_session.add(
            ArrivalDay(
                episode_id=episode.id,
                received_day=datetime.now(UTC).date(),
                day=TODAY - timedelta(days=1),
                events=900,
                starts=40,
                listens=31,
                heard_seconds=100,
                last_received_ms=int(datetime.now(UTC).timestamp() * 1000),
            )
        )
        store_session.commit()
        return str(episode.uuid)


def run() -> AppTest:
    """One run of the frame and the page it opens on."""
    return AppTest.from_file(str(SCRIPT), default_timeout=60).run()


def words(app: AppTest) -> str:
    """All text of the page."""
    elements = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.code, *app.get("html")]
    return "\n".join(str(getattr(element, "value", None) or element.proto.body) for element in elements)


def cards(app: AppTest) -> dict[str, tuple[str, str]]:
    """Value and change of each card."""
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def test_overview_shows_the_sums_of_the_period_and_their_change(creator: User, dashboard_store: Engine) -> None:
    put_listens(dashboard_store, creator)
    app = run()
    assert not app.exception
    assert cards(app) == {
        "Listens": ("150", "+50 %"),
        "Listeners' hours": ("150 h", "+50 %"),
        "Offline share": ("40 %", "+30.0 pp"),
        "Completion rate": ("25 %", "+0.0 pp"),
    }
    assert "not the IAB download" in words(app)
    assert "<b>31</b> of them heard on an earlier day" in words(app)


def put_history(engine: Engine, owner: User) -> str:
    """A show of which nine listens of ten arrive on the day and one two days later; its episode's id."""
    with Session(engine) as store_session:
        show = make_show(store_session, owner)
        episode = make_episode(store_session, show)
        for age in range(40):
            day, late = TODAY - timedelta(days=age), age > 2
            arrived = {0: 90, 48: 10} if late else {0: 90}
            store_session.add_all(
                ShowArrival(show_id=show.id, day=day, lag_hours=lag, starts=count, listens=count, heard_seconds=0)
                for lag, count in arrived.items()
            )
            counts = dict.fromkeys(("starts", "listens"), sum(arrived.values()))
            none = dict.fromkeys(("offline_listens", "completions", "heard_seconds"), 0)
            store_session.add(EpisodeDay(episode_id=episode.id, day=day, **counts, **none))
        store_session.commit()
        return str(episode.uuid)


def test_days_that_are_still_arriving_are_named_with_what_to_expect(creator: User, dashboard_store: Engine) -> None:
    wanted = put_history(dashboard_store, creator)
    app = run()
    assert not app.exception
    said = words(app).replace("\N{NO-BREAK SPACE}", " ")
    assert "Hatched days are still arriving" in said
    assert re.search(r"yesterday is about 9\d % in, expect (99|100|101) ", said)
    assert "90 % after" in said
    of_episode = words(episodes_page(creator, wanted)).replace("\N{NO-BREAK SPACE}", " ")
    assert re.search(r"yesterday is about 9\d % in\.", of_episode)


def test_without_enough_history_no_day_is_called_provisional(creator: User, dashboard_store: Engine) -> None:
    put_listens(dashboard_store, creator)
    said = words(run())
    assert "Not enough history yet" in said
    assert "Hatched" not in said


def test_another_period_changes_the_sums(creator: User, dashboard_store: Engine) -> None:
    put_listens(dashboard_store, creator)
    app = run()
    app.get("button_group")[0].set_value(60).run()
    assert cards(app)["Listens"][0] == "250"


def test_a_creator_never_sees_anothers_show(creator: User, dashboard_store: Engine) -> None:
    put_listens(dashboard_store, put_user(dashboard_store), title="Somebody Else's")
    assert "Make your first show" in words(run())
    put_listens(dashboard_store, creator, title="My Own")
    assert run().selectbox[0].options == ["My Own"]


def test_an_admin_sees_every_show(dashboard_store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(dashboard_store, Role.ADMIN, monkeypatch)
    for title in ("One", "Two"):
        put_listens(dashboard_store, put_user(dashboard_store), title=title)
    assert run().selectbox[0].options == ["One", "Two"]


def test_two_shows_of_one_title_can_be_told_apart(creator: User, dashboard_store: Engine) -> None:
    put_listens(dashboard_store, creator)
    put_listens(dashboard_store, creator)
    options = run().selectbox[0].options
    assert len(set(options)) == 2
    assert all(option.startswith("The Quiet Hour (") for option in options)


def test_an_account_without_shows_is_told_how_to_make_one(creator: User) -> None:
    text = words(run())
    assert "Make your first show" in text
    assert "curl -X POST http://127.0.0.1:8000/v1/shows" in text


def test_an_episode_nobody_heard_has_a_sentence_instead_of_an_empty_chart(
    creator: User, dashboard_store: Engine
) -> None:
    with Session(dashboard_store) as store_session:
        make_episode(store_session, make_show(store_session, creator))
    text = words(run())
    assert "No listen in these days" in text
    assert "Nobody was heard listening" in text


def test_a_show_without_episodes_is_told_how_to_add_one(creator: User, dashboard_store: Engine) -> None:
    with Session(dashboard_store) as store_session:
        make_show(store_session, creator, slug="quiet-hour")
    app = run()
    assert "Add the first episode" in words(app)
    assert "http://127.0.0.1:8000/feeds/quiet-hour.xml" in words(app)
    assert not app.metric


def test_an_advertiser_without_a_company_is_told_whom_to_ask(
    dashboard_store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = sign_in(dashboard_store, Role.ADVERTISER, monkeypatch)
    app = run()
    assert "Your account belongs to no advertiser yet" in words(app)
    assert f"add {user.email} to your company" in words(app)
    assert not app.selectbox


@pytest.mark.usefixtures("dashboard_store")
@pytest.mark.parametrize("token", [None, "", "guessed"])
def test_without_a_session_there_is_nothing_but_the_way_back(token, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "token", lambda: token)
    app = run()
    assert [title.value for title in app.title] == ["You are signed out"]
    assert not app.metric


def test_a_session_that_ends_stops_the_next_run_of_an_open_page(creator: User, dashboard_store: Engine) -> None:
    put_listens(dashboard_store, creator)
    app = run()
    assert app.metric
    end_sessions(dashboard_store)
    app.run()
    assert [title.value for title in app.title] == ["You are signed out"]
    assert not app.metric
    assert "Quiet Hour" not in words(app)


def episodes_page(user: User, wanted: str | None = None) -> AppTest:
    """The Episodes page, or one episode's own."""

    def script(user, wanted) -> None:
        from dashboard.app_pages import episode, episodes

        if wanted is None:
            episodes.render(user, None)
        else:
            episode.render(user, None)

    app = AppTest.from_function(script, default_timeout=60, args=(user, wanted))
    if wanted is not None:
        app.query_params["episode"] = wanted
    return app.run()


def test_the_table_has_every_episode_newest_first(creator: User, dashboard_store: Engine) -> None:
    put_listens(dashboard_store, creator)
    with Session(dashboard_store) as store_session:
        show = make_show(store_session, creator)
        show.title = "A Second Show"
        for published_at in (datetime(2026, 1, 5, tzinfo=UTC), None, datetime(2026, 2, 5, tzinfo=UTC)):
            make_episode(store_session, show, published_at=published_at)
    app = episodes_page(creator)
    assert not app.exception
    table = app.dataframe[0].value
    assert [str(day) for day in table["published"]] == ["None", "2026-02-05", "2026-01-05"]
    assert list(table["title"]) == ["Night Trains (draft)", "Night Trains", "Night Trains"]
    assert "uuid" not in table.columns


def test_an_episodes_page_has_its_own_numbers_and_addresses(creator: User, dashboard_store: Engine) -> None:
    wanted = put_listens(dashboard_store, creator)
    put_listens(dashboard_store, creator)
    app = episodes_page(creator, wanted)
    assert not app.exception
    assert [title.value for title in app.title] == ["Night Trains"]
    assert cards(app)["Listens"] == ("150", "+50 %")
    assert "The Quiet Hour · Published" in words(app)


@pytest.mark.parametrize("wanted", ["nonsense", "00000000-0000-0000-0000-000000000000", "theirs"])
def test_an_episode_that_is_not_ones_own_does_not_exist(creator: User, dashboard_store: Engine, wanted: str) -> None:
    if wanted == "theirs":
        wanted = put_listens(dashboard_store, put_user(dashboard_store))
    app = episodes_page(creator, wanted)
    assert [title.value for title in app.title] == ["No such episode"]
    assert not app.metric
