"""An installation to count in."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from api import clock
from api.settings import Settings
from models.tables import Episode
from tests.api.measurement.house import House
from tests.factories import make_episode


@pytest.fixture
def house(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Store, log and archive with a clock of their own."""
    found = House(engine, settings, monkeypatch)
    yield found
    found.close()


@pytest.fixture
def tale(engine: Engine) -> Episode:
    """Ten minutes, published long ago."""
    with Session(engine) as session:
        return make_episode(session, published_at=clock.now() - timedelta(days=300))
