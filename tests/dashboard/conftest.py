"""The dashboard's process, in this process: its settings point at the test's store."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from sqlalchemy import Engine
from sqlmodel import Session, delete

from dashboard import settings, store
from models.tables import Role, User, WebSession
from tests.factories import make_user


@pytest.fixture
def dashboard_store(sqlite_url: str, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A migrated store that the dashboard reads."""
    monkeypatch.setenv("EARSHOT_STORE_URL", sqlite_url)
    _forget()
    yield sqlite_engine
    store.engine().dispose()
    _forget()


def _forget() -> None:
    settings.current.cache_clear()
    store.engine.cache_clear()
    st.cache_data.clear()


def put_user(engine: Engine, role: Role = Role.CREATOR) -> User:
    """Somebody with an account."""
    with Session(engine, expire_on_commit=False) as session:
        return make_user(session, role)[0]


def put_session(engine: Engine, user: User, token: str, *, lasts: timedelta = timedelta(hours=1)) -> None:
    """Sign a browser in, as the API would."""
    now = datetime.now(UTC)
    with Session(engine) as session:
        session.add(
            WebSession(
                token_hash=hashlib.sha256(token.encode()).digest(),
                user_id=user.id,
                created_at=now,
                expires_at=now + lasts,
            )
        )
        session.commit()


def end_sessions(engine: Engine) -> None:
    """Sign everybody out, as the API would."""
    with Session(engine) as session:
        session.exec(delete(WebSession))
        session.commit()
