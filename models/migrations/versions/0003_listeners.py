"""Listeners

Revision: 0003
"""

import sqlalchemy as sa
from alembic import op

from models.columns import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "listener",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sa.UniqueConstraint("uuid"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "episode_action",
        sa.Column("listener_id", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("podcast", sa.String(), nullable=False),
        sa.Column("episode", sa.String(), nullable=False),
        sa.Column("guid", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["listener_id"],
            ["listener.id"],
        ),
        sa.PrimaryKeyConstraint("listener_id", "action_id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("episode_action", schema=None) as batch_op:
        batch_op.create_index("ix_episode_action_sequence", ["listener_id", "sequence"], unique=False)

    op.create_table(
        "listener_device",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("listener_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("caption", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sync_group", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["listener_id"],
            ["listener.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("listener_id", "name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "listener_session",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("listener_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["listener_id"],
            ["listener.id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    with op.batch_alter_table("listener_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_listener_session_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_listener_session_listener_id"), ["listener_id"], unique=False)

    op.create_table(
        "listener_setting",
        sa.Column("listener_id", sa.Integer(), nullable=False),
        sa.Column("scope_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("podcast", sa.String(), nullable=False),
        sa.Column("episode", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["listener_id"],
            ["listener.id"],
        ),
        sa.PrimaryKeyConstraint("listener_id", "scope_hash", "name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subscription",
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("url_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("is_subscribed", sa.Boolean(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["listener_device.id"],
        ),
        sa.PrimaryKeyConstraint("device_id", "url_hash"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "episode_url",
        sa.Column("url_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("episode_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["episode_id"],
            ["episode.id"],
        ),
        sa.PrimaryKeyConstraint("url_hash"),
    )
    with op.batch_alter_table("episode_url", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_episode_url_episode_id"), ["episode_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("episode_url", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_episode_url_episode_id"))

    op.drop_table("episode_url")
    op.drop_table("subscription")
    op.drop_table("listener_setting")
    with op.batch_alter_table("listener_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_listener_session_listener_id"))
        batch_op.drop_index(batch_op.f("ix_listener_session_expires_at"))

    op.drop_table("listener_session")
    op.drop_table("listener_device")
    with op.batch_alter_table("episode_action", schema=None) as batch_op:
        batch_op.drop_index("ix_episode_action_sequence")

    op.drop_table("episode_action")
    op.drop_table("listener")
