"""What is held of a device or a listener can be had, and can be erased."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlmodel import Session
from typer.testing import CliRunner, Result

from api import clock
from api.cli import app
from api.measurement.housekeeping import housekeeper
from api.measurement.worker import Worker
from api.settings import Settings
from models.tables import Episode
from tests.device import Phone, encode, now_ms, register
from tests.factories import make_episode


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command works on the test's own installation."""
    monkeypatch.setenv("EARSHOT_HOME", str(tmp_path))
    monkeypatch.setenv("EARSHOT_STORE_URL", store_url)


@pytest.fixture
def episode(engine: Engine) -> Episode:
    """Ten minutes, published long ago."""
    with Session(engine) as session:
        return make_episode(session)


def privacy(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["privacy", *arguments])


def listen(client: TestClient, episode: Episode) -> Phone:
    """A new device that sent a listen."""
    phone = register(client)
    phone.write(episode.uuid, "play", at_ms=now_ms() - 90_000)
    phone.write(episode.uuid, "pause", 0, 60_000, now_ms() - 1000, offline=True)
    assert client.post("/v1/sync", content=encode(phone.batch()), headers=phone.headers).status_code == 202
    return phone


def fold(client: TestClient, engine: Engine, settings: Settings) -> None:
    Worker(engine, client.app.state.log, settings).drain()


def held(engine: Engine) -> tuple[int, int, int]:
    """Listens of the rollup, rows about devices, playbacks with events' ids."""
    with engine.connect() as connection:
        listens = connection.execute(text("SELECT sum(listens) FROM episode_day")).scalar_one()
        devices = connection.execute(
            text("SELECT (SELECT count(*) FROM device) + (SELECT count(*) FROM device_log)")
        ).scalar_one()
        known = connection.execute(text("SELECT count(*) FROM playback WHERE length(event_ids) > 0")).scalar_one()
        return int(listens), int(devices), int(known)


def test_a_device_asks_to_be_forgotten(
    client: TestClient, engine: Engine, settings: Settings, episode: Episode
) -> None:
    goes, stays = listen(client, episode), listen(client, episode)
    fold(client, engine, settings)
    assert held(engine) == (2, 4, 2)
    assert client.delete(f"/v1/devices/{goes.device_id}").status_code == 401
    assert client.delete(f"/v1/devices/{goes.device_id}", headers=stays.headers).status_code == 403
    assert client.delete("/v1/devices/everybody", headers=goes.headers).status_code == 422
    answer = client.delete(f"/v1/devices/{goes.device_id}", headers=goes.headers)
    assert (answer.status_code, answer.json()) == (202, {"state": "accepted"})
    fold(client, engine, settings)
    with housekeeper(settings) as keeper:
        assert keeper.erase() == 1
    assert held(engine) == (2, 2, 1)
    # Its queue, sent once more, is taken and not counted.
    assert client.post("/v1/sync", content=encode(goes.batch()), headers=goes.headers).status_code == 202
    fold(client, engine, settings)
    assert held(engine) == (2, 2, 1)


def test_what_is_held_of_a_device_is_told_whole(
    client: TestClient, engine: Engine, settings: Settings, episode: Episode, tmp_path: Path
) -> None:
    phone = listen(client, episode)
    fold(client, engine, settings)
    result = privacy("export", "--device", phone.device_id)
    assert result.exit_code == 0, result.output
    [device] = json.loads(result.stdout)["devices"]
    assert device["registration"]["app"] == "Earshot Test"
    [playback] = device["playbacks"]
    assert playback["episode_id"] == str(episode.uuid)
    assert playback["heard_seconds"] == [[0, 60]]
    [batch] = device["received"]
    assert batch["type"] == "SyncBatch"
    assert [event["kind"] for event in batch["events"]] == ["play", "pause"]
    target = tmp_path / "export.json"
    assert privacy("export", "--device", phone.device_id, "--output", str(target)).exit_code == 0
    assert json.loads(target.read_text())["devices"] == [device]
    assert target.stat().st_mode & 0o777 == 0o600


def test_the_operator_erases_a_device(client: TestClient, engine: Engine, settings: Settings, episode: Episode) -> None:
    phone = listen(client, episode)
    fold(client, engine, settings)
    assert privacy("erase", "--device", phone.device_id, "--yes").exit_code == 0
    assert held(engine) == (1, 0, 0)
    [device] = json.loads(privacy("export", "--device", phone.device_id).stdout)["devices"]
    assert device == {"device_id": phone.device_id, "registration": None, "playbacks": [], "received": []}


def test_the_operator_is_asked_first_and_told_what_is_wrong(client: TestClient, engine: Engine) -> None:
    device = str(UUID(int=4))
    assert privacy("erase", "--device", device).exit_code == 1
    assert privacy("erase", "--yes").exit_code == 2
    assert privacy("export", "--device", "my phone").exit_code == 2
    unknown = privacy("export", "--listener", "nobody")
    assert unknown.exit_code == 1
    assert "There is no listener named nobody" in unknown.output


def test_a_listener_of_a_podcast_app_is_told_and_erased(
    client: TestClient, engine: Engine, settings: Settings, episode: Episode
) -> None:
    added = CliRunner().invoke(app, ["listeners", "add", "robin", "--json"])
    account = json.loads(added.stdout)
    auth = account["username"], account["password"]
    action = {
        "podcast": "https://podcasts.example/feed.xml",
        "episode": f"https://podcasts.example/media/{episode.uuid}.mp3",
        "device": "kitchen",
        "action": "play",
        "timestamp": "2026-01-05T08:00:00Z",
        "started": 0,
        "position": 300,
        "total": 600,
    }
    assert client.post("/api/2/devices/robin/kitchen.json", json={"caption": "Kitchen"}, auth=auth).status_code == 200
    action["timestamp"] = (clock.now() - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert client.post("/api/2/episodes/robin.json", json=[action], auth=auth).status_code == 200
    fold(client, engine, settings)
    assert held(engine) == (1, 0, 1)
    exported = json.loads(privacy("export", "--listener", "robin").stdout)
    assert exported["devices"][0]["playbacks"][0]["heard_seconds"] == [[0, 300]]
    assert "kitchen" in json.dumps(exported["listener"])
    assert privacy("erase", "--listener", "robin", "--yes").exit_code == 0
    assert held(engine) == (1, 0, 0)
    assert client.get("/api/2/episodes/robin.json", auth=auth).status_code == 401
    assert privacy("export", "--listener", "robin").exit_code == 1
