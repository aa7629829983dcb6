"""Advertising

Revision: 0005
"""

import sqlalchemy as sa
from alembic import op

from models.columns import UtcDateTime, UtcDay
from models.migrations.append_only import make_append_only

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "advertiser",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_table(
        "campaign_device",
        sa.Column("campaign_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("device", sa.LargeBinary(length=16), nullable=False),
        sa.Column("impressions", sa.Integer(), nullable=False),
        sa.Column("first_day", UtcDay(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "device"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "campaign_frequency",
        sa.Column("campaign_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("frequency", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("devices", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "first_day", "frequency"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "campaign_reach",
        sa.Column("campaign_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("show_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_month", sa.Boolean(), nullable=False),
        sa.Column("day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("hll", sa.LargeBinary(), nullable=False),
        sa.Column("theta", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "show_id", "is_month", "day"),
    )
    op.create_table(
        "counted_placement",
        sa.Column("episode_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("placement_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("from_day", UtcDay(), nullable=False),
        sa.Column("to_day", UtcDay(), nullable=False),
        sa.Column("confirm_percent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("episode_id", "placement_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "held_day",
        sa.Column("episode_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("placement_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("episode_id", "day", "placement_id", "kind", "state", "rule"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "held_download",
        sa.Column("day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("episode_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("address", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("agent", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hold_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("found_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", "episode_id", "address", "agent", "hold_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "held_playback",
        sa.Column("day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("episode_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("device", sa.LargeBinary(length=16), nullable=False),
        sa.Column("hold_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("found_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", "episode_id", "device", "hold_id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("held_playback", schema=None) as batch_op:
        batch_op.create_index("ix_held_playback_device", ["device"], unique=False)

    op.create_table(
        "placement_day",
        sa.Column("placement_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("episode_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("heard_25", sa.BigInteger(), nullable=False),
        sa.Column("heard_50", sa.BigInteger(), nullable=False),
        sa.Column("heard_75", sa.BigInteger(), nullable=False),
        sa.Column("heard_100", sa.BigInteger(), nullable=False),
        sa.Column("confirmed", sa.BigInteger(), nullable=False),
        sa.Column("offline_confirmed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("placement_id", "episode_id", "day"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "placement_split",
        sa.Column("placement_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("placement_id", "kind", "day", "value"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "show_reach",
        sa.Column("show_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_month", sa.Boolean(), nullable=False),
        sa.Column("day", UtcDay(), autoincrement=False, nullable=False),
        sa.Column("hll", sa.LargeBinary(), nullable=False),
        sa.Column("theta", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("show_id", "is_month", "day"),
    )
    op.create_table(
        "advertiser_member",
        sa.Column("advertiser_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["advertiser_id"],
            ["advertiser.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("advertiser_id", "user_id"),
    )
    with op.batch_alter_table("advertiser_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_advertiser_member_user_id"), ["user_id"], unique=False)

    op.create_table(
        "campaign",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("advertiser_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("budget_cents", sa.BigInteger(), nullable=False),
        sa.Column("from_day", UtcDay(), nullable=False),
        sa.Column("to_day", UtcDay(), nullable=False),
        sa.Column("billing", sa.String(), nullable=False),
        sa.Column("confirm_percent", sa.Integer(), nullable=False),
        sa.Column("impression_cap", sa.BigInteger(), nullable=True),
        sa.Column("daily_cap", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("exhausted_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["advertiser_id"],
            ["advertiser.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("advertiser_id", "name"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_table(
        "creative",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("click_url", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("campaign_id", "name"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("day", UtcDay(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("show_id", sa.Integer(), nullable=True),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("found_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["show_id"],
            ["show.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rule", "day", "subject"),
        sa.UniqueConstraint("uuid"),
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index("ix_hold_state_day", ["state", "day"], unique=False)

    op.create_table(
        "hold_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hold_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=False),
        sa.Column("decided_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["decided_by"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"],
            ["hold.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("hold_decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hold_decision_hold_id"), ["hold_id"], unique=False)

    op.create_table(
        "placement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("creative_id", sa.Integer(), nullable=True),
        sa.Column("show_id", sa.Integer(), nullable=False),
        sa.Column("episode_id", sa.Integer(), nullable=True),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("from_day", UtcDay(), nullable=False),
        sa.Column("to_day", UtcDay(), nullable=False),
        sa.Column("is_counted_back", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["creative_id"],
            ["creative.id"],
        ),
        sa.ForeignKeyConstraint(
            ["episode_id"],
            ["episode.id"],
        ),
        sa.ForeignKeyConstraint(
            ["show_id"],
            ["show.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uuid"),
    )
    with op.batch_alter_table("placement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_placement_campaign_id"), ["campaign_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_placement_show_id"), ["show_id"], unique=False)

    # Not in batch mode, which would copy the table: others refer to it.
    op.add_column("episode", sa.Column("first_published_at", UtcDateTime(timezone=True), nullable=True))
    op.execute("UPDATE episode SET first_published_at = published_at")

    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.add_column(sa.Column("network", sa.BigInteger(), nullable=True))
        batch_op.create_index(
            "ix_device_network",
            ["created_at", "network"],
            unique=False,
            sqlite_where=sa.text("network IS NOT NULL"),
            postgresql_where=sa.text("network IS NOT NULL"),
        )
    make_append_only("hold_decision")


def downgrade() -> None:
    op.drop_column("episode", "first_published_at")
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_index("ix_device_network")
        batch_op.drop_column("network")

    with op.batch_alter_table("placement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_placement_show_id"))
        batch_op.drop_index(batch_op.f("ix_placement_campaign_id"))

    op.drop_table("placement")
    with op.batch_alter_table("hold_decision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hold_decision_hold_id"))

    op.drop_table("hold_decision")
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.drop_index("ix_hold_state_day")

    op.drop_table("hold")
    op.drop_table("creative")
    op.drop_table("campaign")
    with op.batch_alter_table("advertiser_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_advertiser_member_user_id"))

    op.drop_table("advertiser_member")
    op.drop_table("show_reach")
    op.drop_table("placement_split")
    op.drop_table("placement_day")
    with op.batch_alter_table("held_playback", schema=None) as batch_op:
        batch_op.drop_index("ix_held_playback_device")

    op.drop_table("held_playback")
    op.drop_table("held_download")
    op.drop_table("held_day")
    op.drop_table("counted_placement")
    op.drop_table("campaign_reach")
    op.drop_table("campaign_frequency")
    op.drop_table("campaign_device")
    op.drop_table("advertiser")
