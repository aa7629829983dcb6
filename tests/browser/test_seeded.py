"""A stranger starts Earshot, signs in with the printed account, and sees what the demo listeners heard."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import free_port

pytestmark = pytest.mark.browser


@dataclass
class Running:
    """`earshot up` with its demo data."""

    dashboard: str
    account: dict[str, str]
    expected: dict[str, Any]
    """What the seed expects to be counted."""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """The whole product in an empty folder, ready to sign in."""
    ports = {"EARSHOT_PORT": str(free_port()), "EARSHOT_DASHBOARD_PORT": str(free_port())}
    process = subprocess.Popen(
        [sys.executable, "-m", "api", "up"],
        env={**os.environ, **ports, "EARSHOT_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "Ctrl-C stops it" in line:
            break
    assert process.poll() is None, "".join(said)
    account = json.loads((tmp_path / "demo-accounts.json").read_text())["creator"]
    assert account["password"] in "".join(said)
    expected = json.loads((tmp_path / "seed-expected.json").read_text())
    yield Running(f"http://127.0.0.1:{ports['EARSHOT_DASHBOARD_PORT']}", account, expected)
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    process.stdout.close()
    assert process.wait() == 0


def test_the_seeded_numbers_are_on_the_page(page: Page, running: Running) -> None:
    show = max(running.expected["shows"], key=lambda show: show["total"]["listens"])
    page.goto(f"{running.dashboard}/?{urlencode({'show': show['title'], 'days': '90 days'})}")
    page.get_by_label("E-mail address").fill(running.account["email"])
    page.get_by_label("Password").fill(running.account["password"])
    page.get_by_role("button", name="Sign in").click()
    totals = show["total"]
    assert totals["listens"] > 1000
    cards = {
        "Listens": f"{totals['listens']:,}",
        "Offline share": f"{totals['offline_listens'] / totals['listens']:.0%}".replace("%", " %"),
        "Completion rate": f"{totals['completions'] / totals['starts']:.0%}".replace("%", " %"),
    }
    for title, value in cards.items():
        card = page.get_by_test_id("stMetric").filter(has_text=title)
        # A no-break space stands before the per cent sign.
        expect(card).to_contain_text(value)
    arrived = page.get_by_text("of them heard on an earlier day")
    expect(arrived).to_be_visible()
