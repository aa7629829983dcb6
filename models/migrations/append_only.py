"""Rows to which nothing is ever done, or nothing to some of their columns: triggers refuse it, in either engine."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

FUNCTION = "refuse_change"


def make_append_only(*tables: str) -> None:
    """Refuse updates and deletes of these tables, and in PostgreSQL emptying them."""
    if op.get_bind().dialect.name == "sqlite":
        for table in tables:
            _refuse_in_sqlite(table, "UPDATE", "append-only")
            _refuse_in_sqlite(table, "DELETE", "append-only")
            refuse_replacing(table, [_same(key) for key in _unique_keys(table)], "append-only")
        return
    _make_function()
    for table in tables:
        _refuse_in_postgresql(table, "UPDATE OR DELETE OR TRUNCATE", "append-only")


def freeze(table: str, columns: Sequence[str], *, final: Sequence[str], identities: Sequence[str]) -> None:
    """Refuse deletes, changes of these columns, and of `state` once it is one of `final`.

    `identities` are SQL conditions on a row and on NEW that no second row may meet: what `OR REPLACE` would delete.
    """
    states = ", ".join(f"'{state}'" for state in final)
    if op.get_bind().dialect.name == "sqlite":
        changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)
        _refuse_in_sqlite(
            table, "UPDATE", "fixed", f"{changed} OR (OLD.state IN ({states}) AND OLD.state <> NEW.state)"
        )
        _refuse_in_sqlite(table, "DELETE", "fixed")
        refuse_replacing(table, identities, "fixed")
        return
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
    _make_function()
    _refuse_in_postgresql(table, "DELETE OR TRUNCATE", "fixed")
    op.execute(
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW "
        f"WHEN ({changed} OR (OLD.state IN ({states}) AND OLD.state <> NEW.state)) "
        f"EXECUTE FUNCTION {FUNCTION}('fixed')"
    )


def refuse_replacing(table: str, identities: Sequence[str], word: str) -> None:
    """Refuse a row that takes another one's place: SQLite's `INSERT OR REPLACE` deletes without firing a trigger."""
    found = " OR ".join(f"EXISTS (SELECT 1 FROM {table} t WHERE {condition})" for condition in identities)
    _refuse_in_sqlite(table, "INSERT", word, found)


def _refuse_in_sqlite(table: str, change: str, word: str, condition: str = "") -> None:
    when = f"WHEN {condition} " if condition else ""
    op.execute(
        f"CREATE TRIGGER {table}_no_{'replace' if change == 'INSERT' else change.lower()} BEFORE {change} ON {table} "
        f"{when}BEGIN SELECT RAISE(ABORT, '{table} is {word}'); END"
    )


def _make_function() -> None:
    op.execute(
        f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is %', TG_TABLE_NAME, TG_ARGV[0]; END $$"
    )


def _refuse_in_postgresql(table: str, changes: str, word: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE {changes} ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION}('{word}')"
    )


def _unique_keys(table: str) -> list[list[str]]:
    known = sa.inspect(op.get_bind())
    uniques = [constraint["column_names"] for constraint in known.get_unique_constraints(table)]
    return [known.get_pk_constraint(table)["constrained_columns"], *sorted(uniques)]


def _same(columns: Sequence[str]) -> str:
    return " AND ".join(f"t.{column} = NEW.{column}" for column in columns)
