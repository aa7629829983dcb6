"""Somebody opens an episode's page with Debian's Chromium and sees where its listeners leave."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine
from sqlmodel import Session

from api.passwords import hash_password
from models.tables import Role
from tests.conftest import Processes, answers, free_port, wait_until
from tests.factories import make_episode, make_show, make_user
from tests.heard import Spans, put_heard

pytestmark = pytest.mark.browser

EMAIL, PASSWORD = "mara@example.com", "the password of mara"
STAY: Spans = [(0, 600)]
HEARD: list[Spans] = [STAY] * 60 + [[(0, 432)]] * 25 + [[(0, 120), (180, 600)]] * 15


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One engine is enough here: the statements are tested on each."""
    return sqlite_url


@pytest.fixture
def episode(engine: Engine) -> str:
    """The id of the newest of four episodes, which a quarter leaves at 7:12."""
    with Session(engine) as session:
        owner, _ = make_user(session, Role.CREATOR, EMAIL)
        owner.password_hash = hash_password(PASSWORD)
        show = make_show(session, owner, slug="quiet-hour")
        made = [make_episode(session, show, published_at=datetime.now(UTC) - timedelta(days=n)) for n in range(4)]
        for episode in made:
            put_heard(session, episode, HEARD if episode is made[0] else [STAY] * 20)
        return str(made[0].uuid)


@pytest.fixture
def dashboard(processes: Processes) -> str:
    """The address of a real dashboard that talks to a real API."""
    api_url, _ = processes.serve()
    port = free_port()
    process = processes.start("dashboard", "--port", str(port), EARSHOT_API_URL=api_url)
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(f"{url}/healthz"), f"{url} to answer", process)
    return url


@pytest.mark.parametrize("width", [1360, 420], ids=["desk", "phone"])
def test_the_curve_says_where_listeners_leave(page: Page, dashboard: str, episode: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    page.goto(f"{dashboard}/episode?episode={episode}")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    card = page.locator(".st-key-card-retention")
    expect(card.get_by_role("heading", name="Retention")).to_be_visible()
    # No-break spaces stand before the per cent signs.
    expect(card).to_contain_text("Most leave at 7:10\N{EN DASH}7:15: 25\N{NO-BREAK SPACE}% of playbacks end there.")
    expect(card).to_contain_text("Skipped most: 2:00\N{EN DASH}3:00, by 15\N{NO-BREAK SPACE}%.")
    chart = card.locator(".js-plotly-plot")
    for text in ("This episode", "Typical of the show", "25\N{NO-BREAK SPACE}%", "Played again", "6:00"):
        expect(chart).to_contain_text(text)
    curve = chart.locator(".nsewdrag[data-subplot=xy]")
    curve.scroll_into_view_if_needed()
    box = curve.bounding_box()
    assert box is not None
    curve.hover(position={"x": box["width"] / 4, "y": box["height"] / 2})
    expect(chart.locator(".hoverlayer")).to_contain_text("15\N{NO-BREAK SPACE}% skipped")
    expect(chart.locator(".hoverlayer")).to_contain_text("typical: 100\N{NO-BREAK SPACE}% listening")
