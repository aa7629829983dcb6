"""Fixtures for tests that talk to the API as somebody."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import Session

from models.tables import Role
from tests.api.measurement.downloads import product
from tests.factories import make_user, tone_mp3
from tests.imported import EPISODES, Imports


@dataclass
class People:
    """Four users: one owns the shows, one is another creator, one is an admin, one an advertiser."""

    client: TestClient
    keys: dict[str, str] = field(default_factory=dict)

    def call(self, who: str, method: str, path: str, headers: dict[str, str] | None = None, **more):
        """A request as `who`; "nobody" sends no key."""
        sent = dict(headers or {})
        if who != "nobody":
            sent["Authorization"] = f"Bearer {self.keys[who]}"
        return self.client.request(method, path, headers=sent, **more)

    def show(self, slug: str = "quiet-hour", who: str = "owner", **fields) -> dict:
        """A show made over HTTP."""
        answer = self.call(who, "POST", "/v1/shows", json={"title": "The Quiet Hour", "slug": slug, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def episode(self, show: dict, title: str = "Night Trains", audio: bytes | None = None, **fields) -> dict:
        """A draft made over HTTP, with audio when some is given."""
        answer = self.call("owner", "POST", f"/v1/shows/{show['id']}/episodes", json={"title": title, **fields})
        assert answer.status_code == 201, answer.text
        if audio is not None:
            self.upload(answer.json(), audio)
        return answer.json()

    def upload(self, episode: dict, audio: bytes) -> dict:
        """Audio sent and accepted."""
        answer = self.call(
            "owner", "PUT", f"/v1/episodes/{episode['id']}/audio", {"Content-Type": "audio/mpeg"}, content=audio
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def publish(self, episode: dict, published_at: str | None = None) -> dict:
        """Published, now or then."""
        body = {} if published_at is None else {"json": {"published_at": published_at}}
        answer = self.call("owner", "POST", f"/v1/episodes/{episode['id']}/publish", **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def published(self, show: dict, title: str = "Night Trains", audio: bytes | None = None, at: str | None = None):
        """A public episode."""
        return self.publish(self.episode(show, title, audio or tone_mp3(3.0)), at)


@pytest.fixture
def people(client: TestClient, engine: Engine) -> People:
    """Four users with API keys."""
    roles = {"owner": Role.CREATOR, "other": Role.CREATOR, "admin": Role.ADMIN, "advertiser": Role.ADVERTISER}
    with Session(engine) as session:
        return People(client, {name: make_user(session, role)[1] for name, role in roles.items()})


@pytest.fixture
def imports(engine: Engine, store_url: str, tmp_path: Path) -> Imports:
    """An installation with a feed's episodes."""
    product.publish(engine, EPISODES)
    return Imports(tmp_path, store_url)
