"""`earshot payouts`, as an operator types it."""

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from tests.api.payouts.conftest import Office

OCT_1 = date(2026, 10, 1)


@pytest.fixture
def earned(office: Office, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A thousand listens in October."""
    monkeypatch.setenv("EARSHOT_STORE_URL", store_url)
    monkeypatch.setenv("EARSHOT_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "250")
    show = office.show("carol")
    office.plan(show)
    office.listens(office.episode(show), OCT_1, 1000)
    return office


def earshot(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["payouts", *arguments])


def test_a_month_is_closed_listed_and_shown(earned: Office) -> None:
    closed = earshot("close", "2026-10", "--json")
    assert closed.exit_code == 0, closed.output
    answer = json.loads(closed.stdout)
    assert (answer["made"], answer["items"][0]["total_cents"], answer["items"][0]["drafted_by"]) == (1, 1000, None)
    again = earshot("close", "2026-10")
    assert "0 drafted, 1 there already" in again.stdout
    statement = answer["items"][0]["id"]
    assert statement in earshot("list", "--month", "2026-10").stdout
    shown = json.loads(earshot("show", statement, "--json").stdout)
    assert [line["quantity"] for line in shown["lines"]] == [1000]
    assert "1,000 EUR" in earshot("show", statement).stdout


def test_whoever_drafts_on_the_command_line_is_named_and_may_not_approve(earned: Office) -> None:
    (item,) = json.loads(earshot("close", "2026-10", "--as", "grace@example.com", "--json").stdout)["items"]
    assert item["drafted_by"] == "grace@example.com"
    assert earned.step("grace", item, "approve", 403)["error"] == "own_draft"
    assert earned.step("ada", item, "approve")["state"] == "approved"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("close", "2026-11"), "2026-11 is over at 2026-12-01 00:00 UTC"),
        (("close", "November"), "written YYYY-MM"),
        (("close", "2026-10", "--as", "carol@example.com"), "is no admin"),
        (("show", "first"), "There is no statement 'first'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(earned: Office, arguments: tuple[str, ...], told: str) -> None:
    refused = earshot(*arguments)
    assert refused.exit_code == 1
    assert told in refused.stderr
    assert earned.rows("SELECT id FROM statement") == []


def test_a_close_that_is_interrupted_has_done_nothing(earned: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("api.payouts.close.exhausting.note_exhausted", interrupt)
        assert earshot("close", "2026-10").exit_code != 0
    assert earned.rows("SELECT id FROM statement") == []
    assert earned.rows("SELECT episode_id FROM settled_day") == []
    assert json.loads(earshot("close", "2026-10", "--json").stdout)["made"] == 1
