"""An admin watches counting on the Pipeline page, with Debian's Chromium."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import httpx2
import pytest
from playwright.sync_api import Error, Page, expect
from sqlalchemy import Engine
from sqlmodel import Session

from api.passwords import hash_password
from models.tables import Episode, Role
from tests.conftest import Processes, answers, free_port, wait_until
from tests.device import encode, register
from tests.factories import make_episode, make_show, make_user

pytestmark = pytest.mark.browser

PASSWORD = "the password of both"


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One engine is enough here: the statements are tested on each."""
    return sqlite_url


@pytest.fixture
def episode(engine: Engine) -> Episode:
    """A creator's only episode; there is an admin, too."""
    with Session(engine, expire_on_commit=False) as session:
        for role in (Role.ADMIN, Role.CREATOR):
            owner, _ = make_user(session, role, f"{role}@example.com")
            owner.password_hash = hash_password(PASSWORD)
        return make_episode(session, make_show(session, owner))


@pytest.fixture
def phones(processes: Processes, episode: Episode) -> Iterator[httpx2.Client]:
    """The API, as phones reach it."""
    api_url, _ = processes.serve()
    with httpx2.Client(base_url=api_url, trust_env=False) as client:
        yield client


@pytest.fixture
def dashboard(processes: Processes, phones: httpx2.Client) -> str:
    """The address of a real dashboard that talks to a real API."""
    port = free_port()
    process = processes.start("dashboard", "--port", str(port), EARSHOT_API_URL=str(phones.base_url))
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(f"{url}/healthz"), f"{url} to answer", process)
    return url


def open_pipeline(page: Page, dashboard: str, role: Role) -> None:
    """Sign in, and go to the address of the page."""
    page.goto(f"{dashboard}/pipeline")
    page.get_by_label("E-mail address").fill(f"{role}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def send(phones: httpx2.Client, episode: Episode, unknown: UUID) -> None:
    """A phone tells of three minutes heard, one of them of an episode that nobody knows; it skips one event."""
    phone = register(phones)
    for minute, uuid in enumerate((episode.uuid, episode.uuid, unknown, episode.uuid)):
        phone.write(uuid, "progress", minute * 60_000, (minute + 1) * 60_000)
    for first, last in ((1, 1), (3, 4)):
        answer = phones.post("/v1/sync", content=encode(phone.batch(first, last)), headers=phone.headers)
        assert answer.status_code == 202


def import_episode(engine: Engine, uuid: UUID) -> None:
    """The episode that nobody knew is in the catalogue now."""
    with Session(engine) as session:
        episode = make_episode(session)
        episode.uuid = uuid
        session.add(episode)
        session.commit()


def replay(page: Page) -> None:
    """Open the button and press the one in it. A page that redraws itself meanwhile closes it; one opens it again."""
    for _ in range(10):
        page.get_by_role("button", name="Replay…").click()
        try:
            page.get_by_role("button", name="Replay this event").click(timeout=6000)
        except Error:
            continue
        return
    pytest.fail("the button to replay never stayed open")


def test_an_admin_sees_what_waits_then_what_became_of_it_and_replays_the_rest(
    page: Page,
    dashboard: str,
    phones: httpx2.Client,
    episode: Episode,
    processes: Processes,
    engine: Engine,
    outside: list[str],
) -> None:
    open_pipeline(page, dashboard, Role.ADMIN)
    expect(page.get_by_role("heading", name="Pipeline")).to_be_visible()
    strip = page.locator(".es-pipeline")
    expect(strip).to_contain_text("Nothing waits to be counted")
    expect(page.get_by_text("Nothing is set aside")).to_be_visible()
    unknown = uuid4()
    send(phones, episode, unknown)
    # Nobody clicks: the strip follows by itself.
    expect(strip).to_contain_text("2 records wait")
    expect(strip).to_contain_text("Offset 0 of 2")
    processes.start("worker", "--once").wait()
    expect(strip).to_contain_text("Offset 2 of 2")
    expect(page.locator(".es-verdict")).to_contain_text("is accounted for")
    expect(page.get_by_text("Unknown episode")).to_be_visible()
    expect(page.get_by_text("1 device: 1 with gaps")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    page.get_by_text("Newest samples").click()
    expect(page.locator(".st-key-card-causes").get_by_test_id("stDataFrame")).to_be_visible()
    import_episode(engine, unknown)
    replay(page)
    expect(page.get_by_text("1 event is with the worker now")).to_be_visible()
    processes.start("worker", "--once").wait()
    expect(page.get_by_text("Nothing is set aside")).to_be_visible()
    expect(page.locator(".es-verdict")).to_contain_text("is accounted for")
    assert outside == []


def test_a_creator_finds_no_such_page(page: Page, dashboard: str) -> None:
    open_pipeline(page, dashboard, Role.CREATOR)
    expect(page.get_by_role("link", name="Overview")).to_be_visible()
    expect(page.get_by_role("link", name="Pipeline")).to_have_count(0)
    expect(page.get_by_role("heading", name="Pipeline")).to_have_count(0)
    expect(page.locator(".es-pipeline")).to_have_count(0)
