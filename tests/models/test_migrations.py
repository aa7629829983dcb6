"""The migrations make the tables that the code declares, on both engines."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine
from sqlmodel import SQLModel

from models import counting, listeners, tables
from models.migrate import is_current, migrate


def test_a_migrated_store_has_just_the_declared_tables(engine: Engine) -> None:
    assert counting.Playback.metadata is tables.User.metadata is listeners.Listener.metadata
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrating_twice_does_nothing_the_second_time(engine: Engine) -> None:
    assert is_current(engine)
    assert migrate(engine) is False
