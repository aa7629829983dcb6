"""Money's way with Debian's Chromium: an admin reads the evidence, approves and pays; the creator sees it paid."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine
from sqlmodel import Session, select

from api.consumers import MEASUREMENT
from api.passwords import hash_password
from models.counting import EpisodeDay
from models.payouts import RatePlan, Statement
from models.queries import offsets
from models.tables import Role
from tests.conftest import Processes, answers, free_port, wait_until
from tests.factories import make_episode, make_show, make_user

pytestmark = pytest.mark.browser

ADMIN, CREATOR, PASSWORD = "grace@example.com", "carol@example.com", "the password of both"
LAST_DAY = datetime.now(UTC).date().replace(day=1) - timedelta(days=1)
MONTH = f"{LAST_DAY:%B %Y}"


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One engine is enough here: the statements are tested on each."""
    return sqlite_url


@pytest.fixture
def dashboard(processes: Processes, engine: Engine) -> str:
    """The address of a real dashboard: a show was heard 2,000 times last month, which the command line has closed."""
    with Session(engine, expire_on_commit=False) as session:
        admin, _ = make_user(session, Role.ADMIN, ADMIN)
        creator, _ = make_user(session, Role.CREATOR, CREATOR)
        admin.password_hash = creator.password_hash = hash_password(PASSWORD)
        session.commit()
        show = make_show(session, creator)
        episode = make_episode(session, show)
        heard = {"starts": 2000, "listens": 2000, "offline_listens": 0, "completions": 0, "heard_seconds": 120_000}
        session.add(EpisodeDay(episode_id=episode.id, day=LAST_DAY, **heard))
        session.add(
            RatePlan(
                show_id=show.id, from_day=LAST_DAY.replace(day=1), currency="EUR", listen_price_cents=1000,
                ad_share_bp=7000, created_by=admin.id, created_at=datetime.now(UTC),
            )
        )  # fmt: skip
        session.commit()
    with engine.begin() as connection:
        offsets.append_consumer(connection, MEASUREMENT, 0)
    closing = processes.start("payouts", "close", f"{LAST_DAY:%Y-%m}")
    assert closing.wait() == 0
    api_url, _ = processes.serve()
    port = free_port()
    process = processes.start("dashboard", "--port", str(port), EARSHOT_API_URL=api_url)
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(f"{url}/healthz"), f"{url} to answer", process)
    return url


def test_an_admin_approves_and_pays_and_the_creator_sees_it(
    page: Page, dashboard: str, engine: Engine, outside: list[str]
) -> None:
    _sign_in(page, dashboard, ADMIN)
    page.get_by_role("link", name="Statements").click()
    expect(page.get_by_role("heading", name="Waiting for a decision")).to_be_visible()
    _open_the_first(page)
    expect(page.get_by_role("heading", name=f"Statement of {MONTH}")).to_be_visible()
    evidence = page.locator(".st-key-card-evidence")
    expect(evidence).to_contain_text("Drafted by the command line")
    expect(evidence).to_contain_text("nothing of this month waits for a decision")
    # Two clicks in a row make one.
    page.get_by_role("button", name="Approve").dblclick()
    expect(page.get_by_text("Approved. The amounts are booked.")).to_be_visible()
    page.get_by_label("Reference of the payment").fill("T-1001")
    page.get_by_role("button", name="Mark as paid").click()
    expect(page.get_by_text("Paid, and booked.")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    with Session(engine) as session:
        (statement,) = session.exec(select(Statement))
        assert (statement.state, statement.paid_reference, statement.total_cents) == ("paid", "T-1001", 2000)
    page.goto(f"{dashboard}/sign-out")
    _sign_in(page, dashboard, CREATOR)
    page.get_by_role("link", name="Earnings").click()
    paid = page.get_by_test_id("stMetric").filter(has_text="Paid").get_by_test_id("stMetricValue")
    expect(paid).to_have_text("€20.00")
    _open_the_first(page)
    expect(page.get_by_text("T-1001")).to_be_visible()
    with page.expect_download() as found:
        page.get_by_role("button", name="Statement as PDF").click()
    assert found.value.path().read_bytes().startswith(b"%PDF")
    assert outside == []


def _sign_in(page: Page, dashboard: str, email: str) -> None:
    page.goto(dashboard)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def _open_the_first(page: Page) -> None:
    """The table is drawn on a canvas: its first cell is below the heading, at the left."""
    table = page.get_by_test_id("stDataFrame").first
    expect(table.locator("canvas").first).to_be_visible()
    page.wait_for_timeout(500)
    table.click(position={"x": 60, "y": 58})
