"""An advertiser's way, with Debian's Chromium: the list, a campaign with a new creative, the planner."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine
from sqlmodel import Session, select

from api.passwords import hash_password
from models.advertising import CampaignFrequency, Creative
from models.tables import Role
from tests.conftest import Processes, answers, free_port, wait_until
from tests.dashboard.advertised import TODAY, Advertised, put_advertiser, put_campaign, put_placement
from tests.factories import make_user

pytestmark = pytest.mark.browser

EMAIL, PASSWORD = "ada@example.com", "the password of ada"


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One engine is enough here: the statements are tested on each."""
    return sqlite_url


@pytest.fixture
def made(engine: Engine) -> Advertised:
    """A campaign that was heard."""
    with Session(engine, expire_on_commit=False) as session:
        user, _ = make_user(session, Role.ADVERTISER, EMAIL)
        user.password_hash = hash_password(PASSWORD)
        session.commit()
    made = put_campaign(engine, put_advertiser(engine, user), user)
    put_placement(engine, made, ago_2=(5000, 4000, 1000), ago_1=(3000, 2000, 500))
    with Session(engine) as session:
        for frequency, devices in ((1, 2000), (2, 1999)):
            day = TODAY - timedelta(days=2)
            session.add(
                CampaignFrequency(
                    campaign_id=made.campaign.id, first_day=day, frequency=frequency, devices=devices
                )
            )  # fmt: skip
        session.commit()
    return made


@pytest.fixture
def dashboard(processes: Processes, made: Advertised) -> str:
    """The address of a real dashboard that talks to a real API."""
    api_url, _ = processes.serve()
    port = free_port()
    process = processes.start("dashboard", "--port", str(port), EARSHOT_API_URL=api_url)
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(f"{url}/healthz"), f"{url} to answer", process)
    return url


def test_an_advertiser_goes_from_the_list_to_a_campaign_and_plans_the_next(
    page: Page, dashboard: str, engine: Engine, outside: list[str]
) -> None:
    page.goto(dashboard)
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Campaigns")).to_be_visible()
    _open_the_first(page)
    expect(page.get_by_role("heading", name="Spring teas")).to_be_visible()
    expect(_card(page, "Delivered")).to_have_text("8,000")
    expect(_card(page, "Confirmed")).to_have_text("6,000")
    expect(_card(page, "Offline share")).to_have_text("25 %")
    # 3,999 devices, told in whole fifties with their range.
    expect(_card(page, "Reach")).to_have_text("3,950")
    expect(page.locator(".st-key-card-number-reach")).to_contain_text("3,950 to 3,999")
    expect(page.locator(".js-plotly-plot").first).to_contain_text("Delivered")
    _add_a_creative(page)
    with Session(engine) as session:
        assert [row.name for row in session.exec(select(Creative))] == ["The kettle"]
    page.get_by_role("link", name="Planner").click()
    expect(page.get_by_role("heading", name="Planner")).to_be_visible()
    expect(page.locator(".st-key-card-plan-reach")).to_contain_text("fewer than 50")
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert outside == []


def _card(page: Page, title: str):
    metric = page.get_by_test_id("stMetric").filter(has_text=re.compile(f"^{title}"))
    return metric.get_by_test_id("stMetricValue")


def _open_the_first(page: Page) -> None:
    """The table is drawn on a canvas: its first cell is below the heading, at the left."""
    table = page.get_by_test_id("stDataFrame")
    expect(table.locator("canvas").first).to_be_visible()
    page.wait_for_timeout(500)
    table.click(position={"x": 60, "y": 58})


def _add_a_creative(page: Page) -> None:
    page.get_by_text("Add a creative").click()
    page.get_by_label("Name of the creative").fill("The kettle")
    page.get_by_label("Click address (optional)").fill("not an address")
    page.get_by_role("button", name="Add the creative").click()
    expect(page.get_by_text("give an address that begins with http")).to_be_visible()
    page.get_by_label("Click address (optional)").fill("https://teahouse.example/kettle")
    # Two clicks in a row make one.
    page.get_by_role("button", name="Add the creative").dblclick()
    expect(page.get_by_text("The creative The kettle is there.")).to_be_visible()
