"""Clients that others wrote, and requests as apps in the field send them, against a running Earshot."""

import base64
import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from typing import Any
from uuid import UUID

import pytest
from mygpoclient import api, http
from sqlalchemy import Engine, text
from sqlmodel import Session

from tests.api.sync.gpodder.conftest import FEED
from tests.conftest import Processes
from tests.factories import make_episode

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)


@pytest.fixture
def listener(processes: Processes, capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Name and password, from the command that gives them out."""
    assert processes.start("listeners", "add", "Ada", "--json").wait() == 0
    made = json.loads(capfd.readouterr().out.splitlines()[-1])
    return made["username"], made["password"]


@pytest.fixture
def server(processes: Processes) -> str:
    """The address of a running Earshot."""
    return processes.serve()[0]


@pytest.fixture
def episode(engine: Engine) -> UUID:
    """A published episode of ten minutes."""
    with Session(engine) as session:
        return make_episode(session).uuid


def action(url: str, kind: str = "play", at: datetime = YESTERDAY, **more: Any) -> api.EpisodeAction:
    return api.EpisodeAction(FEED, url, kind, "phone", f"{at:%Y-%m-%dT%H:%M:%S}", **more)


def counted(processes: Processes, engine: Engine) -> list[tuple[int, int, int]]:
    """Starts, listens and heard seconds of each day, once the worker is through."""
    assert processes.start("worker", "--once").wait(timeout=120) == 0
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT starts, listens, heard_seconds FROM episode_day ORDER BY day"))
        return [tuple(row) for row in rows]


def test_gpodders_own_library_gets_along(server: str, listener: tuple[str, str]) -> None:
    client = api.MygPodderClient(*listener, server)
    assert client.update_device_settings("phone", "My phone", "mobile")
    assert client.put_subscriptions("phone", [FEED])
    assert client.get_subscriptions("phone") == [FEED]
    update = client.update_subscriptions("phone", ["HTTPS://Other.Example.com/feed.xml"], [])
    assert update.update_urls == [("HTTPS://Other.Example.com/feed.xml", "https://other.example.com/feed.xml")]
    update = client.update_subscriptions("phone", [], [FEED])
    pulled = client.pull_subscriptions("phone", update.since - 1)
    assert (pulled.add, pulled.remove, pulled.since) == ([], [FEED], update.since)
    assert client.pull_subscriptions("phone").add == ["https://other.example.com/feed.xml"]
    [device] = client.get_devices()
    assert (device.device_id, device.caption, device.type, device.subscriptions) == ("phone", "My phone", "mobile", 1)
    client.set_settings("account", None, None, {"colour": "blue"})
    assert client.get_settings("account") == {"colour": "blue"}
    client.set_settings("episode", FEED, "https://podcast.example.com/1.mp3", {"is_favorite": True})
    assert [one.url for one in client.get_favorite_episodes()] == ["https://podcast.example.com/1.mp3"]


def test_gpodders_own_library_tells_and_learns_what_was_heard(
    server: str, listener: tuple[str, str], episode: UUID, processes: Processes, engine: Engine
) -> None:
    client = api.MygPodderClient(*listener, server)
    url = f"http://old-name.example.com/media/{episode}.mp3"
    before = client.download_episode_actions().since
    told = [
        action(url, "download"),
        action(url, started=0, position=45, total=600),
        action(url, started=0, position=45, total=600, at=YESTERDAY - timedelta(days=1)),
        action("https://elsewhere.example.com/x.mp3", started=0, position=45),
    ]
    since = client.upload_episode_actions(told)
    assert client.upload_episode_actions(told) > since
    learnt = client.download_episode_actions(before).actions
    assert sorted((one.action, one.timestamp, one.position or 0) for one in learnt) == sorted(
        (one.action, one.timestamp, one.position or 0) for one in told
    )
    assert client.download_episode_actions(since).actions == []
    assert counted(processes, engine) == [(1, 1, 45), (1, 1, 45)]


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("nobody", "wrong")])
def test_gpodders_own_library_is_told_when_it_may_not(
    server: str, listener: tuple[str, str], name: str, password: str
) -> None:
    with pytest.raises(http.Unauthorized):
        api.MygPodderClient(name, password, server).get_devices()


@dataclass
class Phone:
    """Requests in the shape that AntennaPod gives them: it signs in, keeps the cookie, and takes nothing but 200."""

    server: str
    name: str
    password: str
    jar: CookieJar = field(default_factory=CookieJar)

    def request(self, method: str, path: str, body: Any = None, *, with_password: bool = False) -> Any:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.server}{path}", data, method=method)
        request.add_header("Content-Type", "application/json; charset=utf-8")
        request.add_header("User-Agent", "AntennaPod/3.6.0")
        if with_password:
            encoded = base64.b64encode(f"{self.name}:{self.password}".encode()).decode()
            request.add_header("Authorization", f"Basic {encoded}")
        with opener.open(request, timeout=30) as response:
            assert response.status == 200
            content = response.read()
        return json.loads(content) if content else None

    def login(self) -> None:
        self.request("POST", f"/api/2/auth/{self.name}/login.json", b"", with_password=True)


@pytest.mark.parametrize("with_password", [False, True], ids=["by cookie", "by password each time"])
def test_requests_as_antennapod_sends_them(
    server: str,
    listener: tuple[str, str],
    episode: UUID,
    processes: Processes,
    engine: Engine,
    with_password: bool,
) -> None:
    phone = Phone(server, *listener)
    phone.login()
    if with_password:
        phone.jar.clear()

    def ask(method: str, path: str, body: Any = None) -> Any:
        return phone.request(method, path, body, with_password=with_password)

    assert ask("GET", "/api/2/devices/ada.json") == []
    device = {"caption": "Pixel", "type": "mobile"}
    assert ask("POST", "/api/2/devices/ada/antennapod-1.json", device) is None
    assert ask("GET", "/api/2/subscriptions/ada/antennapod-1.json?since=0") == {"add": [], "remove": [], "timestamp": (
        ask("GET", "/api/2/episodes/ada.json?since=0")["timestamp"]
    )}  # fmt: skip
    changes = ask("POST", "/api/2/subscriptions/ada/antennapod-1.json", {"add": [FEED], "remove": []})
    assert changes["update_urls"] == []
    url = f"{server}/media/{episode}.mp3"
    marked = {"started": 600, "position": 600, "total": 600}
    heard = {"started": 100, "position": 145, "total": 600}
    unknown = {"started": -1, "position": -1, "total": -1}
    actions = [
        {"podcast": FEED, "episode": url, "guid": str(episode), "action": "play", "device": "antennapod-1",
         "timestamp": f"{YESTERDAY - timedelta(days=day):%Y-%m-%dT%H:%M:%S}", **numbers}
        for day, numbers in enumerate((heard, marked, unknown))
    ]  # fmt: skip
    uploaded = ask("POST", "/api/2/episodes/ada.json", actions)
    path = "/api/2/episodes/ada.json?since=0&aggregated=false&device=antennapod-1"
    learnt = ask("GET", f"{path}&podcast={FEED}")
    assert learnt["timestamp"] == uploaded["timestamp"]
    assert sorted(one.get("position", -1) for one in learnt["actions"]) == [-1, 145, 600]
    assert ask("GET", f"/api/2/episodes/ada.json?since={uploaded['timestamp']}")["actions"] == []
    # Heard yesterday; started two days before; what was only marked as played was not heard.
    assert counted(processes, engine) == [(1, 0, 0), (1, 1, 45)]


def test_an_app_whose_cookie_is_over_is_asked_for_the_password(server: str, listener: tuple[str, str]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        Phone(server, *listener).request("GET", "/api/2/devices/ada.json")
    assert refused.value.code == 401
    assert refused.value.headers["WWW-Authenticate"].startswith("Basic ")
    refused.value.close()
