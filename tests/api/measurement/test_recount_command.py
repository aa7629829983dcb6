"""`earshot recount`."""

import json
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session
from typer.testing import CliRunner, Result

from api.cli import app
from models.tables import Episode
from tests.conftest import Processes
from tests.device import encode, now_ms, register
from tests.factories import make_episode


@pytest.fixture
def counted(
    processes: Processes, engine: Engine, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Episode:
    """A listen that came over HTTP and was counted by a worker."""
    monkeypatch.setenv("EARSHOT_HOME", str(tmp_path))
    monkeypatch.setenv("EARSHOT_STORE_URL", store_url)
    with Session(engine) as session:
        episode = make_episode(session)
    url, _ = processes.serve()
    with httpx2.Client(base_url=url) as client:
        phone = register(client)
        phone.write(episode.uuid, "pause", 0, 60_000, now_ms() - 1000)
        assert client.post("/v1/sync", content=encode(phone.batch()), headers=phone.headers).status_code == 202
    assert processes.start("worker", "--once").wait(timeout=120) == 0
    return episode


def recount(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["recount", *arguments])


def test_the_command_says_that_all_is_well(counted: Episode) -> None:
    result = recount()
    assert result.exit_code == 0, result.output
    assert "1 events in 1 records of the log were folded." in result.output
    assert "agrees with log and archive, row by row" in result.output


def test_the_command_finds_shows_and_mends(counted: Episode, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE episode_day SET heard_seconds = 61"))
    found = recount()
    assert found.exit_code == 1
    assert "stored heard_seconds 61; rebuilt heard_seconds 60" in found.output
    as_json = recount("--json")
    assert as_json.exit_code == 1
    report = json.loads(as_json.stdout)
    assert report["is_equal"] is False
    assert {table["table"]: table["different"] for table in report["tables"]}["episode_day"] == 1
    mended = recount("--apply")
    assert mended.exit_code == 0
    assert "replaced by the rebuilt ones" in mended.output
    assert recount().exit_code == 0


def test_the_command_takes_days(counted: Episode) -> None:
    assert recount("--from", "2020-01-01", "--to", "2020-01-31").exit_code == 0
    assert recount("--from", "1 January").exit_code == 2
    assert recount("--from", "2020-02-01", "--to", "2020-01-31").exit_code == 2
