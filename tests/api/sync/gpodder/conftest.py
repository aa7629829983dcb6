"""Listeners with podcast apps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session

from api.events.records import Actions, unpack
from api.sync.gpodder import service

FEED = "https://podcast.example.com/feed.xml"
EPISODE = "https://podcast.example.com/1.mp3"


@dataclass
class App:
    """One podcast app of one listener; it keeps cookies, and sends the password with every request."""

    client: TestClient
    name: str
    password: str

    def call(self, method: str, path: str, **more: Any) -> Any:
        """A request; `{user}` in the path is the listener's own name."""
        auth = more.pop("auth", (self.name, self.password))
        return self.client.request(method, path.replace("{user}", self.name), auth=auth, **more)

    def get(self, path: str, **query: Any) -> Any:
        """What an address answers, which must be 200."""
        answer = self.call("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any) -> Any:
        """What an address answers to a body, which must be 200: some apps take nothing else for success."""
        answer = self.call("POST", path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.content else None

    def tell(self, *actions: dict[str, Any]) -> dict[str, Any]:
        """Upload episode actions."""
        return self.post("/api/2/episodes/{user}.json", [*actions])

    def actions(self, **query: Any) -> list[dict[str, Any]]:
        """The actions that are kept."""
        return self.get("/api/2/episodes/{user}.json", **query)["actions"]


@pytest.fixture
def listen(client: TestClient, engine: Engine) -> Callable[[str], App]:
    """Makes a listener, or another app of the same listener."""
    known: dict[str, str] = {}

    def make(name: str) -> App:
        if name not in known:
            with Session(engine) as session:
                known[name] = service.add_listener(session, name).password
                session.commit()
        return App(TestClient(client.app), name, known[name])

    return make


@pytest.fixture
def ada(listen: Callable[[str], App]) -> App:
    """A listener."""
    return listen("ada")


def play(started: Any = 0, position: Any = 60, **more: Any) -> dict[str, Any]:
    """A play of the one episode."""
    return {
        "podcast": FEED,
        "episode": EPISODE,
        "action": "play",
        "device": "phone",
        "timestamp": "2026-11-20T10:00:00",
        "started": started,
        "position": position,
        "total": 600,
        **more,
    }


def logged(client: TestClient) -> list[tuple[bytes, Any]]:
    """Device and action of every play in the event log."""
    log = client.app.state.log  # type: ignore[attr-defined]
    records = [unpack(record.payload) for record in log.read(0, 0, 1000)]
    return [(one.device, action) for one in records if isinstance(one, Actions) for action in one.actions]
