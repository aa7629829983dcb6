"""Answers to calls that may be sent again."""

from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, select, update

from models.payouts import IdempotencyKey

KEEP_DAYS = 30
"""How long an answer is kept; later the key is a new one."""


def claim_key(
    session: Session, user_id: int, key: str, request_hash: bytes, role: str, now: datetime, wait_seconds: float
) -> bool:
    """Take a key for this transaction; False when an earlier call with it is through.

    Waits for the transaction of a call with the same key that is still under way. On PostgreSQL no longer than so many
    seconds: then it raises OperationalError. On SQLite a writer waits for every other one anyway.
    """
    connection = session.connection()
    values = {
        "user_id": user_id,
        "key": key,
        "request_hash": request_hash,
        "role": role,
        "status": 0,
        "body": "",
        "created_at": now,
    }
    if connection.dialect.name == "sqlite":
        alone = sqlite.insert(IdempotencyKey).values(values).on_conflict_do_nothing()
        return connection.execute(alone.returning(col(IdempotencyKey.key))).first() is not None
    connection.execute(text(f"SET LOCAL lock_timeout = '{int(wait_seconds * 1000)}ms'"))
    claim = postgresql.insert(IdempotencyKey).values(values).on_conflict_do_nothing()
    is_claimed = connection.execute(claim.returning(col(IdempotencyKey.key))).first() is not None
    connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
    return is_claimed


def get_key(session: Session, user_id: int, key: str) -> IdempotencyKey | None:
    """What was answered to the call with this key."""
    statement = select(IdempotencyKey).where(IdempotencyKey.user_id == user_id, IdempotencyKey.key == key)
    return session.exec(statement).first()


def put_answer(session: Session, user_id: int, key: str, status: int, body: str) -> None:
    """Keep the answer to a call whose key was claimed in this transaction."""
    statement = update(IdempotencyKey).where(col(IdempotencyKey.user_id) == user_id, col(IdempotencyKey.key) == key)
    session.exec(statement.values(status=status, body=body))


def delete_old_keys(connection: Connection, before: datetime) -> None:
    """Forget keys of calls before that instant."""
    connection.execute(delete(IdempotencyKey).where(col(IdempotencyKey.created_at) < before))
