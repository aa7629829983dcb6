"""Alembic's entry: migrates the store whose connection the caller hands in."""

from alembic import context
from sqlmodel import SQLModel

from models import advertising, counting, downloads, listeners, payouts, tables, webhooks  # noqa: F401 - imported for the tables they register

connection = context.config.attributes["connection"]
# SQLite cannot alter most of a table in place; batch mode copies it.
context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
