"""The page about single hits: the API's own answers, chosen and drawn."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from api.app import create_app
from api.cli import app as command_line
from api.settings import Settings
from dashboard import calls, explain_data, explain_tables
from models.tables import Episode, Role, Show, User
from tests.accessed import import_arguments
from tests.dashboard.test_pages import run, sign_in, words
from tests.factories import make_episode, make_show

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date()


@pytest.fixture
def admin(dashboard_store: Engine, monkeypatch: pytest.MonkeyPatch) -> User:
    """Signed in; sees every show."""
    return sign_in(dashboard_store, Role.ADMIN, monkeypatch)


@pytest.fixture
def api(
    tmp_path: Path, sqlite_url: str, dashboard_store: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """The API over the same store, asked by the page."""

    def ask(method: str, path: str, json: object = None) -> calls.Answer:
        answer = client.request(method, path, json=json, headers={"Authorization": "Bearer token"})
        return calls.Answer(answer.status_code, answer.json())

    with TestClient(create_app(Settings(home=tmp_path, store_url=sqlite_url))) as client:
        monkeypatch.setattr(calls, "ask", ask)
        yield client


@pytest.fixture
def episode(dashboard_store: Engine) -> Episode:
    """An episode with nothing."""
    with Session(dashboard_store, expire_on_commit=False) as session:
        return make_episode(session)


def put_hits(engine: Engine, home: Path, episode: Episode, times: int = 1) -> None:
    environment = {"EARSHOT_HOME": str(home), "EARSHOT_STORE_URL": str(engine.url)}
    done = CliRunner().invoke(command_line, import_arguments(home, episode.uuid, YESTERDAY, times), env=environment)
    assert done.exit_code == 0, done.output


def open_page(user: User) -> AppTest:
    """One run of the page."""

    def script(user) -> None:
        from dashboard.app_pages import explain

        explain.render(user)

    app = AppTest.from_function(script, default_timeout=60, args=(user,)).run()
    assert not app.exception
    return app


def test_the_causes_add_up_to_all_hits(
    admin: User, api: TestClient, dashboard_store: Engine, episode: Episode, tmp_path: Path
) -> None:
    put_hits(dashboard_store, tmp_path, episode)
    app = open_page(admin)
    outcomes, hits = (frame.value for frame in app.dataframe)
    titles = ["Download", "Not a fetch", "Bot", "Probe", "Too short", "Repetition"]
    assert outcomes["outcome"].tolist() == [*titles, "All hits"]
    assert outcomes["hits"].tolist() == [1] * 6 + [6]
    assert round(sum(outcomes["share"].tolist()[:-1]), 1) == outcomes["share"].tolist()[-1] == 100
    assert "the calendar day, UTC" in words(app)
    assert hits["outcome"].tolist() == ["Probe", "Download", "Repetition", "Too short", "Bot", "Not a fetch"]
    assert hits["country"].tolist() == ["Germany"] * 3 + ["Austria", "United States", "Unknown"]
    assert hits["part"].tolist() == [
        "0 to 1",
        "0 to 959,999",
        "960,000 to 960,004",
        "0 to 959,998",
        "0 to 9,599,999",
        "none",
    ]
    assert hits["consumer"].tolist()[0] == hits["consumer"].tolist()[1] != hits["consumer"].tolist()[3]
    assert set(hits["consumer"].str.len()) == {explain_tables.CONSUMER_LETTERS}
    assert set(hits["source"]) == {"Access log"}


def test_a_cause_chosen_leaves_its_hits_and_the_path_of_the_first(
    admin: User, api: TestClient, dashboard_store: Engine, episode: Episode, tmp_path: Path
) -> None:
    put_hits(dashboard_store, tmp_path, episode)
    app = open_page(admin)
    app.button_group[0].set_value("short").run()
    assert app.dataframe[1].value["outcome"].tolist() == ["Too short"]
    assert len(app.dataframe[0].value) == 7
    text = words(app)
    assert "At 10:00:00 UTC, Pocket Casts: **Too short**" in text
    assert "stopped here, 959,999 bytes; 960,000 are needed" in text
    assert text.count('class="es-passed"') == 10
    assert text.count('class="es-not-asked"') == 1
    assert "5.5.3" in text


def test_a_hit_that_is_ticked_shows_its_own_path(
    admin: User, api: TestClient, dashboard_store: Engine, episode: Episode, tmp_path: Path
) -> None:
    put_hits(dashboard_store, tmp_path, episode)
    app = open_page(admin)
    assert "At 08:00:00 UTC, AntennaPod: **Probe**" in words(app)
    app.session_state[app.dataframe[1].key] = {"selection": {"rows": [4], "columns": [], "cells": []}}
    app.run()
    text = words(app)
    assert "At 11:00:00 UTC, curl: **Bot**" in text
    assert "The first one's path" not in text
    assert text.count('class="es-passed"') == 4
    assert text.count('class="es-stopped"') == 1
    assert text.count('class="es-not-asked"') == 7


def test_hits_beyond_a_page_are_on_the_next(
    admin: User, api: TestClient, dashboard_store: Engine, episode: Episode, tmp_path: Path
) -> None:
    times = explain_data.PAGE_HITS // 4
    put_hits(dashboard_store, tmp_path, episode, times)
    app = open_page(admin)
    assert len(app.dataframe[1].value) == 4 * times
    app.number_input[0].set_value(2).run()
    assert app.dataframe[1].value["outcome"].tolist() == ["Bot"] * times + ["Not a fetch"] * times


def test_an_episode_that_nobody_asked_for_says_so(admin: User, api: TestClient, episode: Episode) -> None:
    assert "Nobody has asked for this episode's audio yet" in words(open_page(admin))


def test_a_day_without_hits_says_so(
    admin: User, api: TestClient, dashboard_store: Engine, episode: Episode, tmp_path: Path
) -> None:
    put_hits(dashboard_store, tmp_path, episode)
    app = open_page(admin)
    app.date_input[0].set_value(YESTERDAY - timedelta(days=1)).run()
    assert "Nobody asked for this episode on that day" in words(app)


def test_without_shows_or_episodes_there_is_nothing_to_choose(admin: User, dashboard_store: Engine) -> None:
    assert "There are no shows yet" in words(open_page(admin))
    with Session(dashboard_store) as session:
        make_show(session)
    assert "no published episode yet" in words(open_page(admin))


def test_an_api_that_does_not_answer_is_told(
    admin: User,
    api: TestClient,
    dashboard_store: Engine,
    episode: Episode,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_hits(dashboard_store, tmp_path, episode)
    monkeypatch.setattr(calls, "ask", lambda *_: calls.NO_ANSWER)
    (error,) = open_page(admin).error
    assert "does not answer" in error.value


def test_episodes_of_one_title_and_day_can_both_be_chosen(
    admin: User, dashboard_store: Engine, episode: Episode
) -> None:
    with Session(dashboard_store) as session:
        other = make_episode(session, session.get_one(Show, episode.show_id))
        found = explain_data.episodes(episode.show_id)
        assert {row.uuid for row in found.values()} == {episode.uuid, other.uuid}


def test_nothing_that_came_from_outside_is_markup() -> None:
    step = {"rule": "<i>", "cause": "bot", "clause": "&", "verdict": "stopped", "detail": "<script>"}
    hit = {"at": "2026-11-19T01:01:17Z", "app": "*Brolly*", "outcome": "bot", "path": [step]}
    assert "<script>" not in explain_tables.path(hit)
    assert "<i>" not in explain_tables.path(hit)
    assert r"\*Brolly\*" in explain_tables.summary(hit)


@pytest.mark.parametrize(("role", "is_there"), [(Role.ADMIN, True), (Role.CREATOR, False), (Role.ADVERTISER, False)])
def test_only_admins_find_the_page(
    dashboard_store: Engine, monkeypatch: pytest.MonkeyPatch, role: Role, is_there: bool
) -> None:
    sign_in(dashboard_store, role, monkeypatch)
    names: list[str] = []
    import streamlit as st

    navigation = st.navigation

    def watch(pages: Any, **rest: Any) -> Any:
        names.extend(page.title for section in pages.values() for page in section)
        return navigation(pages, **rest)

    monkeypatch.setattr(st, "navigation", watch)
    run()
    assert ("Why hits counted" in names) == is_there
