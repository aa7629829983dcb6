"""Triggers that open a block of days when any number in it changes, whoever changes it, in either engine."""

from alembic import op

BLOCK_DAYS = 32
COUNTED = ("episode_day", "placement_day", "held_day", "settled_day")
"""Tables by episode and day that what is pending is made from."""
CHANGES = (("insert", "NEW"), ("update", "NEW"), ("delete", "OLD"))
TURNS = {
    # Table -> column, the change that matters, and the days whose meaning it changes.
    "statement": ("state", "NEW.state = 'void'", "settled_day t WHERE t.statement_id = NEW.id"),
    "campaign": (
        "billing",
        "NEW.billing <> OLD.billing",
        "placement_day t JOIN placement p ON p.id = t.placement_id WHERE p.campaign_id = NEW.id",
    ),
}


def open_blocks_on_change() -> None:
    """Make the triggers, and open every block that has anything in it now."""
    if op.get_bind().dialect.name == "sqlite":
        _make_in_sqlite()
    else:
        _make_in_postgresql()
    everything = " UNION ".join(_blocks(f"{table} t") for table in COUNTED)
    op.execute(f"INSERT INTO open_block {everything}")


def drop_triggers() -> None:
    """Undo it."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    triggers = {f"{table}_opens_on_{change}": table for table in COUNTED for change, _ in CHANGES}
    triggers |= {f"{table}_opens_on_turn": table for table in TURNS}
    for name, table in triggers.items():
        op.execute(f"DROP TRIGGER {name}" + ("" if is_sqlite else f" ON {table}"))
    if not is_sqlite:
        for name in ("open_changed_blocks", *(f"open_{table}_blocks" for table in TURNS)):
            op.execute(f"DROP FUNCTION {name}")


def _blocks(source: str) -> str:
    return f"SELECT DISTINCT t.episode_id, t.day / {BLOCK_DAYS} FROM {source}"


def _make_in_sqlite() -> None:
    for table in COUNTED:
        for change, row in CHANGES:
            is_known = f"b.episode_id = {row}.episode_id AND b.block = {row}.day / {BLOCK_DAYS}"
            op.execute(
                f"CREATE TRIGGER {table}_opens_on_{change} AFTER {change.upper()} ON {table} "
                f"WHEN NOT EXISTS (SELECT 1 FROM open_block b WHERE {is_known}) "
                f"BEGIN INSERT INTO open_block VALUES ({row}.episode_id, {row}.day / {BLOCK_DAYS}); END"
            )
    for table, (column, condition, source) in TURNS.items():
        op.execute(
            f"CREATE TRIGGER {table}_opens_on_turn AFTER UPDATE OF {column} ON {table} WHEN {condition} "
            f"BEGIN INSERT INTO open_block {_blocks(source)} EXCEPT SELECT episode_id, block FROM open_block; END"
        )


def _make_in_postgresql() -> None:
    # Once for a statement, not for each row.
    _make_function("open_changed_blocks", "changed t")
    for table in COUNTED:
        for change, rows in CHANGES:
            op.execute(
                f"CREATE TRIGGER {table}_opens_on_{change} AFTER {change.upper()} ON {table} "
                f"REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION open_changed_blocks()"
            )
    for table, (column, condition, source) in TURNS.items():
        _make_function(f"open_{table}_blocks", source)
        op.execute(
            f"CREATE TRIGGER {table}_opens_on_turn AFTER UPDATE OF {column} ON {table} FOR EACH ROW "
            f"WHEN ({condition}) EXECUTE FUNCTION open_{table}_blocks()"
        )


def _make_function(name: str, source: str) -> None:
    # In order, so that two that open the same blocks do not wait for each other in a ring.
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"INSERT INTO open_block {_blocks(source)} ORDER BY 1, 2 ON CONFLICT DO NOTHING; RETURN NULL; END $$"
    )
