"""A real browser on real processes."""

import os
import shutil
from collections.abc import Iterator

import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright: make setup-dev installs it")

from playwright.sync_api import Browser, Page, expect, sync_playwright

# Like `wait_until`: a hang, not a measurement.
expect.set_options(timeout=60_000)

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium_path() -> str:
    """Debian's Chromium; without it the test is skipped, except in CI, which must not pass without having looked."""
    path = shutil.which("chromium")
    if path is not None:
        return path
    advice = "Chromium is not installed; get it with: apt-get install chromium"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(advice)
    pytest.skip(advice)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def outside() -> list[str]:
    """Addresses on other hosts that the page asked for."""
    return []


@pytest.fixture
def page(browser: Browser, outside: list[str]) -> Iterator[Page]:
    """A fresh browser profile; it may load from this machine only, and what it asked for elsewhere is in `outside`."""
    context = browser.new_context(viewport={"width": 1360, "height": 1000})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.on("request", lambda request: None if _is_ours(request.url) else outside.append(request.url))
    yield page
    context.close()


def _is_ours(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
