"""What tests of delivery share: an episode, requests for it, and the hits these leave."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from httpx2 import Response
from sqlalchemy import Engine
from sqlmodel import Session

from api.events.opening import open_log
from api.events.records import Hit, unpack
from models.tables import Episode
from tests.api.conftest import People
from tests.api.delivery.nginx import Nginx
from tests.conftest import Processes, wait_until
from tests.factories import make_episode, tone_mp3

AUDIO = tone_mp3(3.0)
LARGE_BYTES = 64 << 20
"""More than the buffers between two sockets of one machine hold."""
SMALL_BYTES = 100_000
SHA256 = "ab" * 32

Hits = Callable[[int], list[Hit]]


@pytest.fixture
def episode(people: People) -> dict:
    """A public episode."""
    return people.published(people.show(), audio=AUDIO)


def get(people: People, episode: dict, method: str = "GET", ending: str = "mp3", **headers: str) -> Response:
    """The answer to a request for an episode's audio; If_None_Match="..." is a header."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return people.client.request(method, f"/media/{episode['id']}.{ending}", headers=sent)


def logged(people: People, count: int) -> list[Hit]:
    """The hits in the log, once there are `count` of them."""
    log = people.client.app.state.log
    wait_until(lambda: log.end(0) >= count, f"{count} hits")
    found = [unpack(record.payload) for record in log.read(0, 0, 100)]
    assert len(found) == count
    return found


@pytest.fixture
def large(processes: Processes, engine: Engine) -> str:
    """A public episode of 64 MiB, for real servers."""
    return lay_out(processes.home, engine, LARGE_BYTES)


@pytest.fixture
def small(processes: Processes, engine: Engine) -> str:
    """A public episode of 100 kB, for real servers."""
    return lay_out(processes.home, engine, SMALL_BYTES)


def lay_out(home: Path, engine: Engine, size: int) -> str:
    """A public episode whose file begins with sound and has so many bytes; its id."""
    path = home / "audio" / SHA256[:2] / SHA256
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.write(tone_mp3(3.0))
        file.truncate(size)
    with Session(engine) as session:
        episode = session.get(Episode, make_episode(session).id)
        episode.audio_sha256, episode.audio_bytes, episode.audio_type = SHA256, size, "audio/mpeg"
        session.commit()
        return str(episode.uuid)


@pytest.fixture
def hits(processes: Processes) -> Hits:
    """Waits for a number of hits in the log of the running server."""

    def wait(count: int) -> list[Hit]:
        log = open_log(f"sqlite:///{processes.home / 'events.db'}")
        try:
            wait_until(lambda: log.end(0) >= count, f"{count} hits")
            return [unpack(record.payload) for record in log.read(0, 0, 100)]
        finally:
            log.close()

    return wait


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    """Not started yet."""
    folder = tmp_path / "nginx"
    folder.mkdir()
    nginx = Nginx(folder)
    yield nginx
    nginx.stop()
