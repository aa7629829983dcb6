"""Somebody signs in with Debian's Chromium and sees the numbers that are in the store."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine
from sqlmodel import Session, delete, select

from api.passwords import hash_password
from models.counting import ArrivalDay, EpisodeDay
from models.tables import Episode, Role, WebSession
from tests.conftest import Processes, answers, free_port, wait_until
from tests.factories import make_episode, make_show, make_user

pytestmark = pytest.mark.browser

EMAIL, PASSWORD = "mara@example.com", "the password of mara"
LISTENS, OFFLINE = 1_234, 321


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One engine is enough here: the statements are tested on each."""
    return sqlite_url


@pytest.fixture
def episode(engine: Engine) -> Episode:
    """A creator's only episode, heard yesterday."""
    with Session(engine, expire_on_commit=False) as session:
        owner, _ = make_user(session, Role.CREATOR, EMAIL)
        owner.password_hash = hash_password(PASSWORD)
        episode = make_episode(session, make_show(session, owner, slug="quiet-hour"))
        session.add(
            EpisodeDay(
                episode_id=episode.id,
                day=datetime.now(UTC).date() - timedelta(days=1),
                starts=2_000,
                listens=LISTENS,
                offline_listens=OFFLINE,
                completions=500,
                heard_seconds=7_200_000,
            )
        )
        session.commit()
        return episode


@pytest.fixture
def dashboard(processes: Processes, episode: Episode) -> str:
    """The address of a real dashboard that talks to a real API."""
    api_url, _ = processes.serve()
    port = free_port()
    process = processes.start("dashboard", "--port", str(port), EARSHOT_API_URL=api_url)
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(f"{url}/healthz"), f"{url} to answer", process)
    return url


def sign_in(page: Page, password: str = PASSWORD) -> None:
    """Fill the form as a person would."""
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def card(page: Page, title: str):
    """The card with this title."""
    return page.get_by_test_id("stMetric").filter(has_text=title)


def test_a_creator_signs_in_and_sees_the_numbers(page: Page, dashboard: str, outside: list[str]) -> None:
    page.goto(dashboard)
    expect(page).to_have_url(f"{dashboard}/sign-in?next=%2F")
    sign_in(page, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    sign_in(page)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(card(page, "Listens").get_by_test_id("stMetricValue")).to_have_text("1,234")
    expect(card(page, "Listeners' hours").get_by_test_id("stMetricValue")).to_have_text("2,000 h")
    expect(card(page, "Offline share").get_by_test_id("stMetricValue")).to_have_text("26 %")
    expect(card(page, "Completion rate").get_by_test_id("stMetricValue")).to_have_text("25 %")
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    expect(page.locator(".js-plotly-plot").last).to_contain_text("1,234")
    (cookie,) = [cookie for cookie in page.context.cookies() if cookie["name"] == "earshot_session"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    assert outside == []


def test_the_live_strip_moves_without_a_reload(page: Page, dashboard: str, engine: Engine, episode: Episode) -> None:
    page.goto(dashboard)
    sign_in(page)
    expect(page.get_by_text("Nothing has arrived today yet")).to_be_visible()
    today = datetime.now(UTC).date()
    with Session(engine) as session:
        session.add(
            ArrivalDay(
                episode_id=episode.id,
                received_day=today,
                day=today - timedelta(days=2),
                events=77,
                starts=8,
                listens=7,
                heard_seconds=500,
                last_received_ms=time.time_ns() // 1_000_000,
            )
        )
        row = session.exec(select(EpisodeDay)).one()
        row.listens += 7
        session.add(row)
        session.commit()
    expect(page.locator(".es-live")).to_contain_text("7 listens")
    expect(page.locator(".es-live")).to_contain_text("7 of them heard on an earlier day")
    expect(page.locator(".es-live")).to_contain_text(re.compile(r"Last sync (just now|\d+ s ago)"))
    # Nobody clicks: the page follows by itself.
    expect(card(page, "Listens").first).to_contain_text(f"{LISTENS + 7:,}")


def test_a_title_opens_the_episodes_own_page(page: Page, dashboard: str, episode: Episode) -> None:
    page.goto(f"{dashboard}/episodes?days=7+days")
    sign_in(page)
    table = page.get_by_test_id("stDataFrame")
    expect(table).to_be_visible()
    # The table is drawn on a canvas: its first cell is below the heading, at the left.
    expect(table.locator("canvas").first).to_be_visible()
    page.wait_for_timeout(500)
    table.click(position={"x": 60, "y": 58})
    expect(page.get_by_role("heading", name="Night Trains")).to_be_visible()
    expect(page).to_have_url(re.compile(f"episode={episode.uuid}"))
    expect(card(page, "Starts").get_by_test_id("stMetricValue")).to_have_text("2,000")
    page.get_by_role("button", name="All episodes").click()
    expect(page.get_by_role("heading", name="Episodes")).to_be_visible()
    expect(page).to_have_url(re.compile("days=7"))


def test_signing_out_ends_the_session_everywhere(page: Page, dashboard: str, engine: Engine) -> None:
    page.goto(dashboard)
    sign_in(page)
    page.get_by_role("link", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    with Session(engine) as session:
        assert session.exec(select(WebSession)).all() == []
    page.goto(f"{dashboard}/episodes")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_an_open_page_shows_no_more_once_its_session_is_gone(page: Page, dashboard: str, engine: Engine) -> None:
    page.goto(dashboard)
    sign_in(page)
    expect(card(page, "Listens").first).to_be_visible()
    with Session(engine) as session:
        session.exec(delete(WebSession))
        session.commit()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(page.get_by_test_id("stMetric")).to_have_count(0)
