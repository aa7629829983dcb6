"""Somebody opens the Downloads page with Debian's Chromium and follows a title to its episode."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine
from sqlmodel import Session

from api.passwords import hash_password
from models.tables import Role
from tests.conftest import Processes, answers, free_port, wait_until
from tests.downloaded import Download, put_consumers, put_downloads, put_hits
from tests.factories import make_episode, make_show, make_user

pytestmark = pytest.mark.browser

EMAIL, PASSWORD = "mara@example.com", "the password of mara"


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One engine is enough here: the statements are tested on each."""
    return sqlite_url


@pytest.fixture
def dashboard(processes: Processes, engine: Engine) -> str:
    """The address of a real dashboard, over a show that was downloaded 1,200 times yesterday."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with Session(engine) as session:
        owner, _ = make_user(session, Role.CREATOR, EMAIL)
        owner.password_hash = hash_password(PASSWORD)
        show = make_show(session, owner, slug="quiet-hour")
        episode = make_episode(session, show)
        found = [Download(yesterday)] * 900 + [Download(yesterday, "AntennaPod", "tablet", "AT")] * 300
        put_downloads(session, episode, found)
        put_hits(session, episode, yesterday.date(), "duplicate", 800)
        put_consumers(session, show.id, yesterday.date(), range(700))
        put_consumers(session, show.id, yesterday.date(), range(700), episode_id=episode.id or 0)
    api_url, _ = processes.serve()
    port = free_port()
    process = processes.start("dashboard", "--port", str(port), EARSHOT_API_URL=api_url)
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(f"{url}/healthz"), f"{url} to answer", process)
    return url


@pytest.mark.parametrize("width", [1360, 420], ids=["desk", "phone"])
def test_a_creator_reads_the_downloads(page: Page, dashboard: str, outside: list[str], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    page.goto(f"{dashboard}/downloads")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Downloads", exact=True)).to_be_visible()
    expect(page.locator(".st-key-card-downloads")).to_contain_text("1,200")
    expect(page.get_by_text("the calendar day, UTC")).to_be_visible()
    for card, texts in {
        "card-download-app": ("Overcast", "AntennaPod", "900"),
        "card-download-device": ("Phone", "Tablet"),
        "card-download-country": ("Germany", "Austria", "75"),
        "card-consumers": ("700", "counted exactly"),
        "card-outcomes": ("All 2,000 requests", "Repetition", "800"),
    }.items():
        for text in texts:
            expect(page.locator(f".st-key-{card}")).to_contain_text(text)
    bars = page.locator(".st-key-card-download-days .bars path")
    expect(bars.first).to_be_attached()
    assert outside == []
