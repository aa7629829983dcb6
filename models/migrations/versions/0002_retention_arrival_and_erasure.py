"""Retention, arrival and erasure

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

from models.columns import UtcDay

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


LAG_HOURS = """
    CASE
        WHEN a.received_day < a.day THEN 0
        WHEN a.received_day - a.day < 3 THEN (a.received_day - a.day) * 24 + 23
        ELSE (a.received_day - a.day) * 24
    END
"""


def upgrade() -> None:
    op.create_table(
        "episode_heard",
        sa.Column("episode_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("chunk", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("heard", sa.LargeBinary(), nullable=False),
        sa.Column("spanned", sa.LargeBinary(), nullable=False),
        sa.Column("repeated", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("episode_id", "chunk"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "erased_device",
        sa.Column("device_hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("device_hash"),
    )
    op.create_table(
        "erasure",
        sa.Column("device", sa.LargeBinary(length=16), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("log_offset", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("device"),
    )
    op.create_table(
        "show_arrival",
        sa.Column("show_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("lag_hours", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("listens", sa.BigInteger(), nullable=False),
        sa.Column("heard_seconds", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("show_id", "day", "lag_hours"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_set_aside_cause", "set_aside", ["cause", "received_at_ms"])
    troubled = sa.text("is_broken OR is_forked OR missing <> '[]'")
    op.create_index(
        "ix_device_log_troubled", "device_log", ["last_received_ms"], sqlite_where=troubled, postgresql_where=troubled
    )
    # SQLite would take '' in a blob column for text.
    nothing = sa.text("x''" if op.get_bind().dialect.name == "sqlite" else "''")
    op.add_column("playback", sa.Column("repeats", sa.LargeBinary(), server_default=nothing, nullable=False))
    # No recording has this length, so the worker redoes each episode's rollups, `episode_heard` with them.
    op.execute("UPDATE episode_counted SET duration_seconds = -1")
    # Only the day of receipt is known: the last hour of it, so that nothing seems to have come sooner than it did.
    op.execute(
        "INSERT INTO show_arrival (show_id, day, lag_hours, starts, listens, heard_seconds) "
        f"SELECT e.show_id, a.day, {LAG_HOURS}, sum(a.starts), sum(a.listens), sum(a.heard_seconds) "
        "FROM arrival_day a JOIN episode e ON e.id = a.episode_id GROUP BY 1, 2, 3"
    )


def downgrade() -> None:
    op.drop_index("ix_device_log_troubled", "device_log")
    op.drop_index("ix_set_aside_cause", "set_aside")
    op.drop_column("playback", "repeats")
    op.drop_table("show_arrival")
    op.drop_table("erasure")
    op.drop_table("erased_device")
    op.drop_table("episode_heard")
