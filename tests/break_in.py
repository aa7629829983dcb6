"""What somebody can do who owns the store's tables, and not only writes to them."""

from sqlalchemy import Connection, text


def drop_triggers(connection: Connection) -> None:
    """Take away what refuses changes of money."""
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for name in found:
            connection.execute(text(f'DROP TRIGGER "{name}"'))
        return
    query = "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
    for name, table in connection.execute(text(query)).all():
        connection.execute(text(f"DROP TRIGGER {name} ON {table}"))
