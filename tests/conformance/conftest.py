"""A running Earshot that the tests of a file share: starting one takes longer than trying it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlmodel import Session

from models.engine import make_engine
from models.migrate import migrate
from tests.conftest import Processes
from tests.factories import make_user


@dataclass(frozen=True)
class Running:
    """A server with its worker, and a creator's key."""

    url: str
    api_key: str


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Earshot's own server on an SQLite store."""
    home = tmp_path_factory.mktemp("earshot")
    store_url = f"sqlite:///{home / 'store.db'}"
    engine = make_engine(store_url)
    migrate(engine)
    with Session(engine) as session:
        api_key = make_user(session)[1]
    engine.dispose()
    processes = Processes(home, store_url)
    try:
        url, _ = processes.serve()
        processes.start("worker")
        yield Running(url, api_key)
    finally:
        processes.stop_all()
