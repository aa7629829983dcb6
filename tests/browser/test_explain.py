"""An admin asks why hits counted, with Debian's Chromium."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine
from sqlmodel import Session

from api.passwords import hash_password
from models.tables import Role
from tests.accessed import import_arguments
from tests.conftest import Processes, answers, free_port, wait_until
from tests.factories import make_episode, make_user

pytestmark = pytest.mark.browser

EMAIL, PASSWORD = "ada@example.com", "the password of ada"
ROW_PIXELS = 35
HEAD_PIXELS = 36


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One engine is enough here: the statements are tested on each."""
    return sqlite_url


@pytest.fixture
def dashboard(processes: Processes, engine: Engine, tmp_path: Path) -> str:
    """The address of a real dashboard with a real API, over six hits of yesterday."""
    with Session(engine) as session:
        admin, _ = make_user(session, Role.ADMIN, EMAIL)
        admin.password_hash = hash_password(PASSWORD)
        episode = make_episode(session)
        session.commit()
        yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
        importing = processes.start(*import_arguments(tmp_path, episode.uuid, yesterday))
    assert importing.wait() == 0
    api_url, _ = processes.serve()
    port = free_port()
    process = processes.start("dashboard", "--port", str(port), EARSHOT_API_URL=api_url)
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(f"{url}/healthz"), f"{url} to answer", process)
    return url


def test_an_admin_follows_a_hit_through_the_rules(page: Page, dashboard: str, outside: list[str]) -> None:
    page.goto(f"{dashboard}/hits")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Why hits counted")).to_be_visible()
    path = page.locator(".st-key-card-path")
    expect(path.get_by_role("heading", name="The first one's path")).to_be_visible()
    expect(path).to_contain_text("AntennaPod: Probe")
    expect(path.locator("tr.es-stopped")).to_contain_text("It asks for more than the first two bytes")
    _tick(page, row=1)
    expect(path).to_contain_text("AntennaPod: Download")
    expect(path.locator("tr.es-passed")).to_have_count(12)
    page.get_by_text("Too short 1", exact=True).click()
    expect(path).to_contain_text("Pocket Casts: Too short")
    expect(path.locator("tr.es-stopped")).to_contain_text("959,999 bytes; 960,000 are needed")
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert outside == []


def _tick(page: Page, row: int) -> None:
    """The table is drawn on a canvas: its boxes are in the first column, below the heading."""
    table = page.locator(".st-key-card-hits-explained").get_by_test_id("stDataFrame")
    expect(table.locator("canvas").first).to_be_visible()
    page.wait_for_timeout(500)
    table.click(position={"x": 16, "y": HEAD_PIXELS + ROW_PIXELS * row + ROW_PIXELS // 2})
