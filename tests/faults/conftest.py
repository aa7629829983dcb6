"""Fixtures of the tests that kill, starve, cut and corrupt."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from api.storage import LocalAudio
from tests.factories import make_episode, make_show, tone_mp3
from tests.faults.fleet import Fleet
from tests.faults.traffic import Traffic


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """`EARSHOT_HOME` of the test's processes."""
    return tmp_path


@pytest.fixture
def traffic(engine: Engine, home: Path) -> Traffic:
    """Listeners of a published episode of ten minutes, with a feed and a recording that can be asked for."""
    return make_traffic(engine, home)


def make_traffic(engine: Engine, home: Path) -> Traffic:
    """See `traffic`; for tests that make the store themselves."""
    audio = tone_mp3(1.0)
    sha256 = hashlib.sha256(audio).hexdigest()
    path = LocalAudio(home / "audio").path(sha256)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(audio)
    with Session(engine) as session:
        show = make_show(session)
        episode = make_episode(session, show, published_at=datetime.now(UTC) - timedelta(days=200))
        episode.audio_sha256, episode.audio_bytes, episode.audio_type = sha256, len(audio), "audio/mpeg"
        session.add(episode)
        session.commit()
        session.refresh(episode)
        return Traffic(episode, show.slug)


@pytest.fixture
def fleet(home: Path, store_url: str, engine: Engine) -> Iterator[Fleet]:
    """Starts real processes over a migrated store."""
    group = Fleet(home, store_url)
    yield group
    group.stop_all()
