"""The store, opened for reading only: whatever the dashboard changes, it asks the API to."""

from functools import cache

from sqlalchemy import Engine
from sqlmodel import Session

from dashboard import settings
from models.engine import make_engine, read_only


@cache
def engine() -> Engine:
    """One pool for the whole process."""
    return read_only(make_engine(settings.current().resolved_store_url()))


def read() -> Session:
    """A session for one question; use it as a context manager. Rows stay readable after it is closed."""
    return Session(engine(), expire_on_commit=False)
