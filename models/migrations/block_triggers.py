"""Triggers that open a block of days when any number in it changes, whoever changes it, in either engine."""

from alembic import op

COUNTED = ("episode_day", "placement_day", "held_day", "settled_day")
"""Tables by episode and day that what is pending is made from."""
FUNCTIONS = ("open_changed_blocks", "open_voided_blocks")
BLOCK_DAYS = 32

_OF_STATEMENT = "SELECT DISTINCT episode_id, day / {days} FROM settled_day WHERE statement_id = NEW.id AND {is_new}"
_IS_NEW = (
    "NOT EXISTS (SELECT 1 FROM open_block b WHERE b.episode_id = {row}.episode_id AND b.block = {row}.day / {days})"
)


def open_blocks_on_change() -> None:
    """Make the triggers, and open every block that has anything in it now."""
    if op.get_bind().dialect.name == "sqlite":
        _make_in_sqlite()
    else:
        _make_in_postgresql()
    everything = " UNION ".join(f"SELECT episode_id, day / {BLOCK_DAYS} FROM {table}" for table in COUNTED)
    op.execute(f"INSERT INTO open_block {everything}")


def drop_triggers() -> None:
    """Undo it."""
    on_table = "" if op.get_bind().dialect.name == "sqlite" else " ON {table}"
    for table in COUNTED:
        for change in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER {table}_opens_on_{change}" + on_table.format(table=table))
    op.execute("DROP TRIGGER statement_opens_on_void" + on_table.format(table="statement"))
    if on_table:
        for name in FUNCTIONS:
            op.execute(f"DROP FUNCTION {name}")


def _make_in_sqlite() -> None:
    for table in COUNTED:
        for change, row in (("insert", "NEW"), ("update", "NEW"), ("delete", "OLD")):
            is_new = _IS_NEW.format(row=row, days=BLOCK_DAYS)
            op.execute(
                f"CREATE TRIGGER {table}_opens_on_{change} AFTER {change.upper()} ON {table} WHEN {is_new} "
                f"BEGIN INSERT INTO open_block VALUES ({row}.episode_id, {row}.day / {BLOCK_DAYS}); END"
            )
    is_new = _IS_NEW.format(row="settled_day", days=BLOCK_DAYS)
    op.execute(
        "CREATE TRIGGER statement_opens_on_void AFTER UPDATE OF state ON statement WHEN NEW.state = 'void' "
        f"BEGIN INSERT INTO open_block {_OF_STATEMENT.format(days=BLOCK_DAYS, is_new=is_new)}; END"
    )


def _make_in_postgresql() -> None:
    # Once for a statement, not for each row; in order, so that two that open the same blocks do not wait in a ring.
    changed = f"SELECT DISTINCT episode_id, day / {BLOCK_DAYS} FROM changed ORDER BY 1, 2"
    voided = _OF_STATEMENT.format(days=BLOCK_DAYS, is_new="TRUE") + " ORDER BY 1, 2"
    for name, found in zip(FUNCTIONS, (changed, voided), strict=True):
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN INSERT INTO open_block {found} ON CONFLICT DO NOTHING; RETURN NULL; END $$"
        )
    for table in COUNTED:
        for change, rows in (("insert", "NEW"), ("update", "NEW"), ("delete", "OLD")):
            op.execute(
                f"CREATE TRIGGER {table}_opens_on_{change} AFTER {change.upper()} ON {table} "
                f"REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTIONS[0]}()"
            )
    op.execute(
        "CREATE TRIGGER statement_opens_on_void AFTER UPDATE OF state ON statement FOR EACH ROW "
        f"WHEN (NEW.state = 'void') EXECUTE FUNCTION {FUNCTIONS[1]}()"
    )
